// Capture: keep what was just played, record to disk, and the list of takes.

import { $, make, mark, write } from "./dom.js";
import { durationText } from "./format.js";
import { openMenu } from "./menu.js";

export class Tape {
  constructor(store) {
    this.store = store;
    $("keep").addEventListener("click", () => store.send({ type: "keep", seconds: 0 }));
    $("record").addEventListener("click", () => store.send({ type: "record", on: !store.state.recording }));
    $("takes").addEventListener("click", () => this.menu());
  }

  menu() {
    const rows = [...this.store.library.takes].reverse().map((take) =>
      make("li", {}, make("span", { text: take.name }), make("span", { class: "dim", text: durationText(take.seconds) }),
        make("a", { class: "chip", href: `takes/${encodeURIComponent(take.name)}.wav`, download: `${take.name}.wav`, text: "Save WAV" })));
    const list = rows.length ? make("ul", { class: "take-list" }, ...rows) : make("p", { class: "about", text: "Nothing recorded yet." });
    const last = make("a", { class: "chip", href: "keep.wav?seconds=60", download: "last-minute.wav", text: "Save the last minute as WAV" });
    openMenu($("takes"), "Takes", [list, make("div", { class: "row" }, last)]);
  }

  draw(now) {
    const { recording } = this.store.state;
    const on = Boolean(recording);
    if (on !== this.on) {
      this.on = on;
      this.startedAt = now;
      this.told = -1;
    }
    if (on && recording.seconds !== this.told) {
      this.told = recording.seconds;
      this.startedAt = now - 1000 * recording.seconds;
    }
    mark($("record"), "aria-pressed", on);
    write($("record-text"), on ? durationText((now - this.startedAt) / 1000) : "Record");
  }
}
