// One route of the modulation matrix: source -> target, amount, curve, offset, slew; small: source and amount alone.

import { fillSelect, make, write } from "./dom.js";
import { sourceName, sourceRows, targetRows } from "./mod-names.js";

const CURVES = { linear: "Linear", square: "Square", root: "Root", s: "S", steps: "Steps" };

export class RouteLine {
  constructor(store, slot, { small = false } = {}) {
    this.store = store;
    this.slot = slot;
    this.small = small;
    this.amount = make("input", { type: "range", min: -1, max: 1, step: 0.01, "aria-label": "Amount" });
    this.amount.addEventListener("input", () => this.change({ amount: Number(this.amount.value) }));
    this.amount.addEventListener("dblclick", () => this.change({ amount: 0 }));
    this.figure = make("output");
    const remove = make("button", {
      type: "button", class: "close", text: "×", "aria-label": "Remove this route", onclick: () => store.unroute(slot),
    });
    const slider = make("div", { class: "slider amount" }, this.amount, this.figure);
    if (small) {
      this.title = make("span", { class: "name" });
      this.node = make("div", { class: "route-line small", "data-slot": slot }, this.title, slider, remove);
      return;
    }
    this.source = this.pick("source", "Source");
    this.target = this.pick("target", "Target");
    this.curve = this.pick("curve", "Curve");
    this.offset = this.figureField("offset", "Offset", -1, 1);
    this.slew = this.figureField("slew_s", "Slew, seconds", 0, 10);
    this.node = make(
      "div",
      { class: "route-line", role: "group", "aria-label": `Route ${slot + 1}`, "data-slot": slot },
      this.source, make("span", { class: "arrow", text: "→", "aria-hidden": "true" }), this.target, slider, this.curve,
      this.offset, this.slew, remove,
    );
  }

  get route() {
    return this.store.state.routes.find((route) => route.slot === this.slot);
  }

  change(part) {
    if (this.route) this.store.route({ ...this.route, ...part });
  }

  pick(key, label) {
    const node = make("select", { class: `pick ${key}`, "aria-label": label });
    node.addEventListener("change", () => this.change({ [key]: node.value }));
    return node;
  }

  figureField(key, label, low, high) {
    const node = make("input", { type: "number", class: `field ${key}`, min: low, max: high, step: 0.05, "aria-label": label, title: label });
    node.addEventListener("change", () => this.change({ [key]: Math.max(low, Math.min(high, Number(node.value) || 0)) }));
    return node;
  }

  draw() {
    const { route } = this;
    if (!route) return;
    if (document.activeElement !== this.amount || Math.abs(this.amount.value - route.amount) > 0.02) this.amount.value = route.amount;
    const place = 50 + 50 * route.amount;
    this.amount.style.setProperty("--from", `${Math.min(50, place)}%`);
    this.amount.style.setProperty("--to", `${Math.max(50, place)}%`);
    const percent = Math.round(100 * route.amount);
    write(this.figure, `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${Math.abs(percent)} %`);
    if (this.small) {
      write(this.title, sourceName(route.source));
      return;
    }
    fillSelect(this.source, sourceRows(this.store), route.source);
    fillSelect(this.target, targetRows(this.store), route.target);
    fillSelect(this.curve, this.store.routeCurves.map((curve) => [curve, CURVES[curve] || curve]), route.curve);
    for (const [node, value] of [[this.offset, route.offset], [this.slew, route.slew_s]]) {
      if (document.activeElement !== node && (node.value === "" || Number(node.value) !== value)) node.value = Number(value.toFixed(3));
    }
  }
}
