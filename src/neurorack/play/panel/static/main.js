// The panel, wired: the socket feeds the store, views draw what it holds, hands send messages.

import { Display } from "./display.js";
import { $, make, mark, write } from "./dom.js";
import { listenForDrops } from "./drop.js";
import { Gathering } from "./gathering.js";
import { Keyboard } from "./keyboard.js";
import { Listener } from "./listen.js";
import { LiveInput } from "./live.js";
import { TimbreMap } from "./map.js";
import { drawMenu, closeMenu } from "./menu.js";
import { MakePage } from "./make-page.js";
import { Meters } from "./meters.js";
import { ModPage } from "./mod-page.js";
import { Pad } from "./pad.js";
import { Pages } from "./pages.js";
import { PresetsPage } from "./presets-page.js";
import { Scope } from "./scope.js";
import { SetupPage } from "./setup-page.js";
import { SixKnobs } from "./six.js";
import { Slider } from "./slider.js";
import { openSocket } from "./socket.js";
import { SourceBrief } from "./source-brief.js";
import { SourcePage } from "./source-page.js";
import { Store } from "./store.js";
import { Strip } from "./strip.js";
import { Surface } from "./surface.js";
import { Tape } from "./tape.js";
import { dismiss, toast } from "./toasts.js";
import { VoicePage } from "./voice-page.js";

const LOST = "The connection to the player is lost; trying again…";
const DRAW_EVERY_MS = 31; // thirty drawings a second are enough for the eye and leave the machine to the sound
const query = new URLSearchParams(location.search);
if (query.has("token")) history.replaceState(null, "", location.pathname); // the cookie holds it now

const store = new Store();
const meters = new Meters();
const scope = new Scope(store);
const live = new LiveInput();
const gathering = new Gathering(store);
const pad = new Pad(store);
const map = new TimbreMap(store);
const surface = new Surface(store, pad, map);
const six = new SixKnobs(store);
const display = new Display(store);
const listener = new Listener((report) => (meters.listening = { ...report, active: listener.active }));
const pages = new Pages({
  source: () => new SourcePage(store, live),
  mod: () => new ModPage(store),
  voice: () => new VoicePage(store),
  presets: () => new PresetsPage(store),
  make: () => new MakePage(store, gathering),
  setup: () => new SetupPage(store, () => meters.listening),
});
const brief = new SourceBrief(store, live);
const strip = new Strip(store, () => pages.show("presets"));
const tape = new Tape(store);
let level = null;
let started = false;
let stateStale = true;
let told = false; // whether telemetry came since the last drawing
let drawnAt = 0;

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
store.outgoing.transmit = (message) => socket.send(JSON.stringify(message));

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

function begin() {
  started = true;
  $("veil").classList.add("gone");
  wake();
}

function start() {
  begin();
  store.latch(true);
}

// Whether the prior sounds though no hand does anything: then Stop stops it.
const alone = () => Boolean(store.telemetry && store.telemetry.alone);

function toggle() {
  if (store.state.latched || store.state.gate || alone()) store.latch(false);
  else start();
}

function panic() {
  store.send({ type: "panic" });
}

const keyboard = new Keyboard(store, { start, panic, wake, started: () => started });
listenForDrops(store, gathering);

$("veil").addEventListener("click", start); // the big button lies in it
$("play").addEventListener("click", toggle);
$("panic").addEventListener("click", panic);
$("listen").addEventListener("click", async () => {
  asked = !asked;
  if (asked) await wake();
  else await listener.stop();
  $("listen").setAttribute("aria-pressed", asked);
});
$("instrument").addEventListener("change", (event) => store.send({ type: "instrument", name: event.target.value }));
const gate = $("gate");
gate.addEventListener("pointerdown", (event) => {
  gate.setPointerCapture(event.pointerId);
  begin();
  keyboard.gate(true);
});
for (const end of ["pointerup", "pointercancel"]) gate.addEventListener(end, () => keyboard.gate(false));
gate.addEventListener("contextmenu", (event) => event.preventDefault());

// What was used with the mouse does not keep the keys: letters play notes again, space is the gate.
document.addEventListener("click", (event) => {
  const used = event.target.closest("button");
  if (used && event.detail) used.blur();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("select")) event.target.blur();
});

store.on("hello", () => {
  const { instrument } = store;
  closeMenu();
  document.title = `${instrument.title || instrument.name} · Neurorack`;
  const select = $("instrument");
  select.replaceChildren(...store.instruments.map((row) => make("option", { value: row.name, text: row.title || row.name })));
  select.value = instrument.name;
  select.disabled = false;
  select.title = `${instrument.description} ${instrument.licence}`.trim();
  const decibel = (value) => (value <= -60 ? "silent" : `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(1)} dB`);
  level = new Slider(store, "level_db", "Level", decibel);
  $("level").replaceChildren(level.node);
  six.configure();
  pad.configure();
  map.configure();
  scope.configure();
  pages.configure();
  $("keys").setAttribute("aria-label", instrument.pitched ? "Keyboard" : "Keyboard: every key another tone");
  if (listener.active) listener.start(instrument.sample_rate);
});

store.on("state", () => (stateStale = true));
store.on("library", () => (stateStale = true));
store.on("display", () => (told = true));
store.on("notice", ({ text, level: how }) => toast(text, how));
store.on("telemetry", () => {
  const now = performance.now();
  told = true;
  meters.take(store.telemetry, now);
  scope.take(store.telemetry, now);
  $("listen").hidden = pageSounds() || !backend();
  if (!store.instrument) return; // telemetry may come before the first greeting
  if (pageSounds()) listener.prepare(store.instrument.sample_rate);
  else if (backend() && !asked && listener.active) listener.stop();
});

function drawState(now) {
  const { state } = store;
  mark($("face"), "data-source", state.source);
  level.draw();
  keyboard.draw();
  strip.draw();
  mark(gate, "aria-pressed", state.gate && !state.latched);
  if (state.gate && !pageSounds() && store.telemetry) {
    started = true; // somebody plays already, and not through this page
    $("veil").classList.add("gone");
  }
  tape.draw(now);
}

function draw(now) {
  requestAnimationFrame(draw);
  if (!store.state || !(stateStale || told || gathering.recorder.active) || now - drawnAt < DRAW_EVERY_MS) return;
  drawnAt = now;
  if (stateStale) drawState(now);
  else tape.draw(now);
  stateStale = told = false;
  mark($("play"), "aria-pressed", store.state.latched || alone());
  write($("play-label"), store.state.latched || alone() ? "Stop" : "Play");
  six.draw();
  surface.draw(now);
  pages.draw(now);
  if (pages.shown === "play") brief.draw();
  scope.draw(now);
  meters.draw();
  display.draw();
  drawMenu();
}
requestAnimationFrame(draw);

// For tests: the very samples that this page's player hands to the sound output. Needs ?tap in the address.
if (query.has("tap")) {
  window.neurorackTest = {
    capture: (seconds) => listener.capture(seconds),
    report: () => meters.listening,
    telemetry: () => store.telemetry,
    asked: (name) => store.telemetry.asked[store.index(name)],
    state: () => store.state,
    library: () => store.library,
    instrument: () => store.instrument,
  };
}
