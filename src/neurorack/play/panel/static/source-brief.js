// On the first page: which source, and the one thing about it that is changed most often.

import { $, fillSelect, make, write } from "./dom.js";
import { priorLine } from "./prior-page.js";
import { SourceChooser } from "./sources.js";
import { ToneStepper } from "./tones.js";

export class SourceBrief {
  constructor(store, live) {
    this.store = store;
    this.chooser = new SourceChooser(store, live);
    this.stepper = new ToneStepper(store, {
      get: () => store.state.anchor,
      set: (index) => {
        store.state.anchor = index;
        store.send({ type: "anchor", index });
        store.emit("state");
      },
      label: "Tone",
    });
    this.clip = make("select", { class: "pick", "aria-label": "Clip" });
    this.clip.addEventListener("change", () => store.send({ type: "clip", id: this.clip.value }));
    this.line = make("p", { class: "about" });
    $("play-source").append(this.chooser.node);
    $("play-tone").append(this.stepper.node, this.clip, this.line);
  }

  draw() {
    const { store } = this;
    const { source } = store.state;
    this.chooser.draw();
    this.stepper.node.hidden = !["hold", "wander"].includes(source);
    this.clip.hidden = source !== "clip";
    this.line.hidden = !["live", "map", "prior"].includes(source);
    this.stepper.draw();
    const clips = store.library.clips.map((clip) => [clip.id, clip.title]);
    fillSelect(this.clip, store.state.clip ? clips : [["", "Choose a clip"], ...clips], store.state.clip ?? "");
    const told = store.telemetry;
    const level = told && told.input_level_db > -100 ? `${told.input_level_db.toFixed(0).replace("-", "−")} dB` : "silence";
    const lines = { live: `The input gives ${level}.`, map: "Drag on the map to play it.", prior: priorLine(store) };
    write(this.line, lines[source] || "");
  }
}
