// A knob for one descriptor: what is asked (orange), what is heard (teal), what the corpus can reach (grey), what
// the prior proposes (blue).

import { Dial } from "./dial.js";
import { make, mark, write } from "./dom.js";
import { physicalText, toPhysical } from "./format.js";
import { controlMenu } from "./knob-menu.js";
import { turnable } from "./turning.js";

const travelOf = (value) => Math.max(0, Math.min(1, (value + 1) / 2));

export class Knob {
  constructor(store, control) {
    this.store = store;
    this.control = control;
    const { name, label } = control;
    this.dial = new Dial();
    this.ask = make("span", { class: "ask" });
    this.hear = make("span", { class: "hear" });
    this.node = make(
      "div",
      {
        class: "knob",
        role: "slider",
        tabindex: "0",
        "aria-label": label,
        "aria-valuemin": "-100",
        "aria-valuemax": "100",
        "aria-haspopup": "dialog",
        "data-control": name,
        title: "Drag, scroll, or arrow keys; shift for fine. Double click: follow the source. Right click: more. Blue: what the prior would play",
      },
      this.dial,
      make("span", { class: "name", text: label }),
      this.ask,
      this.hear,
    );
    turnable(this.node, {
      get: () => travelOf(store.asked(name)),
      set: (travel) => store.setControl(name, 2 * travel - 1),
      reset: () => store.releaseControl(name),
      menu: () => controlMenu(store, control, this.node),
    });
  }

  draw() {
    const { store, control, dial } = this;
    const { name } = control;
    const i = store.index(name);
    const told = store.telemetry;
    const asked = store.asked(name);
    const held = store.held(name);
    const travel = travelOf(asked);
    this.node.classList.toggle("follows", !held);
    this.node.classList.toggle("learning", store.state.learn === name);
    dial.setAsked(travel, 0.5);
    const physical = held || !told ? toPhysical(control.knots, asked) : told.asked_physical[i];
    const text = physicalText(physical, control.unit, name);
    write(this.ask, text);
    mark(this.node, "aria-valuenow", Math.round(asked * 100));
    mark(this.node, "aria-valuetext", `${text}${held ? "" : Number.isFinite(told?.proposed?.[i]) ? ", the prior plays it" : ", follows the source"}`);
    if (!told) return;
    if (told.reachable_low[i] !== undefined) dial.setReach(travelOf(told.reachable_low[i]), travelOf(told.reachable_high[i]));
    const moved = store.routesTo(name).length && told.asked[i] !== undefined;
    dial.setGhost(moved ? travelOf(told.asked[i]) : null);
    const wish = told.proposed[i];
    dial.setWish(Number.isFinite(wish) ? travelOf(wish) : null);
    this.node.classList.toggle("proposed", Number.isFinite(wish));
    const heard = told.sounding && told.measuring && Number.isFinite(told.measured[i]);
    dial.setHeard(heard ? travelOf(told.measured[i]) : null);
    write(this.hear, heard ? physicalText(told.measured_physical[i], control.unit, name) : "·");
  }
}
