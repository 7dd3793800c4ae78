// Notes and gate: the computer's keys, and a small keyboard on the screen for fingers.

import { $, make } from "./dom.js";
import { noteName } from "./format.js";

const LETTERS = "KeyA KeyW KeyS KeyE KeyD KeyF KeyT KeyG KeyY KeyH KeyU KeyJ KeyK KeyO KeyL KeyP Semicolon".split(" ");
const LABELS = "A W S E D F T G Y H U J K O L P ;".split(" ");
const BLACK = new Set([1, 3, 6, 8, 10]);

export class Keyboard {
  constructor(store, actions) {
    this.store = store;
    this.actions = actions;
    this.octave = 3; // C3 = midi 48 under A
    this.down = new Map(); // what holds it (code or pointer id) -> midi
    this.nodes = new Map();
    $("octave-down").addEventListener("click", () => this.shift(-1));
    $("octave-up").addEventListener("click", () => this.shift(1));
    addEventListener("keydown", (event) => this.keyDown(event));
    addEventListener("keyup", (event) => this.keyUp(event));
    addEventListener("blur", () => this.releaseAll());
    document.addEventListener("visibilitychange", () => document.hidden && this.releaseAll());
    this.listenPointers();
    this.build();
    new ResizeObserver(() => this.size()).observe($("keys"));
  }

  get base() {
    return 12 * (this.octave + 1);
  }

  build() {
    const wide = innerWidth > 700;
    this.span = wide ? 25 : 13;
    this.nodes.clear();
    $("keys").replaceChildren();
    for (let i = 0; i < this.span; i++) {
      const midi = this.base + i;
      const black = BLACK.has(midi % 12);
      const label = i < LABELS.length ? LABELS[i] : "";
      const text = midi % 12 === 0 && !label ? noteName(midi) : label;
      const key = make("button", { type: "button", tabindex: "-1", "data-midi": midi, "aria-label": noteName(midi) });
      if (black) key.append(make("i"));
      key.append(make("span", { text }));
      key.classList.toggle("black", black);
      this.nodes.set(midi, key);
      $("keys").append(key);
    }
    this.size();
    this.draw();
  }

  size() {
    const whites = [...this.nodes.values()].filter((node) => !node.classList.contains("black"));
    if (whites.length) $("keys").style.setProperty("--key-width", `${whites[0].offsetWidth}px`);
    if ((innerWidth > 700 ? 25 : 13) !== this.span) this.build();
  }

  shift(by) {
    this.releaseAll();
    this.octave = Math.max(0, Math.min(7, this.octave + by));
    this.build();
  }

  press(holder, midi, velocity = 1) {
    if (this.down.get(holder) === midi) return;
    const before = this.down.get(holder);
    this.down.set(holder, midi);
    this.store.send({ type: "note", on: true, midi, velocity });
    if (before !== undefined) this.store.send({ type: "note", on: false, midi: before });
    this.draw();
  }

  release(holder) {
    const midi = this.down.get(holder);
    if (midi === undefined) return;
    this.down.delete(holder);
    this.store.send({ type: "note", on: false, midi });
    this.draw();
  }

  releaseAll() {
    for (const holder of [...this.down.keys()]) this.release(holder);
    if (this.gateHeld) this.gate(false);
  }

  gate(on) {
    this.gateHeld = on;
    this.store.send({ type: "gate", on });
  }

  // Keys of the computer belong to the instrument unless a text or a list has the focus.
  keyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (target.matches && target.matches("select, input:not([type=range])")) {
      if (event.key === "Escape") target.blur(); // the next Escape is panic
      return;
    }
    if (event.key === "Escape") return this.actions.panic();
    if (!this.actions.started()) {
      if (["Tab", "Shift"].includes(event.key)) return;
      event.preventDefault();
      if (!event.repeat) this.actions.start();
      return;
    }
    const place = LETTERS.indexOf(event.code);
    const onButton = target.matches && target.matches("button");
    if (event.code === "Space" && !(onButton && target.matches(":focus-visible"))) {
      event.preventDefault();
      if (!event.repeat && !this.gateHeld) this.gate(true);
    } else if (event.repeat || event.shiftKey) {
      return;
    } else if (place >= 0) {
      this.actions.wake();
      this.press(event.code, this.base + place);
    } else if (event.code === "KeyZ") {
      this.shift(-1);
    } else if (event.code === "KeyX") {
      this.shift(1);
    }
  }

  keyUp(event) {
    if (event.code === "Space" && this.gateHeld) {
      event.preventDefault();
      this.gate(false);
    }
    this.release(event.code);
  }

  listenPointers() {
    const keys = $("keys");
    const under = (event) => {
      const node = document.elementFromPoint(event.clientX, event.clientY);
      const key = node && node.closest("[data-midi]");
      return key ? { midi: Number(key.dataset.midi), box: key.getBoundingClientRect() } : null;
    };
    keys.addEventListener("pointerdown", (event) => {
      const hit = under(event);
      if (!hit || event.button) return;
      event.preventDefault();
      keys.setPointerCapture(event.pointerId);
      this.actions.wake();
      // Lower on the key is louder, as on a real one it is heavier.
      const depth = (event.clientY - hit.box.top) / hit.box.height;
      this.press(event.pointerId, hit.midi, Math.max(0.35, Math.min(1, 0.35 + 0.8 * depth)));
    });
    keys.addEventListener("pointermove", (event) => {
      if (!this.down.has(event.pointerId)) return;
      const hit = under(event);
      if (hit) this.press(event.pointerId, hit.midi);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      keys.addEventListener(end, (event) => this.release(event.pointerId));
    }
  }

  draw() {
    const sounding = new Set([...(this.store.state ? this.store.state.notes : []), ...this.down.values()]);
    for (const [midi, node] of this.nodes) node.classList.toggle("down", sounding.has(midi));
  }
}
