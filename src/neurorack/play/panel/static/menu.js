// One small window at a time, beside what it belongs to; on a phone it comes from below.

import { make } from "./dom.js";

let open = null;

// Shows `parts` under `title` beside `anchor`; returns a function that closes it.
export function openMenu(anchor, title, parts, { onDraw = null } = {}) {
  closeMenu();
  const node = make(
    "div",
    { class: "menu", role: "dialog", "aria-label": title },
    make("header", {}, make("b", { text: title }), make("button", { type: "button", class: "close", text: "×", "aria-label": "Close", onclick: closeMenu })),
    ...parts,
  );
  document.body.append(node);
  open = { node, anchor, onDraw };
  place(node, anchor);
  node.tabIndex = -1;
  node.focus({ preventScroll: true });
  return closeMenu;
}

export function closeMenu() {
  if (!open) return;
  const { node, anchor } = open;
  const inside = node.contains(document.activeElement);
  open = null;
  node.remove();
  if (inside && anchor.isConnected) anchor.focus({ preventScroll: true });
}

export const menuIsOpen = () => open !== null;

export function drawMenu() {
  if (open && open.onDraw) open.onDraw();
}

function place(node, anchor) {
  if (innerWidth <= 620) return; // a sheet: the style sheet says where
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = node;
  const left = Math.max(10, Math.min(innerWidth - width - 10, box.left + box.width / 2 - width / 2));
  const below = box.bottom + 8;
  const top = below + height < innerHeight - 10 ? below : Math.max(10, Math.min(box.top - height - 8, innerHeight - height - 10));
  node.style.left = `${left}px`;
  node.style.top = `${top}px`;
}

addEventListener(
  "pointerdown",
  (event) => {
    if (open && !open.node.contains(event.target) && !open.anchor.contains(event.target)) closeMenu();
  },
  true,
);
addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation(); // Escape closes the window first; the next one is panic
    closeMenu();
  },
  true,
);
