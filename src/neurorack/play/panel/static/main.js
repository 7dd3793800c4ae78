// The panel, wired: the socket feeds the store, views draw what it holds, hands send messages.

import { $, make } from "./dom.js";
import { Keyboard } from "./keyboard.js";
import { Knob } from "./knob.js";
import { Listener } from "./listen.js";
import { Meters } from "./meters.js";
import { Pad } from "./pad.js";
import { Scope } from "./scope.js";
import { Slider } from "./slider.js";
import { openSocket } from "./socket.js";
import { SourceSection } from "./source.js";
import { Store } from "./store.js";
import { dismiss, toast } from "./toasts.js";

const LOST = "The connection to the player is lost; trying again…";
const query = new URLSearchParams(location.search);
if (query.has("token")) history.replaceState(null, "", location.pathname); // the cookie holds it now

const store = new Store();
const pad = new Pad(store);
const meters = new Meters();
const scope = new Scope(store);
const source = new SourceSection(store);
const listener = new Listener((report) => (meters.listening = { ...report, active: listener.active }));
let knobs = [];
let sliders = [];
let started = false;
let stateStale = true;
let told = false; // whether telemetry came since the last drawing

const socket = openSocket("ws", {
  onText: (message) => store.receive(message),
  onOpen: () => {
    dismiss(LOST);
    $("face").classList.remove("lost");
  },
  onLost: async (attempts) => {
    $("face").classList.add("lost");
    if (attempts === 1) toast(LOST, "error", 0);
    if (attempts !== 3) return;
    const answer = await fetch("./", { method: "HEAD" }).catch(() => null);
    if (answer && answer.status === 403) toast("The player was started anew: open the address it printed.", "error", 0);
  },
});
store.send = (message) => socket.send(JSON.stringify(message));

const backend = () => (store.telemetry && store.telemetry.status.running ? store.telemetry.status.backend : "");
const pageSounds = () => backend() === "browser";
let asked = false; // whether the hand asked to hear another backend's sound here too

// The page plays when no card does, or when asked to. Must run inside a gesture; while it is not yet known who
// will sound, the page gets ready.
async function wake() {
  if (!store.instrument || (backend() && !pageSounds() && !asked)) return;
  try {
    await listener.start(store.instrument.sample_rate);
  } catch (error) {
    toast(`This page cannot play sound: ${error.message}`, "error");
  }
}

function start() {
  started = true;
  $("veil").classList.add("gone");
  store.send({ type: "latch", on: true });
  wake();
}

function toggle() {
  if (store.state.latched || store.state.gate) store.send({ type: "latch", on: false });
  else start();
}

function panic() {
  store.send({ type: "panic" });
}

const keyboard = new Keyboard(store, { start, panic, wake, started: () => started });

$("veil").addEventListener("click", start); // the big button lies in it
$("play").addEventListener("click", toggle);
$("panic").addEventListener("click", panic);
$("listen").addEventListener("click", async () => {
  asked = !asked;
  if (asked) await wake();
  else await listener.stop();
  $("listen").setAttribute("aria-pressed", asked);
});
$("instrument").addEventListener("change", (event) => {
  store.send({ type: "instrument", name: event.target.value });
  event.target.blur(); // so that the letters play notes again
});
const gate = $("gate");
gate.addEventListener("pointerdown", (event) => {
  gate.setPointerCapture(event.pointerId);
  started = true;
  $("veil").classList.add("gone");
  wake();
  keyboard.gate(true);
});
for (const end of ["pointerup", "pointercancel"]) gate.addEventListener(end, () => keyboard.gate(false));
gate.addEventListener("contextmenu", (event) => event.preventDefault());

// A button clicked with the mouse does not keep the keys: space is the gate, not the button again.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button && event.detail) button.blur();
});

store.on("hello", () => {
  const { instrument } = store;
  document.title = `${instrument.title || instrument.name} · Neurorack`;
  const select = $("instrument");
  select.replaceChildren(...store.instruments.map((row) => make("option", { value: row.name, text: row.title || row.name })));
  select.value = instrument.name;
  select.disabled = false;
  select.title = `${instrument.description} ${instrument.licence}`.trim();
  knobs = instrument.controls.map((control) => new Knob(store, control));
  $("knobs").replaceChildren(...knobs.map((knob) => knob.node));
  const decibel = (value) => (value <= -60 ? "silent" : `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(1)} dB`);
  sliders = [
    new Slider(store, "insist", "Insist", (v) => `${Math.round(v * 100)} %`, ["follow, as in the recordings", "hold still"]),
    new Slider(store, "level_db", "Level", decibel),
  ];
  $("insist").replaceChildren(sliders[0].node);
  $("level").replaceChildren(sliders[1].node);
  pad.configure();
  scope.configure();
  source.configure();
  $("keys").setAttribute("aria-label", instrument.pitched ? "Keyboard" : "Keyboard: every key another tone");
  if (listener.active) listener.start(instrument.sample_rate);
});

store.on("state", () => (stateStale = true));
store.on("notice", ({ text, level }) => toast(text, level));
store.on("telemetry", () => {
  const now = performance.now();
  told = true;
  meters.take(store.telemetry, now);
  scope.take(store.telemetry, now);
  source.drawTelemetry(store.telemetry);
  $("listen").hidden = pageSounds() || !backend();
  if (pageSounds()) listener.prepare(store.instrument.sample_rate);
  else if (backend() && !asked && listener.active) listener.stop();
});

function drawState() {
  const { state } = store;
  for (const slider of sliders) slider.draw();
  source.draw();
  keyboard.draw();
  $("play").setAttribute("aria-pressed", state.latched);
  $("play-label").textContent = state.latched ? "Stop" : "Play";
  gate.setAttribute("aria-pressed", state.gate && !state.latched);
  if (state.gate && !pageSounds() && store.telemetry) {
    started = true; // somebody plays already, and not through this page
    $("veil").classList.add("gone");
  }
}

// Thirty times a second, when there is news, is enough for the eye and leaves the machine to the sound.
function draw(now) {
  if (store.state && (stateStale || told)) {
    told = false;
    if (stateStale) {
      stateStale = false;
      drawState();
    }
    for (const knob of knobs) knob.draw();
    pad.draw(now);
    scope.draw(now);
    meters.draw();
  }
  requestAnimationFrame(draw);
}
requestAnimationFrame(draw);

// For tests: the very samples that this page's player hands to the sound output. Needs ?tap in the address.
if (query.has("tap")) {
  window.neurorackTest = {
    capture: (seconds) => listener.capture(seconds),
    report: () => meters.listening,
    telemetry: () => store.telemetry,
    state: () => store.state,
    instrument: () => store.instrument,
  };
}
