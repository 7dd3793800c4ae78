// The latent map: every tone a point, every clip a trace. Drag to play a place; drag the ring to orbit; draw a path.
// Tones that were played stand filled in a light of their own; untouched ones are rings in the dark.

import { $, colours, fitCanvas, write } from "./dom.js";
import { drawEar } from "./ear-dot.js";
import { toneColour } from "./tones.js";

const MARGIN = 26;
const MOST_POINTS = 32;
const MOTIONS = { point: 0, orbit: 1, path: 2 };
const TRAIL_MS = 2500;
const NARROW = 520; // pixels below which there is room for one line of words only

export class TimbreMap {
  constructor(store) {
    this.store = store;
    this.node = $("map");
    this.stale = true;
    this.drag = null; // {pointer, what: "point" | "ring" | "path"}
    this.drafting = false;
    this.draft = [];
    this.trail = [];
    document.addEventListener("colours", () => (this.stale = true));
    store.on("library", () => (this.stale = true));
    store.on("known", () => (this.stale = true));
    $("there").addEventListener("click", () => store.send({ type: "take_me_there" }));
    for (const kind of ["pointerdown", "keydown", "dblclick"]) $("there").addEventListener(kind, (event) => event.stopPropagation());
    store.on("draw-path", () => {
      this.drafting = !this.drafting;
      this.draft = [];
      store.emit("surface", "map");
    });
    this.listen();
  }

  configure() {
    this.stale = true;
    this.trail = [];
    this.node.setAttribute("aria-label", "Map of tones; drag or arrow keys play a place");
  }

  get points() {
    const { map } = this.store.instrument;
    return (map && map.points) || [];
  }

  get motion() {
    return Math.round(this.store.number("map_motion"));
  }

  size() {
    const { clientWidth: width, clientHeight: height } = this.node;
    return { width, height, across: width - 2 * MARGIN, up: height - 2 * MARGIN };
  }

  toScreen(x, y) {
    const { height, across, up } = this.size();
    return [MARGIN + x * across, height - MARGIN - y * up];
  }

  toMap(px, py) {
    const { height, across, up } = this.size();
    const inside = (value) => Math.max(0, Math.min(1, value));
    return [inside((px - MARGIN) / across), inside((height - MARGIN - py) / up)];
  }

  listen() {
    const { node, store } = this;
    const at = (event) => {
      const box = node.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    node.addEventListener("pointerdown", (event) => {
      if (event.button || this.drag || !store.state) return;
      node.setPointerCapture(event.pointerId);
      const what = this.drafting ? "path" : this.onRing(...at(event)) ? "ring" : "point";
      this.drag = { pointer: event.pointerId, what };
      if (what === "path") this.draft = [];
      else this.take();
      this.moved(...at(event));
    });
    node.addEventListener("pointermove", (event) => {
      if (this.drag && event.pointerId === this.drag.pointer) this.moved(...at(event));
      else if (!this.drag && store.state) node.style.cursor = this.onRing(...at(event)) ? "ew-resize" : "crosshair";
    });
    for (const end of ["pointerup", "pointercancel"]) {
      node.addEventListener(end, (event) => {
        if (!this.drag || event.pointerId !== this.drag.pointer) return;
        if (this.drag.what === "path") this.finishPath();
        this.drag = null;
      });
    }
    node.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 0.005 : 0.03;
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
      if (!(event.key in moves) || !store.state) return;
      this.take();
      this.set(store.number("map_x") + moves[event.key][0], store.number("map_y") + moves[event.key][1]);
      event.preventDefault();
    });
  }

  // The hand on the map makes it the source.
  take() {
    const { store } = this;
    if (store.state.source !== "map") {
      store.state.source = "map";
      store.send({ type: "source", value: "map" });
    }
    if (this.motion === MOTIONS.path) store.setNumber("map_motion", MOTIONS.point);
  }

  set(x, y) {
    this.store.setNumber("map_x", Math.max(0, Math.min(1, x)));
    this.store.setNumber("map_y", Math.max(0, Math.min(1, y)));
  }

  onRing(px, py) {
    if (this.motion !== MOTIONS.orbit) return false;
    const { store } = this;
    const [cx, cy] = this.toScreen(store.number("map_x"), store.number("map_y"));
    const { across, up } = this.size();
    const radius = store.number("map_radius");
    const away = Math.hypot((px - cx) / across, (py - cy) / up);
    return Math.abs(away - radius) * Math.min(across, up) < 14;
  }

  moved(px, py) {
    const { store } = this;
    const [x, y] = this.toMap(px, py);
    if (this.drag.what === "point") this.set(x, y);
    else if (this.drag.what === "ring") {
      store.setNumber("map_radius", Math.min(0.5, Math.hypot(x - store.number("map_x"), y - store.number("map_y"))));
    } else {
      const last = this.draft[this.draft.length - 1];
      if (!last || Math.hypot(x - last[0], y - last[1]) > 0.008) this.draft.push([x, y]);
    }
  }

  // At most 32 points, evenly along what was drawn.
  finishPath() {
    const { draft, store } = this;
    this.drafting = false;
    if (draft.length < 2) return;
    const count = Math.min(MOST_POINTS, draft.length);
    const points = [...Array(count).keys()].flatMap((i) => draft[Math.round((i * (draft.length - 1)) / (count - 1))]);
    const short = points.map((value) => Number(value.toFixed(4)));
    store.state.path = short;
    store.send({ type: "path", points: short });
    store.setNumber("map_motion", MOTIONS.path);
    store.send({ type: "source", value: "map" });
    this.draft = [];
  }

  draw(now) {
    const { store } = this;
    this.drawGround();
    const { context, width, height } = fitCanvas($("map-live"));
    context.clearRect(0, 0, width, height);
    const playing = store.state.source === "map";
    const [x, y] = [store.number("map_x"), store.number("map_y")];
    this.drawPath(context);
    if (playing && this.motion === MOTIONS.orbit) this.drawRing(context, x, y);
    const told = store.telemetry;
    if (told && told.map && told.sounding) this.drawHere(context, told.map, now);
    if (playing) this.drawHand(context, ...this.toScreen(x, y));
    const been = store.known.filter((share) => share === 1).length;
    write($("explored"), `${been} of ${this.points.length} tones known`);
    const hint = this.drafting ? "Draw a path with one stroke" : playing ? "" : "Drag to play the map";
    write($("map-hint"), hint);
    $("explored").hidden = Boolean(hint) && width < NARROW;
  }

  drawPath(context) {
    const flat = this.store.state.path;
    const stored = [...Array(flat.length / 2 || 0).keys()].map((i) => [flat[2 * i], flat[2 * i + 1]]);
    const points = this.draft.length ? this.draft : stored;
    if (points.length < 2) return;
    context.strokeStyle = colours.asked;
    context.globalAlpha = this.motion === MOTIONS.path || this.draft.length ? 0.9 : 0.35;
    context.lineWidth = 2;
    context.setLineDash([6, 5]);
    context.lineJoin = "round";
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(...this.toScreen(x, y)) : context.moveTo(...this.toScreen(x, y))));
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  drawRing(context, x, y) {
    const { across, up } = this.size();
    const radius = this.store.number("map_radius");
    const [cx, cy] = this.toScreen(x, y);
    context.strokeStyle = colours.asked;
    context.lineWidth = 2;
    context.setLineDash([3, 5]);
    context.beginPath();
    context.ellipse(cx, cy, radius * across, radius * up, 0, 0, 7);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = colours.asked;
    context.beginPath();
    context.arc(cx + radius * across, cy, 6, 0, 7);
    context.fill();
  }

  drawHere(context, [x, y], now) {
    const newest = this.trail[this.trail.length - 1];
    if (!newest || Math.hypot(newest.x - x, newest.y - y) > 0.002) this.trail.push({ x, y, at: now });
    while (this.trail.length && now - this.trail[0].at > TRAIL_MS) this.trail.shift();
    context.strokeStyle = "#35c9b4";
    context.lineWidth = 2;
    for (let i = 1; i < this.trail.length; i++) {
      const [a, b] = [this.trail[i - 1], this.trail[i]];
      if (Math.hypot(a.x - b.x, a.y - b.y) > 0.2) continue; // a leap
      context.globalAlpha = 0.8 * (1 - (now - b.at) / TRAIL_MS);
      context.beginPath();
      context.moveTo(...this.toScreen(a.x, a.y));
      context.lineTo(...this.toScreen(b.x, b.y));
      context.stroke();
    }
    context.globalAlpha = 1;
    const [px, py] = this.toScreen(x, y);
    drawEar(context, px, py);
  }

  drawHand(context, px, py) {
    context.lineWidth = 3;
    context.strokeStyle = "#fff";
    context.fillStyle = this.drag ? colours.asked : "#ff6a3d88";
    context.beginPath();
    context.arc(px, py, this.drag ? 16 : 12, 0, 7);
    context.fill();
    context.stroke();
  }

  drawGround() {
    const { store } = this;
    const { context, width, height, fresh } = fitCanvas($("map-ground"));
    const key = `${this.store.state.clip}`;
    if (!width || !(fresh || this.stale || key !== this.shownClip)) return;
    this.stale = false;
    this.shownClip = key;
    const ground = context.createRadialGradient(width / 2, height / 2, 0, width / 2, height / 2, 0.75 * Math.max(width, height));
    ground.addColorStop(0, "#221a18");
    ground.addColorStop(1, "#0b0b0d");
    context.fillStyle = ground;
    context.fillRect(0, 0, width, height);
    const known = (i) => store.known[i] ?? 0;
    this.points.forEach(([x, y, , bright], i) => this.glow(context, ...this.toScreen(x, y), toneColour(bright), known(i)));
    for (const clip of this.store.library.clips) this.drawTrace(context, clip);
    this.points.forEach(([x, y, loud, bright], i) => this.tone(context, ...this.toScreen(x, y), 3 + 6 * loud, toneColour(bright), known(i)));
  }

  tone(context, x, y, radius, colour, known) {
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fillStyle = "#131112";
    context.fill();
    context.globalAlpha = 0.1 + 0.9 * known;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 0.75 + 0.25 * known;
    context.strokeStyle = known === 1 ? "#0b0b0d" : colour;
    context.lineWidth = 1.3;
    context.stroke();
    context.globalAlpha = 1;
  }

  glow(context, x, y, colour, known) {
    const halo = context.createRadialGradient(x, y, 0, x, y, 46);
    halo.addColorStop(0, colour.replace("rgb", "rgba").replace(")", ` / ${(0.04 + 0.24 * known).toFixed(3)})`));
    halo.addColorStop(1, colour.replace("rgb", "rgba").replace(")", " / 0)"));
    context.fillStyle = halo;
    context.fillRect(x - 46, y - 46, 92, 92);
  }

  drawTrace(context, clip) {
    if (!clip.trace || clip.trace.length < 2) return;
    const chosen = clip.id === this.store.state.clip;
    context.strokeStyle = chosen ? "#8fe6da" : "#8fb8b2";
    context.globalAlpha = chosen ? 0.8 : 0.14;
    context.lineWidth = chosen ? 1.8 : 1;
    context.lineJoin = "round";
    context.beginPath();
    const places = clip.trace.map(([x, y]) => this.toScreen(x, y));
    context.moveTo(...places[0]);
    for (let i = 1; i < places.length - 1; i++) {
      const [[x, y], [nextX, nextY]] = [places[i], places[i + 1]];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    context.lineTo(...places[places.length - 1]);
    context.stroke();
    context.globalAlpha = 1;
  }
}
