// The setup page: how the sound leaves, what plays it, what was learned, and how the page looks.

import { button, make, times, write } from "./dom.js";

const BACKENDS = { sounddevice: "Sound card", jack: "JACK", browser: "This page", null: "Nowhere (silent clock)" };

export class SetupPage {
  constructor(store, listening) {
    this.store = store;
    this.listening = listening;
    this.values = {};
    const row = (key, title) => {
      this.values[key] = make("dd");
      return make("div", {}, make("dt", { text: title }), this.values[key]);
    };
    const block = (title, ...parts) => make("div", { class: "block" }, make("h2", { text: title }), ...parts);
    this.jacks = make("div", { class: "jacks" });
    this.learned = make("div", { class: "learned" });
    this.nodes = [
      block("Sound", make("dl", { class: "facts" },
        row("out", "Out"), row("device", "Device"), row("rate", "Rate"), row("block", "Block"), row("latency", "Latency"),
        row("load", "Load"), row("dropped", "Dropped"), row("why", "Because"), row("restarts", "Restarts"))),
      block("Hands", make("dl", { class: "facts" }, row("midi", "MIDI in"), row("osc", "OSC"), row("voices", "Voices"), row("input", "Input")),
        make("h2", { text: "Learned controllers" }), this.learned),
      block("Jacks", this.jacks, make("h2", { text: "This page" }), make("dl", { class: "facts" }, row("page", "Sound here")),
        make("div", { class: "row" },
          button("Dark or light", () => document.dispatchEvent(new Event("toggle-theme")), { id: "theme" }),
          button("Everything afresh", () => store.send({ type: "panic" }), { title: "Silence, and every stream starts afresh" })),
        make("p", { class: "about", text: "Right-click a knob (or press it long) for figures, origins, modulation and MIDI learn." })),
    ];
  }

  // The channels that are plugged in, as sockets: inputs first, outputs filled.
  drawJacks(status) {
    const names = [["in", status.inputs], ["out", status.outputs]].map(([way, text]) => [way, (text || "").split(",").filter(Boolean)]);
    const key = JSON.stringify(names);
    if (key === this.jacksShown) return;
    this.jacksShown = key;
    const socket = (way, name) =>
      make("div", { class: `socket-box ${way}` }, make("i", { class: "jack large", "aria-hidden": "true" }), make("span", { text: name.trim().replaceAll("_", " ") }));
    const rows = names.map(([way, all]) =>
      make("div", { class: "jack-row", role: "group", "aria-label": way === "in" ? "Inputs" : "Outputs" }, make("b", { text: way }),
        ...(all.length ? all.map((name) => socket(way, name)) : [make("span", { class: "about", text: "None" })])));
    this.jacks.replaceChildren(...rows);
  }

  draw() {
    const { store, values } = this;
    const told = store.telemetry;
    if (told) {
      const { status } = told;
      const late = this.listening();
      const kilo = (rate) => `${(rate / 1000).toFixed(1)} kHz`;
      write(values.out, status.running ? BACKENDS[status.backend] || status.backend : "Starting …");
      write(values.device, status.device || "–");
      values.device.parentNode.hidden = ["browser", "null"].includes(status.backend);
      write(values.rate, status.device_rate === status.sample_rate ? kilo(status.sample_rate) : `${kilo(status.sample_rate)}, resampled to ${kilo(status.device_rate)}`);
      write(values.block, `${status.block} samples`);
      const behind_s = late && late.active ? late.behind_s : 0;
      write(values.latency, `${(1000 * (status.latency_s + behind_s)).toFixed(behind_s ? 0 : 1)} ms`);
      write(values.load, `${Math.round(100 * told.load)} %, at worst ${Math.round(100 * (told.load_peak || 0))} %`);
      const causes = [[status.dropped_late, "late"], [status.dropped_device, "by the device"], [status.dropped_failed, "failed"]];
      const shares = causes.filter(([count]) => count).map(([count, cause]) => `${count} ${cause}`);
      write(values.dropped, shares.length ? `${status.dropped}: ${shares.join(", ")}` : String(status.dropped));
      this.drawJacks(status);
      write(values.why, status.why);
      values.why.parentNode.hidden = !status.why;
      write(values.restarts, String(status.restarts));
      write(values.midi, (status.midi || []).join(", ") || "None");
      write(values.osc, status.osc ? `Port ${status.osc}` : "Off");
      write(values.voices, String(told.voices ?? 0));
      write(values.input, told.input_level_db > -100 ? `${told.input_level_db.toFixed(0).replace("-", "−")} dB` : "Silence");
      const page = late && late.active ? `${(1000 * behind_s).toFixed(0)} ms behind, ran dry ${times(late.underruns)}` : "Off";
      write(values.page, page);
    }
    const key = JSON.stringify(store.state.learned);
    if (key === this.shown) return;
    this.shown = key;
    const rows = Object.entries(store.state.learned).map(([target, what]) =>
      make("div", { class: "row" }, make("span", { class: "grow", text: `${what} moves ${store.label(target)}` }),
        button("Forget", () => store.send({ type: "unlearn", target }))));
    this.learned.replaceChildren(...(rows.length ? rows : [make("p", { class: "about", text: "None yet: right-click a knob and choose MIDI learn." })]));
  }
}
