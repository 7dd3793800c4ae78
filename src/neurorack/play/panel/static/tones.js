// The tones of an instrument as a strip: one bar for each, tall as it is loud, coloured as it is bright.

import { make, makeSvg, mark, write } from "./dom.js";

// Dark red to glowing cream, the same on pad, map and strip.
export function toneColour(brightness) {
  const stops = [[96, 44, 30], [226, 122, 68], [255, 226, 184]];
  const place = Math.max(0, Math.min(1, brightness)) * 2;
  const i = Math.min(1, Math.floor(place));
  const mix = stops[i].map((from, k) => Math.round(from + (place - i) * (stops[i + 1][k] - from)));
  return `rgb(${mix.join(" ")})`;
}

export class ToneStrip {
  // get() -> index of the chosen tone; set(index).
  constructor(store, { get, set, label }) {
    this.store = store;
    this.get = get;
    this.set = set;
    this.node = make("div", {
      class: "tone-strip", role: "slider", tabindex: "0", "aria-label": label, "aria-valuemin": "1",
      title: "Every tone of the instrument: click, drag, or arrow keys",
    });
    this.svg = makeSvg("svg", { preserveAspectRatio: "none", "aria-hidden": "true" });
    this.node.append(this.svg);
    this.listen();
  }

  get count() {
    return this.store.instrument.anchors;
  }

  listen() {
    const { node } = this;
    let held = false;
    const at = (event) => {
      const box = node.getBoundingClientRect();
      const index = Math.floor(((event.clientX - box.left) / box.width) * this.count);
      this.set(Math.max(0, Math.min(this.count - 1, index)));
    };
    node.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      held = true;
      node.setPointerCapture(event.pointerId);
      at(event);
    });
    node.addEventListener("pointermove", (event) => held && at(event));
    for (const end of ["pointerup", "pointercancel"]) node.addEventListener(end, () => (held = false));
    node.addEventListener("keydown", (event) => {
      const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
      if (!(event.key in steps)) return;
      this.set((this.get() + steps[event.key] + this.count) % this.count);
      event.preventDefault();
    });
  }

  build() {
    this.built = this.store.instrument;
    const points = (this.built.map && this.built.map.points) || [];
    this.svg.replaceChildren();
    this.svg.setAttribute("viewBox", `0 0 ${this.count} 20`);
    this.bars = [...Array(this.count).keys()].map((i) => {
      const [, , loud, bright] = points[i] || [0, 0, 0.5, 0.5];
      const tall = 5 + 13 * loud;
      const bar = makeSvg("rect", { x: i + 0.14, y: 20 - tall, width: 0.72, height: tall, rx: 0.2, fill: toneColour(bright) });
      return this.svg.appendChild(bar);
    });
    this.node.setAttribute("aria-valuemax", this.count);
    this.chosen = this.near = -1;
  }

  // near: the tone that sounds now, -1 for none.
  draw(near = -1) {
    if (this.built !== this.store.instrument) this.build();
    const chosen = ((this.get() % this.count) + this.count) % this.count;
    if (chosen === this.chosen && near === this.near) return;
    this.bars[this.chosen]?.classList.remove("chosen");
    this.bars[this.near]?.classList.remove("near");
    this.bars[near]?.classList.add("near");
    this.bars[chosen].classList.add("chosen");
    this.chosen = chosen;
    this.near = near;
    mark(this.node, "aria-valuenow", chosen + 1);
    mark(this.node, "aria-valuetext", `Tone ${chosen + 1} of ${this.count}`);
  }
}

// The same as two buttons and a number.
export class ToneStepper {
  constructor(store, { get, set, label }) {
    this.store = store;
    this.get = get;
    const step = (by) => () => {
      const { anchors } = store.instrument;
      set((get() + by + anchors) % anchors);
    };
    this.tone = make("span", { class: "tone" });
    this.node = make(
      "div",
      { class: "stepper", role: "group", "aria-label": label },
      make("button", { type: "button", text: "‹", "aria-label": "Previous tone", onclick: step(-1) }),
      this.tone,
      make("button", { type: "button", text: "›", "aria-label": "Next tone", onclick: step(1) }),
    );
  }

  draw() {
    const { anchors } = this.store.instrument;
    write(this.tone, `Tone ${(((this.get() % anchors) + anchors) % anchors) + 1} of ${anchors}`);
  }
}
