// A switch for one of the parameters with choices: segments when they are few, a list when they are many.

import { fillSelect, make, mark } from "./dom.js";

const MOST_SEGMENTS = 5;
const MOST_LETTERS = 26; // of all segments together

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export class ParamSwitch {
  constructor(store, name, { label = "" } = {}) {
    this.store = store;
    this.name = name;
    this.spec = store.specs[name];
    const { choices, about } = this.spec;
    const text = label || this.spec.label;
    this.buttons = [];
    if (choices.length > MOST_SEGMENTS || choices.join("").length > MOST_LETTERS) {
      this.select = make("select", { class: "pick", "aria-label": text, "data-number": name });
      this.select.addEventListener("change", () => store.setNumber(name, Number(this.select.value)));
    } else {
      this.buttons = choices.map((choice, i) => this.segment(choice, i));
      this.bar = make("div", { class: "segments", role: "radiogroup", "aria-label": text, "data-number": name }, ...this.buttons);
    }
    this.node = make("div", { class: "switch", title: about }, make("span", { class: "name", text }), this.select || this.bar);
  }

  segment(choice, i) {
    const node = make("button", { type: "button", role: "radio", text: capital(choice), "data-choice": i });
    node.addEventListener("click", () => this.store.setNumber(this.name, i));
    node.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const next = (i + step + this.buttons.length) % this.buttons.length;
      this.store.setNumber(this.name, next);
      this.buttons[next].focus();
      event.preventDefault();
    });
    return node;
  }

  draw() {
    const value = Math.round(this.store.number(this.name));
    if (this.select) fillSelect(this.select, this.spec.choices.map((choice, i) => [String(i), capital(choice)]), String(value));
    this.buttons.forEach((node, i) => {
      mark(node, "aria-checked", i === value);
      node.tabIndex = i === value ? 0 : -1;
    });
  }
}
