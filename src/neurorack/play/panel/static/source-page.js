// The source page: what the chosen source offers, and beside it the second tone (morph) and the other sound.

import { button, fillSelect, make, write } from "./dom.js";
import { ClipPage } from "./clip-page.js";
import { ParamKnob } from "./param-knob.js";
import { ParamSwitch } from "./param-switch.js";
import { PriorPage } from "./prior-page.js";
import { SourceChooser } from "./sources.js";
import { ToneStepper, ToneStrip } from "./tones.js";

const knobs = (store, ...names) => names.map((name) => new ParamKnob(store, name));
const knobRow = (parts, ...more) => make("div", { class: "row knob-row" }, ...parts, ...more);

class HoldPage {
  constructor(store, names) {
    this.store = store;
    const tone = { get: () => store.state.anchor, set: (index) => this.choose(index), label: "Tone" };
    this.strip = new ToneStrip(store, tone);
    this.stepper = new ToneStepper(store, tone);
    this.knobs = knobs(store, ...names);
    const more = names.includes("wander_rate_hz") ? [button("Another path", () => store.send({ type: "reseed" }))] : [];
    this.node = make("div", { class: "source-body" }, this.strip, this.stepper, knobRow(this.knobs, ...more));
  }

  choose(index) {
    this.store.state.anchor = index;
    this.store.send({ type: "anchor", index });
    this.store.emit("state");
  }

  draw() {
    const told = this.store.telemetry;
    this.strip.draw(told && told.sounding ? Math.round(told.position) : -1);
    this.stepper.draw();
    for (const knob of this.knobs) knob.draw();
  }
}

class LivePage {
  constructor(store, live) {
    this.store = store;
    this.live = live;
    this.line = make("p");
    this.mic = button("Use this page's microphone", () => (live.active ? live.stop() : live.ask(store)));
    this.level = make("i");
    this.knobs = knobs(store, "input_gain_db", "feedback", "feedback_delay_s");
    this.node = make("div", { class: "source-body" }, make("div", { class: "row" }, this.mic, make("div", { class: "input-level", "aria-hidden": "true" }, this.level)), this.line, knobRow(this.knobs));
  }

  draw() {
    const { store, live } = this;
    for (const knob of this.knobs) knob.draw();
    write(this.mic, live.active ? "Switch the microphone off" : "Use this page's microphone");
    const told = store.telemetry;
    const db = told ? told.input_level_db : -120;
    this.level.style.width = `${Math.max(0, Math.min(100, ((db + 60) / 60) * 100))}%`;
    const level = db > -100 ? `${db.toFixed(0).replace("-", "−")} dB` : "silence";
    write(this.line, live.active
      ? `Your microphone plays the instrument: ${level}. Headphones keep it from hearing itself.`
      : `The input gives ${level}. Feedback plays the instrument with its own sound.`);
  }
}

class MapPage {
  constructor(store) {
    this.store = store;
    this.motion = new ParamSwitch(store, "map_motion");
    this.knobs = knobs(store, "map_x", "map_y", "map_radius", "map_rate_hz");
    this.draft = button("Draw a path", () => store.emit("draw-path"), { "data-draw": "path" });
    this.clear = button("Clear the path", () => store.send({ type: "path", points: [] }));
    this.node = make(
      "div",
      { class: "source-body" },
      make("p", { text: "Drag on the map to play a place: the tones around it blend. Near ones sound alike." }),
      knobRow([this.motion]),
      knobRow(this.knobs),
      make("div", { class: "row" }, this.draft, this.clear),
    );
  }

  draw() {
    this.motion.draw();
    for (const knob of this.knobs) knob.draw();
    this.clear.hidden = !this.store.state.path.length;
  }
}

// What morph goes to, a tone or a clip; and the sound that descriptors may come from.
class Aside {
  constructor(store) {
    this.store = store;
    this.kind = make("select", { class: "pick", "aria-label": "Second tone" });
    this.kind.addEventListener("change", () => {
      store.send(this.kind.value === "" ? { type: "morph_to", anchor: store.state.morph_to.anchor || 0 } : { type: "morph_to", id: this.kind.value });
    });
    const tone = {
      get: () => store.state.morph_to.anchor || 0,
      set: (anchor) => {
        store.state.morph_to = { anchor, id: "" };
        store.send({ type: "morph_to", anchor });
        store.emit("state");
      },
      label: "Second tone",
    };
    this.strip = new ToneStrip(store, tone);
    this.stepper = new ToneStepper(store, tone);
    this.other = make("select", { class: "pick", "aria-label": "Other sound" });
    this.other.addEventListener("change", () => store.send({ type: "other", id: this.other.value }));
    this.speed = new ParamKnob(store, "other_speed");
    this.node = make(
      "aside",
      { class: "aside" },
      make("h2", { text: "Second tone, for morph" }), this.kind, this.strip, this.stepper,
      make("h2", { text: "Other sound, for descriptors" }),
      make("div", { class: "row other-row" }, this.other, this.speed),
    );
  }

  draw() {
    const { store } = this;
    const clips = store.library.clips.map((clip) => [clip.id, clip.title]);
    const to = store.state.morph_to;
    fillSelect(this.kind, [["", "A tone of the instrument"], ...(clips.length ? [{ title: "Clips", rows: clips }] : [])], to.id || "");
    this.strip.node.hidden = this.stepper.node.hidden = Boolean(to.id);
    this.strip.draw();
    this.stepper.draw();
    fillSelect(this.other, [["", clips.length ? "None chosen" : "No clips yet"], ...clips], store.state.other ?? "");
    this.speed.draw();
  }
}

export class SourcePage {
  constructor(store, live) {
    this.store = store;
    this.live = live;
    this.chooser = new SourceChooser(store, live);
    this.body = make("div", { class: "source-slot" });
    this.aside = new Aside(store);
    this.bodies = {};
    this.nodes = [make("div", { class: "source-main" }, this.chooser, this.body), this.aside.node];
  }

  make(source) {
    const { store } = this;
    if (source === "hold") return new HoldPage(store, ["life"]);
    if (source === "wander") return new HoldPage(store, ["wander_rate_hz", "wander_depth", "life"]);
    if (source === "clip") return new ClipPage(store);
    if (source === "live") return new LivePage(store, this.live);
    if (source === "prior") return new PriorPage(store, this.live);
    return new MapPage(store);
  }

  draw() {
    const { source } = this.store.state;
    this.chooser.draw();
    this.bodies[source] ||= this.make(source);
    if (this.shown !== source) {
      this.shown = source;
      this.body.replaceChildren(this.bodies[source].node);
    }
    this.bodies[source].draw();
    this.aside.draw();
  }
}
