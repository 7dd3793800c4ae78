// Where the sound's identity comes from: a held tone, a wandering one, a clip, the microphone.

import { $, make } from "./dom.js";
import { LiveInput } from "./live.js";
import { Slider } from "./slider.js";

const NAMES = { hold: "Hold", wander: "Wander", clip: "Clip", live: "Live" };
const percent = (value) => `${Math.round(value * 100)} %`;

export class SourceSection {
  constructor(store) {
    this.store = store;
    this.live = new LiveInput();
    this.shown = null;
    this.buttons = {};
    for (const [value, text] of Object.entries(NAMES)) {
      const button = make("button", { type: "button", role: "radio", text, "data-source": value });
      button.addEventListener("click", () => this.choose(value));
      button.addEventListener("keydown", (event) => this.arrow(event, value));
      this.buttons[value] = button;
      $("sources").append(button);
    }
  }

  arrow(event, value) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const open = Object.keys(NAMES).filter((name) => !this.buttons[name].disabled);
    const next = open[(open.indexOf(value) + step + open.length) % open.length];
    this.buttons[next].focus();
    this.choose(next);
    event.preventDefault();
  }

  async choose(value) {
    if (value === "live") {
      try {
        await this.live.start();
      } catch (error) {
        const why = error.name === "NotAllowedError" ? "The microphone was not allowed: allow it for this page." : error.message;
        this.store.emit("notice", { level: "error", text: why });
        return;
      }
    } else {
      this.live.stop();
    }
    this.store.send({ type: "source", value });
  }

  configure() {
    this.shown = null;
    this.buttons.clip.disabled = !this.store.instrument.clips.length;
  }

  page(source) {
    const { store } = this;
    const { instrument } = store;
    if (source === "hold") {
      this.tone = make("span", { class: "tone" });
      const step = (by) => () => {
        store.send({ type: "anchor", index: (store.state.anchor + by + instrument.anchors) % instrument.anchors });
      };
      return [
        make(
          "div",
          { class: "stepper" },
          make("button", { type: "button", text: "‹", "aria-label": "Previous tone", onclick: step(-1) }),
          this.tone,
          make("button", { type: "button", text: "›", "aria-label": "Next tone", onclick: step(1) }),
        ),
        new Slider(store, "life", "Life", percent),
      ];
    }
    if (source === "wander") {
      return [
        new Slider(store, "wander_rate_hz", "Rate", (v) => `${v < 1 ? v.toFixed(2) : v.toFixed(1)} tones/s`),
        new Slider(store, "wander_depth", "Depth", percent),
        make("button", { type: "button", class: "chip", text: "Another path", onclick: () => store.send({ type: "reseed" }) }),
      ];
    }
    if (source === "clip") {
      this.clips = make("select", { class: "pick", "aria-label": "Clip" });
      instrument.clips.forEach((clip, i) => this.clips.append(make("option", { value: i, text: clip.name, title: clip.source })));
      this.clips.addEventListener("change", () => store.send({ type: "clip", index: Number(this.clips.value) }));
      return [this.clips, new Slider(store, "clip_speed", "Speed", (v) => (Math.abs(v) < 0.02 ? "frozen" : `${v.toFixed(2)} ×`))];
    }
    this.liveLine = make("p", {});
    return [this.liveLine, new Slider(store, "input_gain_db", "Input gain", (v) => `${v.toFixed(1)} dB`)];
  }

  draw() {
    const { state, instrument } = this.store;
    for (const [value, button] of Object.entries(this.buttons)) {
      const on = value === state.source;
      button.setAttribute("aria-checked", on);
      button.tabIndex = on ? 0 : -1;
    }
    if (this.shown !== state.source) {
      this.shown = state.source;
      this.parts = this.page(state.source);
      $("source-page").replaceChildren(...this.parts.map((part) => part.node || part));
    }
    for (const part of this.parts) if (part.draw) part.draw();
    if (state.source === "hold") {
      this.tone.textContent = `Tone ${(state.anchor % instrument.anchors) + 1} of ${instrument.anchors}`;
    }
    if (state.source === "clip" && document.activeElement !== this.clips) this.clips.value = state.clip;
  }

  drawTelemetry(told) {
    if (this.shown !== "live" || !this.liveLine) return;
    const level = told.input_level_db > -100 ? `${told.input_level_db.toFixed(0)} dB` : "silence";
    this.liveLine.textContent = this.live.active
      ? `Your microphone plays the instrument: ${level}. Headphones keep it from hearing itself.`
      : `Another page, or nobody, gives the microphone: ${level}. Choose Live again to give yours.`;
  }
}
