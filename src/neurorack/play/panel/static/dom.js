// Small helpers for building the page.

export const $ = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") node.textContent = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (typeof value === "boolean") node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

export function makeSvg(tag, attributes = {}) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

// The 2D context of a canvas that always has the screen's resolution: {context, width, height} in CSS pixels.
export function fitCanvas(canvas) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const fresh = canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio);
  if (fresh) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height, fresh };
}

// The page's type, for canvases.
export const font = (size) => `${size}px ${getComputedStyle(document.documentElement).fontFamily}`;

// The theme's colours, read again when the system changes between dark and light.
export const colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of [
    "face", "well", "line", "line-2", "ink", "ink-2", "ink-3", "asked", "asked-soft", "heard", "heard-soft", "warn",
    "bad", "shade", "pad-0", "pad-1", "pad-2",
  ]) {
    colours[name] = style.getPropertyValue(`--${name}`).trim();
  }
  document.dispatchEvent(new Event("colours"));
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readColours);
readColours();
