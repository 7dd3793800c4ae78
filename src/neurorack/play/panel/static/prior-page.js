// The prior as a source: how boldly it plays, whether it keeps time, goes on from keys, and answers the input.

import { button, make, mark, write } from "./dom.js";
import { ParamKnob } from "./param-knob.js";
import { ParamSwitch } from "./param-switch.js";

const ANSWERS = {
  ready: "It listens: play or sing something, then wait.",
  listening: "It hears you …",
  waiting: "It waits for you to end …",
  answering: "It answers.",
};

// What it does now, in a sentence.
export function priorLine(store) {
  const { instrument, telemetry } = store;
  if (!instrument.prior) return `${instrument.title} does not play by itself yet; it wanders instead.`;
  const answer = telemetry && ANSWERS[telemetry.answer];
  if (answer) return answer;
  if (store.number("prior_answers")) return "It answers what it hears at the input; there is none yet.";
  const held = instrument.controls.filter((control) => store.held(control.name)).map((control) => control.label.toLowerCase());
  if (!held.length) return "It plays everything. Take any knob; double click gives it back.";
  return `You hold ${held.join(", ")}; it plays the rest.`;
}

export class PriorPage {
  constructor(store, live) {
    this.store = store;
    this.live = live;
    this.line = make("p", { class: "prior-line", "aria-live": "polite" });
    this.how = make("p", { class: "about", text: `neurorack prior ${store.instrument.name} CORPUS trains it to.` });
    this.surprise = new ParamKnob(store, "surprise");
    this.breath = new ParamKnob(store, "prior_breath_s");
    this.tempo = new ParamKnob(store, "tempo_bpm");
    this.time = new ParamSwitch(store, "prior_clock");
    this.goesOn = new ParamSwitch(store, "prior_goes_on");
    this.answers = new ParamSwitch(store, "prior_answers");
    this.mic = button("Use this page's microphone", () => (live.active ? live.stop() : live.ask(store)));
    this.parts = [this.surprise, this.breath, this.tempo, this.time, this.goesOn, this.answers];
    const again = button("Another way", () => store.send({ type: "reseed" }), { title: "Another seed: it goes on elsewhere from here" });
    this.node = make(
      "div",
      { class: "source-body" },
      this.line,
      this.how,
      make("div", { class: "row prior-row" }, this.surprise, this.breath, this.tempo, make("div", { class: "prior-switches" }, this.time, this.goesOn, this.answers)),
      make("div", { class: "row" }, again, this.mic),
    );
  }

  draw() {
    const { store, live } = this;
    for (const part of this.parts) part.draw();
    write(this.line, priorLine(store));
    this.how.hidden = store.instrument.prior;
    if (!store.instrument.prior) write(this.how, `neurorack prior ${store.instrument.name} CORPUS trains it to.`);
    this.node.classList.toggle("unable", !store.instrument.prior);
    this.tempo.node.classList.toggle("idle", !store.number("prior_clock"));
    this.mic.hidden = !store.number("prior_answers");
    mark(this.mic, "aria-pressed", live.active);
    write(this.mic, live.active ? "Switch the microphone off" : "Use this page's microphone");
  }
}
