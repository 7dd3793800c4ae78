// The pad: two descriptors under one finger. Orange is the hand, teal what is heard, the lit region reachable.

import { $, colours, fitCanvas } from "./dom.js";
import { drawEar } from "./ear-dot.js";

const TRAIL_S = 1.6;

export class Pad {
  constructor(store) {
    this.store = store;
    this.node = $("pad");
    this.trail = [];
    this.pointer = null;
    this.second = null;
    this.ear = null;
    this.groundStale = true;
    this.listen();
    document.addEventListener("colours", () => (this.groundStale = true));
  }

  // Brightness across, noisiness up; an instrument without them offers the first two it has.
  configure() {
    const names = this.store.instrument.controls.map((control) => control.name);
    const spare = names.filter((name) => !["brightness", "noisiness", "loudness", "pitch"].includes(name));
    const take = (name) => (names.includes(name) ? name : spare.shift() || names[0]);
    this.names = [take("brightness"), take("noisiness")];
    const [x, y] = this.names.map((name) => this.store.control(name).label);
    $("pad-x").textContent = `${x} →`;
    $("pad-y").textContent = `↑ ${y}`;
    this.node.setAttribute("aria-label", `${x} across, ${y} up; arrow keys move`);
    this.trail = [];
    this.ear = null;
  }

  listen() {
    const { node } = this;
    const move = (event) => {
      const box = node.getBoundingClientRect();
      this.set(2 * ((event.clientX - box.left) / box.width) - 1, 1 - 2 * ((event.clientY - box.top) / box.height));
    };
    // A second finger moves X and Y, two modulation sources that are free for anything.
    const free = (event) => {
      const box = node.getBoundingClientRect();
      const places = { x: (event.clientX - box.left) / box.width, y: 1 - (event.clientY - box.top) / box.height };
      for (const [name, place] of Object.entries(places)) {
        const value = Math.max(0, Math.min(1, place));
        this.store.outgoing.latest(`external ${name}`, { type: "external", name, value });
      }
    };
    node.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      if (this.pointer !== null) {
        this.second ??= event.pointerId;
        node.setPointerCapture(event.pointerId);
        if (event.pointerId === this.second) free(event);
        return;
      }
      this.pointer = event.pointerId;
      node.setPointerCapture(event.pointerId);
      move(event);
    });
    node.addEventListener("pointermove", (event) => {
      if (event.pointerId === this.pointer) move(event);
      else if (event.pointerId === this.second) free(event);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      node.addEventListener(end, (event) => {
        if (event.pointerId === this.pointer) this.pointer = null;
        if (event.pointerId === this.second) this.second = null;
      });
    }
    node.addEventListener("dblclick", () => this.names.forEach((name) => this.store.releaseControl(name)));
    node.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 0.01 : 0.06;
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
      if (!(event.key in moves) || !this.store.state) return;
      const [x, y] = this.names.map((name) => this.store.asked(name));
      this.set(x + moves[event.key][0], y + moves[event.key][1]);
      event.preventDefault();
    });
  }

  set(x, y) {
    if (!this.store.state) return;
    this.store.setControl(this.names[0], x);
    this.store.setControl(this.names[1], y);
  }

  draw(now) {
    if (!this.names) return;
    this.drawGround();
    const { context, width, height } = fitCanvas($("pad-live"));
    context.clearRect(0, 0, width, height);
    const place = (x, y) => [((x + 1) / 2) * width, ((1 - y) / 2) * height];
    const told = this.store.telemetry;
    const asked = this.names.map((name) => Math.max(-1, Math.min(1, this.store.asked(name))));
    const [ix, iy] = this.names.map((name) => this.store.index(name));
    if (told && told.reachable_low[ix] !== undefined) this.drawReach(context, width, height, place, told, ix, iy);
    this.drawTrail(context, place, asked, now);
    if (told && told.sounding && told.measuring) this.drawEar(context, place, told.measured[ix], told.measured[iy], asked);
    this.drawHand(context, place(...asked), width, height);
  }

  drawReach(context, width, height, place, told, ix, iy) {
    const [x0, y1] = place(Math.max(-1, told.reachable_low[ix]), Math.min(1, told.reachable_high[iy]));
    const [x1, y0] = place(Math.min(1, told.reachable_high[ix]), Math.max(-1, told.reachable_low[iy]));
    context.fillStyle = colours.shade;
    context.beginPath();
    context.rect(0, 0, width, height);
    context.roundRect(x0, y1, Math.max(1, x1 - x0), Math.max(1, y0 - y1), 10);
    context.fill("evenodd");
  }

  drawTrail(context, place, asked, now) {
    const newest = this.trail[this.trail.length - 1];
    if (!newest || Math.hypot(newest.x - asked[0], newest.y - asked[1]) > 0.004) {
      this.trail.push({ x: asked[0], y: asked[1], at: now });
    }
    while (this.trail.length && now - this.trail[0].at > TRAIL_S * 1000) this.trail.shift();
    const byHand = this.names.some((name) => this.store.held(name));
    context.lineCap = "round";
    context.strokeStyle = byHand ? colours.asked : "#fff";
    for (let i = 1; i < this.trail.length; i++) {
      if (Math.hypot(this.trail[i].x - this.trail[i - 1].x, this.trail[i].y - this.trail[i - 1].y) > 0.5) continue; // a leap
      const age = (now - this.trail[i].at) / (TRAIL_S * 1000);
      context.globalAlpha = (byHand ? 0.75 : 0.25) * (1 - age);
      context.lineWidth = 1 + 5 * (1 - age);
      context.beginPath();
      context.moveTo(...place(this.trail[i - 1].x, this.trail[i - 1].y));
      context.lineTo(...place(this.trail[i].x, this.trail[i].y));
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  drawEar(context, place, x, y, asked) {
    if (x === null || y === null) return;
    const goal = [Math.max(-1, Math.min(1, x)), Math.max(-1, Math.min(1, y))];
    if (!this.ear) this.ear = goal;
    this.ear = this.ear.map((value, i) => value + 0.25 * (goal[i] - value));
    const [px, py] = place(...this.ear);
    context.strokeStyle = "#ffffff59";
    context.setLineDash([2, 4]);
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(...place(...asked));
    context.lineTo(px, py);
    context.stroke();
    context.setLineDash([]);
    drawEar(context, px, py);
  }

  drawHand(context, [x, y], width, height) {
    context.strokeStyle = "#ffffff24";
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
    context.lineWidth = 3;
    context.strokeStyle = "#fff";
    context.fillStyle = this.names.some((name) => this.store.held(name)) ? colours.asked : "#ffffff22";
    context.beginPath();
    context.arc(x, y, this.pointer === null ? 12 : 16, 0, 7);
    context.fill();
    context.stroke();
  }

  // Dark to glowing from left to right, smooth to grainy from bottom to top: the ground looks as it sounds.
  drawGround() {
    const { context, width, height, fresh } = fitCanvas($("pad-ground"));
    if (!width || !(fresh || this.groundStale)) return;
    this.groundStale = false;
    const ground = context.createLinearGradient(0, height, width, 0);
    ground.addColorStop(0, colours["pad-0"]);
    ground.addColorStop(0.55, colours["pad-1"]);
    ground.addColorStop(1, colours["pad-2"]);
    context.fillStyle = ground;
    context.fillRect(0, 0, width, height);
    let seed = 7;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    for (let n = 0; n < (width * height) / 10; n++) {
      const x = random() * width;
      const y = random() * height;
      const noisy = (1 - y / height) ** 1.7;
      if (random() > noisy) continue;
      context.fillStyle = random() < 0.5 ? `rgba(0,0,0,${0.3 * noisy})` : `rgba(255,244,230,${0.34 * noisy})`;
      const size = 0.7 + 1.1 * random();
      context.fillRect(x, y, size, size);
    }
  }
}
