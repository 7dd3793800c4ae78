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
  node.append(...children.map((child) => (child && child.node) || child));
  return node;
}

export function makeSvg(tag, attributes = {}) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

// Writing what is there already costs the browser a layout: write only news.
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function mark(node, name, value) {
  const text = String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

export const button = (text, onclick, attributes = {}) => make("button", { type: "button", class: "chip", text, onclick, ...attributes });

// A select that shows `value` unless it is being used; rows are [value, text] or a title with rows of its own.
export function fillSelect(select, rows, value) {
  const key = JSON.stringify(rows);
  if (select.dataset.rows !== key) {
    select.dataset.rows = key;
    const option = ([name, text]) => make("option", { value: name, text });
    select.replaceChildren(
      ...rows.map((row) => (Array.isArray(row) ? option(row) : make("optgroup", { label: row.title }, ...row.rows.map(option)))),
    );
  }
  if (document.activeElement !== select && select.value !== String(value)) select.value = value;
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

// The theme's colours, read again when it changes between dark and light.
export const colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of [
    "face", "well", "line", "line-2", "ink", "ink-2", "ink-3", "asked", "asked-soft", "heard", "heard-soft", "mod", "warn",
    "bad", "shade", "pad-0", "pad-1", "pad-2", "oled",
  ]) {
    colours[name] = style.getPropertyValue(`--${name}`).trim();
  }
  document.dispatchEvent(new Event("colours"));
}
document.addEventListener("theme", readColours);
readColours();

// How often: "once", "3 times".
export const times = (count) => (count === 1 ? "once" : `${count} times`);
