// The large square has two faces: the pad of two descriptors, and the map of all tones.

import { $ } from "./dom.js";

export class Surface {
  constructor(store, pad, map) {
    this.face = "pad";
    this.views = { pad, map };
    this.tabs = [...document.querySelectorAll("[data-surface]")];
    for (const tab of this.tabs) tab.addEventListener("click", () => this.show(tab.dataset.surface));
    store.on("surface", (face) => this.show(face));
  }

  show(face) {
    this.face = face;
    for (const name of ["pad", "map"]) $(name).hidden = name !== face;
    for (const tab of this.tabs) tab.setAttribute("aria-selected", tab.dataset.surface === face);
  }

  draw(now) {
    this.views[this.face].draw(now);
  }
}
