// The clip source: the waveform to play with, and the list of all clips.

import { button, make, mark, write } from "./dom.js";
import { browseForSound } from "./drop.js";
import { durationText } from "./format.js";
import { openMenu, closeMenu } from "./menu.js";
import { ParamKnob } from "./param-knob.js";
import { ParamSwitch } from "./param-switch.js";
import { WaveEditor, waveThumb } from "./wave.js";

export class ClipPage {
  constructor(store) {
    this.store = store;
    this.wave = new WaveEditor(store);
    this.title = make("b", { class: "clip-title" });
    this.length = make("span", { class: "dim" });
    this.parts = [
      new ParamSwitch(store, "clip_mode", { label: "Read as" }),
      new ParamKnob(store, "clip_speed"),
      new ParamKnob(store, "clip_position"),
    ];
    this.list = make("div", { class: "clips", role: "listbox", "aria-label": "Clips" });
    this.node = make(
      "div",
      { class: "clip-page" },
      make("div", { class: "wave-head" }, this.title, this.length, make("span", { class: "grow" }),
        button("Add a sound …", () => browseForSound(store), { title: "Or drop a sound file anywhere on this page" })),
      this.wave,
      make("div", { class: "row knob-row" }, ...this.parts),
      this.list,
    );
  }

  rows() {
    const { store } = this;
    this.listed = store.library.clips;
    this.list.replaceChildren(
      ...store.library.clips.map((clip) => {
        const pick = make("button", { type: "button", role: "option", class: "clip", "data-clip": clip.id, title: clip.title }, waveThumb(clip.wave), make("span", { text: clip.title }));
        pick.addEventListener("click", () => {
          store.send({ type: "clip", id: clip.id });
          if (store.state.source !== "clip") store.send({ type: "source", value: "clip" });
        });
        pick.classList.toggle("pending", clip.ready === false); // this instrument is still listening to it
        if (!clip.own) return pick;
        const more = make("button", { type: "button", class: "more", text: "⋯", "aria-label": `More about ${clip.title}` });
        more.addEventListener("click", () => this.menu(clip, more));
        return make("div", { class: "own-clip" }, pick, more);
      }),
    );
  }

  menu(clip, anchor) {
    const { store } = this;
    const field = make("input", { type: "text", class: "field", value: clip.title, maxlength: "64", "aria-label": "Name" });
    field.addEventListener("change", () => {
      const name = field.value.trim();
      if (name) store.send({ type: "clip_rename", id: clip.id, name });
    });
    const remove = button("Delete this clip", () => {
      store.send({ type: "clip_delete", id: clip.id });
      closeMenu();
    }, { class: "chip danger" });
    openMenu(anchor, clip.title, [field, make("div", { class: "row" }, remove)]);
  }

  draw() {
    const { store } = this;
    if (this.listed !== store.library.clips) this.rows();
    const clip = store.library.clips.find((one) => one.id === store.state.clip);
    write(this.title, clip ? clip.title : "No clip");
    write(this.length, clip ? durationText(clip.seconds) : "");
    this.wave.draw(clip);
    for (const part of this.parts) part.draw();
    for (const node of this.list.querySelectorAll("[data-clip]")) mark(node, "aria-selected", node.dataset.clip === store.state.clip);
  }
}
