// The modulation page: sources that move, each with a tiny scope and its knobs, and the routes that use them.

import { patchable } from "./cable.js";
import { button, fitCanvas, colours, make, mark, write } from "./dom.js";
import { sourceName } from "./mod-names.js";
import { ParamKnob } from "./param-knob.js";
import { ParamSwitch } from "./param-switch.js";
import { RouteLine } from "./route-line.js";

const HISTORY = 72; // telemetry comes thirty times a second: 2.4 s
const BIPOLAR = /^(lfo|rand|cv|note)/;
const BY_HAND = ["wheel", "pedal", "x", "y"];
const MOST_ROUTES = 16;

class SourceCell {
  constructor(store, name, choose) {
    this.store = store;
    this.name = name;
    this.place = store.modSources.indexOf(name);
    this.history = [];
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.node = make(
      "button",
      {
        type: "button", class: "mod-cell", role: "radio", "data-mod": name, onclick: () => choose(name),
        title: "Click for its knobs; drag onto any knob to modulate that",
      },
      make("span", { text: sourceName(name) }),
      this.canvas,
      make("i", { class: "jack", "aria-hidden": "true" }),
    );
    patchable(this.node, store, name);
  }

  take(told) {
    const value = told.modulation ? told.modulation[this.place] : 0;
    this.history.push(Number.isFinite(value) ? value : 0);
    if (this.history.length > HISTORY) this.history.shift();
  }

  draw(chosen) {
    mark(this.node, "aria-checked", chosen);
    this.node.classList.toggle("used", this.store.state.routes.some((route) => route.source === this.name));
    const { context, width, height } = fitCanvas(this.canvas);
    context.clearRect(0, 0, width, height);
    const bipolar = BIPOLAR.test(this.name);
    const y = (value) => (bipolar ? 0.5 - 0.5 * value : 1 - value) * (height - 4) + 2;
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(0, y(0));
    context.lineTo(width, y(0));
    context.stroke();
    context.strokeStyle = colours.mod;
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    context.beginPath();
    this.history.forEach((value, i) => context.lineTo(width - ((this.history.length - 1 - i) * width) / (HISTORY - 1), y(value)));
    context.stroke();
  }
}

// The clock among the sources: it modulates nothing itself, but LFOs, random and the gate can follow it.
class ClockCell {
  constructor(store, choose) {
    this.store = store;
    this.name = "clock";
    this.beat = make("i", { class: "beat", "aria-hidden": "true" });
    this.tempo = make("small");
    this.node = make(
      "button",
      { type: "button", class: "mod-cell", role: "radio", "data-mod": "clock", onclick: () => choose("clock") },
      make("span", { text: "Clock" }),
      make("div", { class: "row" }, this.beat, this.tempo),
    );
  }

  take(told) {
    this.beat.classList.toggle("on", this.store.state.transport && told.beat % 1 < 0.2);
    write(this.tempo, String(Math.round(told.tempo_bpm || this.store.number("tempo_bpm"))));
  }

  draw(chosen) {
    mark(this.node, "aria-checked", chosen);
  }
}

// Knobs and switches of one group of parameters, in their order.
function groupParts(store, group) {
  return store.params
    .filter((spec) => spec.group === group)
    .map((spec) => (spec.choices.length ? new ParamSwitch(store, spec.name) : new ParamKnob(store, spec.name)));
}

export class ModPage {
  constructor(store) {
    this.store = store;
    this.chosen = "lfo1";
    const choose = (name) => this.choose(name);
    this.cells = store.modSources.filter((name) => name !== "none").map((name) => new SourceCell(store, name, choose));
    this.cells.push(new ClockCell(store, choose));
    this.detail = make("div", { class: "row knob-row mod-detail" });
    this.rows = make("div", { class: "routes" });
    this.transport = button("Start the clock", () => store.send({ type: "transport", on: !store.state.transport }), { "aria-pressed": "false" });
    this.tap = button("Tap the tempo", () => store.send({ type: "tap" }));
    this.add = button("Add a route", () => this.addRoute());
    this.nodes = [
      make("div", { class: "mod-cells", role: "radiogroup", "aria-label": "Modulation sources" }, ...this.cells),
      this.detail,
      make("div", { class: "routes-head" }, make("h2", { text: "Routes" }), this.add),
      make("div", { class: "routes-titles", "aria-hidden": "true" }, make("span"), make("span", { text: "Offset" }), make("span", { text: "Slew, s" })),
      this.rows,
    ];
    this.choose("lfo1");
  }

  choose(name) {
    this.chosen = name;
    this.parts = groupParts(this.store, name);
    const about = [];
    if (name === "clock") about.push(make("div", { class: "clock-buttons" }, this.transport, this.tap));
    else if (BY_HAND.includes(name)) {
      const input = make("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0, "aria-label": sourceName(name) });
      input.addEventListener("input", () => {
        input.style.setProperty("--at", `${100 * input.value}%`);
        this.store.outgoing.latest(`external ${name}`, { type: "external", name, value: Number(input.value) });
      });
      input.style.setProperty("--at", "0%");
      about.push(make("div", { class: "slider by-hand" }, make("label", { text: `${sourceName(name)}, by hand` }), input));
    } else if (!this.parts.length) {
      about.push(make("p", { class: "about", text: ABOUT[name] || "Comes from outside." }));
    }
    this.detail.replaceChildren(make("h3", { text: sourceName(name) }), ...this.parts.map((part) => part.node), ...about);
  }

  addRoute() {
    const { store } = this;
    const source = this.chosen === "clock" ? "lfo1" : this.chosen;
    if (!store.route({ source, target: store.instrument.controls[0].name, amount: 0.25 })) {
      store.emit("notice", { level: "warn", text: "All sixteen routes are in use: remove one first." });
    }
  }

  draw() {
    const { store } = this;
    if (store.telemetry && store.telemetry !== this.taken) {
      this.taken = store.telemetry;
      for (const cell of this.cells) cell.take(this.taken);
    }
    for (const cell of this.cells) cell.draw(cell.name === this.chosen);
    for (const part of this.parts) part.draw();
    mark(this.transport, "aria-pressed", store.state.transport);
    write(this.transport, store.state.transport ? "Stop the clock" : "Start the clock");
    const key = store.state.routes.map((route) => route.slot).join();
    if (key !== this.shown) {
      this.shown = key;
      this.lines = store.state.routes.map((route) => new RouteLine(store, route.slot));
      const none = make("p", { class: "about", text: "Nothing is modulated yet: drag a source from above onto any knob." });
      this.rows.replaceChildren(...(this.lines.length ? this.lines.map((line) => line.node) : [none]));
    }
    for (const line of this.lines) line.draw();
    this.add.disabled = store.state.routes.length >= MOST_ROUTES;
  }
}

const ABOUT = {
  velocity: "How hard the newest note was played, 0 to 1.",
  note: "How high the newest note is: octaves above C4, a fifth of the travel each.",
  pressure: "Aftertouch of the newest note, 0 to 1.",
  timbre: "The third axis of MPE controllers (CC 74), 0 to 1.",
  cv1: "Control voltage 1.", cv2: "Control voltage 2.", cv3: "Control voltage 3.", cv4: "Control voltage 4.",
};
