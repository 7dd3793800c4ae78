// The voice page: how notes begin, go on and end, how they are tuned, and how alive the tone is.

import { fillSelect, make } from "./dom.js";
import { browseForSound } from "./drop.js";
import { ParamKnob } from "./param-knob.js";
import { ParamSwitch } from "./param-switch.js";

const EQUAL = ["", "Equal temperament"];

export class VoicePage {
  constructor(store) {
    this.store = store;
    const knobs = (...names) => names.map((name) => new ParamKnob(store, name));
    this.mode = new ParamSwitch(store, "voice_mode", { label: "Voices" });
    this.note = knobs("voices", "glide_s", "attack_s", "release_s");
    this.touch = knobs("velocity", "dynamics", "tune_cents");
    this.tone = knobs("life", "width");
    this.tuning = make("select", { class: "pick", id: "tuning", "aria-label": "Tuning" });
    this.tuning.addEventListener("change", () => {
      if (this.tuning.value === "+") {
        this.tuning.value = store.state.tuning;
        browseForSound(store);
      } else store.send({ type: "tuning", name: this.tuning.value });
    });
    const block = (title, ...parts) => make("div", { class: "block" }, make("h2", { text: title }), ...parts);
    const row = (parts) => make("div", { class: "row knob-row" }, ...parts);
    this.nodes = [
      block("Keys", this.mode, row(this.note)),
      block("Touch and tuning", make("div", { class: "switch" }, make("span", { class: "name", text: "Tuning" }), this.tuning), row(this.touch)),
      block("Life and width", make("p", { class: "about", text: "At no life, every trigger is identical. Width lets left and right differ a little." }), row(this.tone)),
    ];
  }

  draw() {
    const { store } = this;
    for (const part of [this.mode, ...this.note, ...this.touch, ...this.tone]) part.draw();
    const tunings = store.library.tunings.filter((name) => name).map((name) => [name, name]);
    fillSelect(this.tuning, [EQUAL, ...tunings, ["+", "Add a Scala file …"]], store.state.tuning || "");
  }
}
