// The preset browser: by kind, save, delete, recall over time, morph between two, and chance.

import { button, fillSelect, make, mark, write } from "./dom.js";

const KINDS = { drone: "Drones", keys: "Keyboard", transfer: "Transfer", gated: "Gated", broken: "Broken", alone: "By itself" };

export function presetRows(store) {
  const kinds = new Map();
  for (const preset of store.library.presets) {
    const title = preset.own ? "Yours" : KINDS[preset.kind] || "Others";
    if (!kinds.has(title)) kinds.set(title, []);
    kinds.get(title).push(preset);
  }
  const yours = kinds.get("Yours");
  kinds.delete("Yours");
  return [...kinds, ...(yours ? [["Yours", yours]] : [])];
}

export class PresetsPage {
  constructor(store) {
    this.store = store;
    this.list = make("div", { class: "preset-list", role: "listbox", "aria-label": "Presets" });
    this.name = make("input", { type: "text", class: "field", placeholder: "Name", maxlength: "64", "aria-label": "Name of the preset" });
    this.name.addEventListener("keydown", (event) => event.key === "Enter" && this.save());
    this.glide = make("input", { type: "range", min: 0, max: 20, step: 0.1, value: 0, "aria-label": "Recall glides over" });
    this.glideText = make("output");
    this.a = this.pick("From");
    this.b = this.pick("To");
    this.fader = make("input", { type: "range", min: 0, max: 1, step: 0.001, value: 0, "aria-label": "Morph between two presets", "data-fader": "presets" });
    this.fader.style.setProperty("--at", "0%");
    this.fader.addEventListener("input", () => this.morph());
    this.nodes = [
      this.list,
      make("div", { class: "preset-tools" },
        make("h2", { text: "Save" }),
        make("div", { class: "row" }, this.name, button("Save", () => this.save(), { "data-save": "preset" })),
        make("h2", { text: "Recall" }),
        make("div", { class: "slider" }, make("label", { text: "Glide there over" }), this.glideText, this.glide),
        make("h2", { text: "Morph between two" }),
        make("div", { class: "morph-picks" }, this.a, this.b),
        make("div", { class: "slider" }, this.fader),
        make("h2", { text: "By chance" }),
        make("div", { class: "row" },
          button("A little different", () => store.send({ type: "randomise", distance: "near" }), { "data-random": "near" }),
          button("Something else", () => store.send({ type: "randomise", distance: "far" }), { "data-random": "far" }))),
    ];
  }

  pick(label) {
    const node = make("select", { class: "pick", "aria-label": label });
    node.addEventListener("change", () => this.morph());
    return node;
  }

  morph() {
    const [a, b] = [this.a.value, this.b.value];
    if (!a || !b) return;
    this.movedAt = performance.now();
    this.fader.style.setProperty("--at", `${100 * this.fader.value}%`);
    this.store.touched.clear();
    this.store.outgoing.latest("preset_morph", { type: "preset_morph", a, b, position: Number(this.fader.value) });
  }

  save() {
    const name = this.name.value.trim();
    if (!name) return this.name.focus();
    this.store.send({ type: "preset_save", name });
    this.name.value = "";
    this.name.blur();
  }

  load(name) {
    this.store.send({ type: "preset_load", name, seconds: Number(this.glide.value) });
  }

  rows() {
    const { store } = this;
    this.listed = store.library.presets;
    this.list.replaceChildren(
      ...presetRows(store).map(([title, presets]) =>
        make("div", { class: "preset-kind", role: "group", "aria-label": title }, make("h2", { text: title }), ...presets.map((preset) => {
          const pick = make("button", { type: "button", role: "option", class: "preset", "data-preset": preset.name, onclick: () => this.load(preset.name) },
            make("b", { text: preset.name }), make("span", { text: preset.about || "" }));
          if (!preset.own) return pick;
          const remove = make("button", { type: "button", class: "close", text: "×", "aria-label": `Delete ${preset.name}` });
          remove.addEventListener("click", () => this.remove(preset.name, remove));
          return make("div", { class: "own-preset" }, pick, remove);
        })),
      ),
    );
    if (!this.listed.length) this.list.append(make("p", { class: "about", text: "No presets yet: save what you hear." }));
  }

  // Deleting asks once: the first press arms, the second deletes.
  remove(name, node) {
    if (node.classList.contains("armed")) {
      this.store.send({ type: "preset_delete", name });
      return;
    }
    node.classList.add("armed");
    write(node, "Delete?");
    setTimeout(() => {
      node.classList.remove("armed");
      write(node, "×");
    }, 3000);
  }

  draw() {
    const { store } = this;
    const { preset, morph } = store.state;
    if (this.listed !== store.library.presets) this.rows();
    for (const node of this.list.querySelectorAll("[data-preset]")) mark(node, "aria-selected", node.dataset.preset === preset);
    const seconds = Number(this.glide.value);
    write(this.glideText, seconds ? `${seconds.toFixed(1)} s` : "at once");
    this.glide.style.setProperty("--at", `${(100 * seconds) / 20}%`);
    const names = store.library.presets.map((one) => [one.name, one.name]);
    if (morph && performance.now() - (this.movedAt || 0) > 400) {
      this.fader.value = morph.position;
      this.fader.style.setProperty("--at", `${100 * morph.position}%`);
      fillSelect(this.a, names, morph.a);
      fillSelect(this.b, names, morph.b);
    } else {
      fillSelect(this.a, names, this.a.value || preset || (names[0] || [""])[0]);
      fillSelect(this.b, names, this.b.value || (names.find(([name]) => name !== this.a.value) || [""])[0]);
    }
  }
}
