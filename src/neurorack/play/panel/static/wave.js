// A clip's waveform: thumbnails for the list, and the large one with its region, handles and playhead.

import { make, makeSvg, mark } from "./dom.js";

// Bars mirrored about the middle of a box of 48 by 20, as one path.
export function wavePath(wave) {
  const width = 48 / wave.length;
  return wave
    .map((level, i) => {
      const half = Math.max(0.35, (9.2 * level) / 255);
      return `M${((i + 0.18) * width).toFixed(2)} ${(10 - half).toFixed(2)}h${(0.64 * width).toFixed(2)}v${(2 * half).toFixed(2)}h${(-0.64 * width).toFixed(2)}z`;
    })
    .join("");
}

export function waveThumb(wave) {
  const svg = makeSvg("svg", { viewBox: "0 0 48 20", preserveAspectRatio: "none", class: "thumb", "aria-hidden": "true" });
  svg.append(makeSvg("path", { d: wavePath(wave) }));
  return svg;
}

const SCRUB = 2; // from this clip_mode on, the hand's place is what sounds

export class WaveEditor {
  constructor(store) {
    this.store = store;
    this.svg = makeSvg("svg", { viewBox: "0 0 48 20", preserveAspectRatio: "none", "aria-hidden": "true" });
    this.quiet = this.svg.appendChild(makeSvg("path", { class: "quiet" }));
    this.clip = makeSvg("clipPath", { id: "wave-region" });
    this.window = this.clip.appendChild(makeSvg("rect", { y: 0, height: 20 }));
    this.loud = makeSvg("path", { class: "loud", "clip-path": "url(#wave-region)" });
    this.svg.append(this.clip, this.loud);
    this.head = make("i", { class: "playhead" });
    this.place = make("i", { class: "place" });
    this.start = this.handle("clip_start", "Start of the region");
    this.end = this.handle("clip_end", "End of the region");
    this.shade = make("i", { class: "region" });
    this.node = make("div", { class: "wave" }, this.svg, this.shade, this.place, this.head, this.start, this.end);
    this.listen();
  }

  handle(name, label) {
    const node = make("div", {
      class: `handle ${name}`, role: "slider", tabindex: "0", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "1",
    });
    node.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01 }[event.key];
      if (!step) return;
      this.move(name, this.store.number(name) + step * (event.shiftKey ? 0.2 : 1));
      event.preventDefault();
    });
    node.addEventListener("dblclick", () => this.move(name, name === "clip_start" ? 0 : 1));
    return node;
  }

  // Start and end never cross.
  move(name, value) {
    const { store } = this;
    const least = 0.01;
    if (name === "clip_start") value = Math.max(0, Math.min(value, store.number("clip_end") - least));
    if (name === "clip_end") value = Math.min(1, Math.max(value, store.number("clip_start") + least));
    store.setNumber(name, Math.max(0, Math.min(1, value)));
  }

  listen() {
    const { node, store } = this;
    const drags = new Map(); // pointer -> what it moves: a region's end, or the place
    const at = (event) => {
      const box = node.getBoundingClientRect();
      return (event.clientX - box.left) / box.width;
    };
    const move = (event) => {
      const what = drags.get(event.pointerId);
      if (what !== "place") return this.move(what, at(event));
      const [from, to] = [store.number("clip_start"), store.number("clip_end")];
      store.setNumber("clip_position", Math.max(0, Math.min(1, (at(event) - from) / Math.max(0.01, to - from))));
    };
    node.addEventListener("pointerdown", (event) => {
      if (event.button || !store.state) return;
      const handle = event.target.closest(".handle");
      let what = handle && (handle === this.start ? "clip_start" : "clip_end");
      if (!what && Math.round(store.number("clip_mode")) >= SCRUB) what = "place";
      if (!what) what = Math.abs(at(event) - store.number("clip_start")) < Math.abs(at(event) - store.number("clip_end")) ? "clip_start" : "clip_end";
      drags.set(event.pointerId, what);
      node.setPointerCapture(event.pointerId);
      move(event);
    });
    node.addEventListener("pointermove", (event) => drags.has(event.pointerId) && move(event));
    for (const end of ["pointerup", "pointercancel"]) node.addEventListener(end, (event) => drags.delete(event.pointerId));
  }

  draw(clip) {
    const { store } = this;
    if (clip && this.shown !== clip.wave) {
      this.shown = clip.wave;
      const path = wavePath(clip.wave);
      this.quiet.setAttribute("d", path);
      this.loud.setAttribute("d", path);
    }
    const [from, to] = [store.number("clip_start"), store.number("clip_end")];
    this.window.setAttribute("x", 48 * from);
    this.window.setAttribute("width", Math.max(0, 48 * (to - from)));
    this.shade.style.left = this.start.style.left = `${100 * from}%`;
    this.end.style.left = `${100 * to}%`;
    this.shade.style.width = `${100 * (to - from)}%`;
    mark(this.start, "aria-valuenow", from.toFixed(2));
    mark(this.end, "aria-valuenow", to.toFixed(2));
    this.place.hidden = Math.round(store.number("clip_mode")) < SCRUB;
    this.place.style.left = `${100 * (from + (to - from) * store.number("clip_position"))}%`;
    const told = store.telemetry;
    this.head.hidden = !told || store.state.source !== "clip" || !told.sounding;
    if (!this.head.hidden) this.head.style.left = `${100 * told.position}%`;
  }
}
