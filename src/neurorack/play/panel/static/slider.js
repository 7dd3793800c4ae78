// A labelled slider for one of the engine's numbers; double click restores its default.

import { make } from "./dom.js";
import { fromTravel, toTravel } from "./format.js";

let count = 0;

export class Slider {
  // format(value) -> text; ends: words for the two ends, if the number alone says little.
  constructor(store, name, label, format, ends = null) {
    this.store = store;
    this.name = name;
    this.format = format;
    const id = `slider-${++count}`;
    this.input = make("input", { type: "range", id, min: 0, max: 1000, step: 1, "data-number": name });
    this.output = make("output", { for: id });
    this.node = make("div", { class: "slider" }, make("label", { for: id, text: label }), this.output, this.input);
    if (ends) this.node.append(make("div", { class: "ends" }, make("span", { text: ends[0] }), make("span", { text: ends[1] })));
    this.input.addEventListener("input", () => {
      store.setNumber(name, fromTravel(store.specs[name], this.input.value / 1000));
    });
    this.input.addEventListener("dblclick", () => store.setNumber(name, store.specs[name].default));
  }

  draw() {
    const spec = this.store.specs[this.name];
    const value = this.store.state.numbers[this.name];
    const travel = toTravel(spec, value);
    if (document.activeElement !== this.input || Math.abs(this.input.value / 1000 - travel) > 0.002) {
      this.input.value = Math.round(travel * 1000);
    }
    const text = this.format(value);
    this.input.style.setProperty("--at", `${travel * 100}%`);
    this.input.setAttribute("aria-valuetext", text);
    this.output.textContent = text;
  }
}
