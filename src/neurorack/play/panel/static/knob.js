// A knob for one descriptor: what is asked (orange), what is heard (teal), what the corpus can reach (grey).

import { make, makeSvg } from "./dom.js";
import { physicalText, toPhysical } from "./format.js";

const START = -135;
const SWEEP = 270;
const CENTRE = 50;

function point(radius, travel) {
  const angle = ((START + SWEEP * travel - 90) * Math.PI) / 180;
  return [CENTRE + radius * Math.cos(angle), CENTRE + radius * Math.sin(angle)];
}

function arc(radius, from, to) {
  const [low, high] = from < to ? [from, to] : [to, from];
  const [x0, y0] = point(radius, low);
  const [x1, y1] = point(radius, Math.max(high, low + 1e-4));
  const large = (high - low) * SWEEP > 180 ? 1 : 0;
  return `M${x0.toFixed(2)} ${y0.toFixed(2)}A${radius} ${radius} 0 ${large} 1 ${x1.toFixed(2)} ${y1.toFixed(2)}`;
}

const travelOf = (value) => Math.max(0, Math.min(1, (value + 1) / 2));

export class Knob {
  constructor(store, control) {
    this.store = store;
    this.control = control;
    this.build();
    this.listen();
  }

  build() {
    const svg = makeSvg("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" });
    const part = (tag, attributes) => svg.appendChild(makeSvg(tag, attributes));
    part("path", { class: "track", d: arc(44, 0, 1) });
    this.reach = part("path", { class: "reach" });
    this.arc = part("path", { class: "arc" });
    this.ring = part("path", { class: "ring" });
    this.ear = part("circle", { class: "ear", r: 4.2 });
    part("circle", { class: "cap", cx: 50, cy: 50, r: 27 });
    part("circle", { class: "cap-2", cx: 50, cy: 50, r: 21 });
    this.hand = part("line", { class: "hand", x1: 50, y1: 37, x2: 50, y2: 27 });
    this.ask = make("span", { class: "ask" });
    this.hear = make("span", { class: "hear" });
    this.node = make(
      "div",
      {
        class: "knob",
        role: "slider",
        tabindex: "0",
        "aria-label": this.control.label,
        "aria-valuemin": "-100",
        "aria-valuemax": "100",
        "data-control": this.control.name,
        title: "Drag, scroll, or arrow keys; shift for fine; double click follows the source",
      },
      svg,
      make("span", { class: "name", text: this.control.label }),
      this.ask,
      this.hear,
    );
  }

  listen() {
    const { node, store } = this;
    const name = this.control.name;
    let last = null;
    node.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      node.setPointerCapture(event.pointerId);
      last = { x: event.clientX, y: event.clientY, value: store.asked(name) };
      node.classList.add("turning");
    });
    node.addEventListener("pointermove", (event) => {
      if (!last) return;
      const moved = last.y - event.clientY + 0.5 * (event.clientX - last.x);
      if (moved === 0) return;
      last.value += (moved / (event.shiftKey ? 900 : 180)) * 2;
      last.value = Math.max(-1, Math.min(1, last.value));
      last.x = event.clientX;
      last.y = event.clientY;
      store.setControl(name, last.value);
    });
    const end = () => {
      last = null;
      node.classList.remove("turning");
    };
    node.addEventListener("pointerup", end);
    node.addEventListener("pointercancel", end);
    node.addEventListener("dblclick", () => store.releaseControl(name));
    node.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const notches = Math.max(-3, Math.min(3, -event.deltaY / 100));
        store.setControl(name, store.asked(name) + notches * (event.shiftKey ? 0.01 : 0.06));
      },
      { passive: false },
    );
    node.addEventListener("keydown", (event) => {
      const fine = event.shiftKey ? 0.005 : 0.03;
      const steps = { ArrowUp: fine, ArrowRight: fine, ArrowDown: -fine, ArrowLeft: -fine, PageUp: 0.2, PageDown: -0.2 };
      if (event.key in steps) store.setControl(name, store.asked(name) + steps[event.key]);
      else if (event.key === "Home") store.setControl(name, -1);
      else if (event.key === "End") store.setControl(name, 1);
      else if (event.key === "Delete" || event.key === "Backspace") store.releaseControl(name);
      else return;
      event.preventDefault();
    });
  }

  draw() {
    const { store, control } = this;
    const i = store.index(control.name);
    const told = store.telemetry;
    const asked = store.asked(control.name);
    const held = store.held(control.name);
    const travel = travelOf(asked);
    this.node.classList.toggle("follows", !held);
    this.arc.setAttribute("d", arc(44, 0.5, travel));
    this.hand.setAttribute("transform", `rotate(${START + SWEEP * travel} 50 50)`);
    const physical = held || !told ? toPhysical(control.knots, asked) : told.asked_physical[i];
    const text = physicalText(physical, control.unit, control.name);
    this.ask.textContent = text;
    const values = { "aria-valuenow": Math.round(asked * 100), "aria-valuetext": `${text}${held ? "" : ", follows the source"}` };
    for (const [key, value] of Object.entries(values)) this.node.setAttribute(key, value);
    if (!told) return;
    if (told.reachable_low[i] !== undefined) {
      this.reach.setAttribute("d", arc(44, travelOf(told.reachable_low[i]), travelOf(told.reachable_high[i])));
    }
    const heard = told.sounding && told.measuring && told.measured[i] !== null;
    this.ear.style.display = this.ring.style.display = heard ? "" : "none";
    this.hear.textContent = heard ? physicalText(told.measured_physical[i], control.unit, control.name) : "·";
    if (heard) {
      const ear = travelOf(told.measured[i]);
      const [x, y] = point(35.5, ear);
      this.ear.setAttribute("cx", x);
      this.ear.setAttribute("cy", y);
      this.ring.setAttribute("d", arc(35.5, travel, ear));
    }
  }
}
