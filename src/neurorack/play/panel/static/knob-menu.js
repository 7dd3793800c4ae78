// What lies behind a knob: its value in figures, where it comes from, what modulates it, MIDI learn.

import { button, fillSelect, make, mark, write } from "./dom.js";
import { parsePhysical, parseValue, physicalText, toControl, toPhysical, valueText } from "./format.js";
import { openMenu } from "./menu.js";
import { RouteLine } from "./route-line.js";
import { sourceRows } from "./mod-names.js";

const ORIGINS = [["source", "The source"], ["other", "Other sound"], ["live", "Live input"], ["prior", "Prior"]];

export function controlMenu(store, control, anchor) {
  const { name } = control;
  const field = valueField(physicalText(toPhysical(control.knots, store.asked(name)), control.unit, name), (text) => {
    const value = parsePhysical(control, text);
    if (value !== null) store.setControl(name, toControl(control.knots, value));
    return value !== null;
  });
  const follow = button("Follow the source", () => store.releaseControl(name));
  const origins = ORIGINS.map(([value, text]) => {
    const node = make("button", { type: "button", role: "radio", text, "data-origin": value });
    node.addEventListener("click", () => {
      store.setPart("origin", name, value);
      if (store.held(name)) store.releaseControl(name);
    });
    return node;
  });
  const offset = bipolar("Offset", -1, 1, (v) => `${v > 0 ? "+" : ""}${Math.round(100 * v)} %`, 0, (v) => store.setPart("offset", name, v));
  const scale = bipolar("Scale", -2, 2, (v) => `${v.toFixed(2).replace("-", "−")} ×`, 1, (v) => store.setPart("scale", name, v));
  const shared = sharedParts(store, name);
  const draw = () => {
    follow.disabled = !store.held(name);
    for (const node of origins) {
      if (node.dataset.origin === "prior") node.disabled = !store.instrument.prior;
      mark(node, "aria-checked", (store.state.origin[name] || "source") === node.dataset.origin);
    }
    offset.draw(store.state.offset[name] ?? 0);
    scale.draw(store.state.scale[name] ?? 1);
    shared.draw();
  };
  const parts = [
    make("div", { class: "row" }, field, follow),
    make("h3", { text: "When no hand holds it, it comes from" }),
    make("div", { class: "segments", role: "radiogroup", "aria-label": "Comes from" }, ...origins),
    scale.node,
    offset.node,
    ...shared.nodes,
  ];
  draw();
  openMenu(anchor, control.label, parts, { onDraw: draw });
}

export function paramMenu(store, spec, anchor) {
  const { name } = spec;
  const field = valueField(valueText(spec, store.number(name)), (text) => {
    const value = parseValue(spec, text);
    if (value !== null) store.setNumber(name, value);
    return value !== null;
  });
  const back = button(`Back to ${valueText(spec, spec.default)}`, () => store.setNumber(name, spec.default));
  const shared = sharedParts(store, name);
  const parts = [make("p", { class: "about", text: spec.about }), make("div", { class: "row" }, field, back), ...shared.nodes];
  shared.draw();
  openMenu(anchor, store.label(name), parts, { onDraw: shared.draw });
}

// A text field; `take(text)` says whether it understood.
function valueField(text, take) {
  const field = make("input", { type: "text", class: "field", value: text, "aria-label": "Value", autocomplete: "off", spellcheck: "false" });
  const commit = () => field.classList.toggle("wrong", !take(field.value));
  field.addEventListener("focus", () => field.select());
  field.addEventListener("change", commit);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") commit();
  });
  return field;
}

// A slider with a middle; double click: back to `home`.
function bipolar(label, low, high, format, home, take) {
  const input = make("input", { type: "range", min: low, max: high, step: 0.01, "aria-label": label });
  const output = make("output");
  input.addEventListener("input", () => take(Number(input.value)));
  input.addEventListener("dblclick", () => take(home));
  return {
    node: make("div", { class: "slider" }, make("label", { text: label }), output, input),
    draw(value) {
      if (document.activeElement !== input || Math.abs(input.value - value) > 0.02) input.value = value;
      input.style.setProperty("--at", `${(100 * (value - low)) / (high - low)}%`);
      write(output, format(value));
    },
  };
}

// Modulation and MIDI learn, which every knob has.
function sharedParts(store, target) {
  const lines = make("div", { class: "mini-routes" });
  let shown = "";
  let rows = [];
  const add = make("select", { class: "pick", "aria-label": "Modulate by" });
  fillSelect(add, [["", "Modulate by …"], ...sourceRows(store)], "");
  add.addEventListener("change", () => {
    if (!add.value) return;
    const free = store.route({ source: add.value, target, amount: 0.25 });
    if (!free) store.emit("notice", { level: "warn", text: "All sixteen modulation routes are in use: free one on the Modulation page." });
    add.value = "";
  });
  const learn = button("MIDI learn", () => store.send({ type: "learn", target: store.state.learn === target ? "" : target }), { "data-learn": target });
  const forget = button("Forget", () => store.send({ type: "unlearn", target }));
  const note = make("span", { class: "note" });
  const draw = () => {
    const routes = store.routesTo(target);
    const key = routes.map((route) => route.slot).join();
    if (key !== shown) {
      shown = key;
      rows = routes.map((route) => new RouteLine(store, route.slot, { small: true }));
      lines.replaceChildren(...rows.map((row) => row.node));
    }
    for (const row of rows) row.draw();
    const learning = store.state.learn === target;
    const learned = store.state.learned[target];
    mark(learn, "aria-pressed", learning);
    write(learn, learning ? "Move a controller …" : "MIDI learn");
    forget.hidden = !learned;
    write(note, learned ? `Moved by ${learned}` : "");
  };
  return { nodes: [make("h3", { text: "Modulation" }), lines, add, make("div", { class: "row" }, learn, forget, note)], draw };
}
