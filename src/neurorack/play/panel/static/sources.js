// Choosing where the sound's identity comes from: hold, wander, clip, live, map, prior.

import { make, mark } from "./dom.js";

export const SOURCES = { hold: "Hold", wander: "Wander", clip: "Clip", live: "Live", map: "Map", prior: "Prior" };
const ABOUT = {
  hold: "One tone, held and alive",
  wander: "A slow walk among neighbouring tones",
  clip: "A recorded gesture, played as a sample",
  live: "The microphone or an input plays the instrument",
  map: "A place on the map of all tones",
  prior: "The instrument plays by itself; take any knob",
};

export class SourceChooser {
  constructor(store, live) {
    this.store = store;
    this.live = live;
    this.buttons = {};
    this.node = make("div", { class: "segments", role: "radiogroup", "aria-label": "Source" });
    for (const [value, text] of Object.entries(SOURCES)) {
      const button = make("button", { type: "button", role: "radio", text, title: ABOUT[value], "data-source": value });
      button.addEventListener("click", () => this.choose(value));
      button.addEventListener("keydown", (event) => this.arrow(event, value));
      this.buttons[value] = button;
      this.node.append(button);
    }
  }

  arrow(event, value) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const open = Object.keys(SOURCES).filter((name) => !this.buttons[name].disabled);
    const next = open[(open.indexOf(value) + step + open.length) % open.length];
    this.buttons[next].focus();
    this.choose(next);
    event.preventDefault();
  }

  choose(value) {
    this.store.send({ type: "source", value });
    if (value === "live") this.live.ask(this.store);
    else if (value !== "prior" || !this.store.number("prior_answers")) this.live.stop();
    if (value === "map") this.store.emit("surface", "map");
  }

  draw() {
    for (const [value, button] of Object.entries(this.buttons)) {
      const on = value === this.store.state.source;
      mark(button, "aria-checked", on);
      button.tabIndex = on ? 0 : -1;
    }
    this.buttons.clip.disabled = !this.store.library.clips.length;
    const { prior } = this.store.instrument;
    this.buttons.prior.disabled = !prior;
    this.buttons.prior.title = prior ? ABOUT.prior : "This instrument does not play by itself yet: neurorack prior trains it to";
  }
}
