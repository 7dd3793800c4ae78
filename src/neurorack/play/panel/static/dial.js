// The picture of a knob: a travel of 270 degrees with arcs, needle and dots, all by travel 0..1.

import { makeSvg } from "./dom.js";

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

const inside = (travel) => Math.max(0, Math.min(1, travel));

export class Dial {
  constructor() {
    this.node = makeSvg("svg", { viewBox: "0 0 100 100", "aria-hidden": "true", class: "dial" });
    this.last = {};
    this.part("path", { class: "track", d: arc(44, 0, 1) });
    this.reach = this.part("path", { class: "reach" });
    this.arc = this.part("path", { class: "arc" });
    this.sway = this.part("path", { class: "sway" });
    this.ring = this.part("path", { class: "ring" });
    this.part("circle", { class: "cap", cx: 50, cy: 50, r: 27 });
    this.part("circle", { class: "cap-2", cx: 50, cy: 50, r: 21 });
    this.wish = this.part("g", { class: "wish" });
    this.wish.append(makeSvg("line", { x1: 50, y1: 22, x2: 50, y2: 9 }), makeSvg("circle", { cx: 50, cy: 6, r: 3 }));
    this.wish.style.display = "none";
    this.hand = this.part("line", { class: "hand", x1: 50, y1: 37, x2: 50, y2: 27 });
    this.ghost = this.part("circle", { class: "ghost", r: 3.6 });
    this.ear = this.part("circle", { class: "ear", r: 4.2 });
    this.dot(this.ear, null);
    this.dot(this.ghost, null);
  }

  part(tag, attributes) {
    return this.node.appendChild(makeSvg(tag, attributes));
  }

  // What is asked: the needle, and an arc from where the travel has its natural zero.
  setAsked(travel, zero) {
    const to = inside(travel);
    if (this.last.asked === to && this.last.zero === zero) return;
    this.last.asked = to;
    this.last.zero = zero;
    this.arc.setAttribute("d", Math.abs(to - zero) < 0.002 ? "" : arc(44, zero, to));
    this.hand.setAttribute("transform", `rotate(${(START + SWEEP * to).toFixed(2)} 50 50)`);
  }

  setReach(low, high) {
    this.reach.setAttribute("d", arc(44, inside(low), inside(high)));
  }

  // What is heard, null: nothing. The ring spans from asked to heard.
  setHeard(travel) {
    this.dot(this.ear, travel, 35.5);
    this.ring.style.display = travel === null ? "none" : "";
    if (travel !== null) this.ring.setAttribute("d", arc(35.5, this.last.asked ?? 0.5, inside(travel)));
  }

  // Where modulation has moved it, null: it is not modulated.
  setGhost(travel) {
    this.dot(this.ghost, travel, 44);
    this.sway.style.display = travel === null ? "none" : "";
    if (travel !== null) this.sway.setAttribute("d", arc(44, this.last.asked ?? 0.5, inside(travel)));
  }

  // Where the prior would have it, a needle of its own; null: it has no wish.
  setWish(travel) {
    this.wish.style.display = travel === null ? "none" : "";
    if (travel !== null) this.wish.setAttribute("transform", `rotate(${(START + SWEEP * inside(travel)).toFixed(2)} 50 50)`);
  }

  dot(node, travel, radius) {
    node.style.display = travel === null ? "none" : "";
    if (travel === null) return;
    const [x, y] = point(radius, inside(travel));
    node.setAttribute("cx", x.toFixed(2));
    node.setAttribute("cy", y.toFixed(2));
  }
}
