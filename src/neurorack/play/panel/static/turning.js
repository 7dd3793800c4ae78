// One way to turn everything: drag, wheel, arrow keys, double click; a right click or long press asks for more.

const LONG_PRESS_MS = 550;
const DRAG_PX = 180; // pixels for a whole travel

// actions: get() and set(travel) with travels 0..1, reset(), menu(), and step: the travel of one arrow key.
export function turnable(node, { get, set, reset, menu, step = () => 0.015 }) {
  let drag = null;
  let press = 0;
  const inside = (travel) => Math.max(0, Math.min(1, travel));
  const end = () => {
    clearTimeout(press);
    drag = null;
    node.classList.remove("turning");
  };
  node.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    node.setPointerCapture(event.pointerId);
    drag = { x: event.clientX, y: event.clientY, travel: get(), far: 0 };
    node.classList.add("turning");
    if (event.pointerType !== "mouse") {
      press = setTimeout(() => {
        end();
        menu();
      }, LONG_PRESS_MS);
    }
  });
  node.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const moved = drag.y - event.clientY + 0.5 * (event.clientX - drag.x);
    if (moved === 0) return;
    if (drag.far <= 2) drag.travel = get(); // what moves by itself is taken from where it is now
    drag.far += Math.abs(moved);
    if (drag.far > 6) clearTimeout(press);
    drag.travel = inside(drag.travel + moved / (event.shiftKey ? 5 * DRAG_PX : DRAG_PX));
    drag.x = event.clientX;
    drag.y = event.clientY;
    if (drag.far > 2) set(drag.travel);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) node.addEventListener(name, end);
  node.addEventListener("dblclick", reset);
  node.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    if (!drag) menu(); // the long press of a finger has its own way
  });
  node.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey) return; // the browser's zoom
      event.preventDefault();
      const notches = Math.max(-3, Math.min(3, -event.deltaY / 100));
      const least = step();
      set(inside(get() + notches * (event.shiftKey ? least / 3 : Math.max(0.03, least))));
    },
    { passive: false },
  );
  node.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const one = event.shiftKey ? step() / 6 : step();
    const steps = { ArrowUp: one, ArrowRight: one, ArrowDown: -one, ArrowLeft: -one, PageUp: 0.1, PageDown: -0.1 };
    if (event.key in steps) set(inside(get() + steps[event.key]));
    else if (event.key === "Home") set(0);
    else if (event.key === "End") set(1);
    else if (event.key === "Delete" || event.key === "Backspace") reset();
    else if (event.key === "Enter") menu();
    else return;
    event.preventDefault();
  });
}
