// Patching by hand: drag a modulation source onto any knob, and a cable follows until it is plugged in.

import { makeSvg } from "./dom.js";

const FAR_PX = 6; // a shorter move is a click
const AMOUNT = 0.25;

// What a cable may be plugged into under the pointer: a knob of a descriptor or a parameter.
function targetUnder(event) {
  const node = document.elementFromPoint(event.clientX, event.clientY);
  const knob = node && node.closest(".knob");
  return knob ? { knob, name: knob.dataset.control || knob.dataset.number } : null;
}

export function patchable(node, store, source) {
  let from = null;
  let cable = null;
  let lit = null;
  const light = (knob) => {
    if (lit !== knob) {
      if (lit) lit.classList.remove("socket");
      if (knob) knob.classList.add("socket");
    }
    lit = knob;
  };
  const draw = (event) => {
    const box = (node.querySelector(".jack") || node).getBoundingClientRect();
    const [x0, y0] = [box.left + box.width / 2, box.top + box.height / 2];
    const { clientX: x, clientY: y } = event;
    const sag = 40 + 0.25 * Math.hypot(x - x0, y - y0);
    cable.firstChild.setAttribute("d", `M${x0} ${y0}C${x0} ${y0 + sag} ${x} ${y + sag} ${x} ${y}`);
    cable.lastChild.setAttribute("cx", x);
    cable.lastChild.setAttribute("cy", y);
  };
  const end = () => {
    from = null;
    light(null);
    if (cable) cable.remove();
    cable = null;
  };
  node.addEventListener("pointerdown", (event) => {
    if (event.button || (event.pointerType !== "mouse" && !event.target.closest(".jack"))) return;
    from = { x: event.clientX, y: event.clientY };
    node.setPointerCapture(event.pointerId);
  });
  node.addEventListener("pointermove", (event) => {
    if (!from) return;
    if (!cable) {
      if (Math.hypot(event.clientX - from.x, event.clientY - from.y) < FAR_PX) return;
      cable = makeSvg("svg", { class: "cable", "aria-hidden": "true" });
      cable.append(makeSvg("path"), makeSvg("circle", { r: 6 }));
      document.body.append(cable);
    }
    draw(event);
    const target = targetUnder(event);
    light(target && target.knob);
  });
  node.addEventListener("pointerup", (event) => {
    if (cable) {
      const target = targetUnder(event);
      if (target) plug(store, source, target.name);
      // The click that follows a drag is none.
      node.addEventListener("click", (click) => click.stopImmediatePropagation(), { capture: true, once: true });
      setTimeout(() => node.blur());
    }
    end();
  });
  node.addEventListener("pointercancel", end);
}

function plug(store, source, target) {
  if (store.routesTo(target).some((route) => route.source === source)) return;
  if (!store.route({ source, target, amount: AMOUNT })) {
    store.emit("notice", { level: "warn", text: "All sixteen routes are in use: remove one first." });
  }
}
