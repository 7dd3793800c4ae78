// Short messages that say what happened and what to do.

import { $, make } from "./dom.js";

const shown = new Map();

export function toast(text, level = "info", seconds = level === "error" ? 9 : 6) {
  dismiss(text);
  const node = make("div", { class: `toast ${level}` }, make("span", { text }));
  node.append(make("button", { type: "button", text: "×", "aria-label": "Dismiss", onclick: () => dismiss(text) }));
  $("toasts").append(node);
  while ($("toasts").children.length > 3) $("toasts").firstChild.remove();
  shown.set(text, node);
  if (seconds) setTimeout(() => shown.get(text) === node && dismiss(text), seconds * 1000);
}

export function dismiss(text) {
  const node = shown.get(text);
  if (node) node.remove();
  shown.delete(text);
}
