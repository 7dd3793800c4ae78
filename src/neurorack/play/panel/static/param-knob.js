// A knob for one of the parameters, built from its description; a violet dot shows where modulation has moved it.

import { Dial } from "./dial.js";
import { make, mark, write } from "./dom.js";
import { fromTravel, toTravel, valueText } from "./format.js";
import { paramMenu } from "./knob-menu.js";
import { turnable } from "./turning.js";

export class ParamKnob {
  // big: one of the six under the hand.
  constructor(store, name, { big = false, label = "" } = {}) {
    this.store = store;
    this.name = name;
    const spec = store.specs[name];
    this.spec = spec;
    this.zero = spec.low < 0 && spec.high > 0 ? toTravel(spec, 0) : 0;
    this.dial = new Dial();
    this.ask = make("span", { class: "ask" });
    this.node = make(
      "div",
      {
        class: big ? "knob" : "knob small",
        role: "slider",
        tabindex: "0",
        "aria-label": label || store.label(name),
        "aria-valuemin": String(spec.low),
        "aria-valuemax": String(spec.high),
        "aria-haspopup": "dialog",
        "data-number": name,
        title: spec.about,
      },
      this.dial,
      make("span", { class: "name", text: label || spec.label }),
      this.ask,
    );
    turnable(this.node, {
      get: () => toTravel(spec, store.number(name)),
      set: (travel) => store.setNumber(name, fromTravel(spec, travel)),
      reset: () => store.setNumber(name, spec.default),
      menu: () => paramMenu(store, spec, this.node),
      step: () => (spec.whole ? 1 / (spec.high - spec.low) : 0.015),
    });
  }

  draw() {
    const { store, name, spec } = this;
    const value = store.number(name);
    const text = valueText(spec, value);
    this.dial.setAsked(toTravel(spec, value), this.zero);
    this.dial.setGhost(store.routesTo(name).length ? store.travel(name) : null);
    this.node.classList.toggle("learning", store.state.learn === name);
    write(this.ask, text);
    mark(this.node, "aria-valuenow", Number(value.toPrecision(4)));
    mark(this.node, "aria-valuetext", text);
  }
}
