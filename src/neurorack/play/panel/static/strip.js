// In the head: the preset's name with its neighbours, undo and redo.

import { $, mark, write } from "./dom.js";

export class Strip {
  constructor(store, showPresets) {
    this.store = store;
    $("preset-previous").addEventListener("click", () => this.step(-1));
    $("preset-next").addEventListener("click", () => this.step(1));
    $("preset-name").addEventListener("click", showPresets);
    $("undo").addEventListener("click", () => store.send({ type: "undo" }));
    $("redo").addEventListener("click", () => store.send({ type: "redo" }));
    addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "z") return;
      if (event.target.matches && event.target.matches("input[type=text], input[type=number]")) return;
      event.preventDefault();
      store.send({ type: event.shiftKey ? "redo" : "undo" });
    });
  }

  step(by) {
    const { presets } = this.store.library;
    if (!presets.length) return;
    const at = presets.findIndex((preset) => preset.name === this.store.state.preset);
    const next = at < 0 ? (by > 0 ? 0 : presets.length - 1) : (at + by + presets.length) % presets.length;
    this.store.send({ type: "preset_load", name: presets[next].name });
  }

  draw() {
    const { state, library } = this.store;
    const { morph } = state;
    const name = morph && !state.preset ? `${morph.a} … ${morph.b}` : state.preset;
    write($("preset-text"), name || (library.presets.length ? "Presets" : "No presets"));
    $("preset-name").classList.toggle("dirty", Boolean(state.dirty && name));
    mark($("preset-name"), "aria-label", `${name || "Presets"}${state.dirty ? ", changed" : ""}: all presets`);
    $("undo").disabled = !state.undo;
    $("redo").disabled = !state.redo;
  }
}
