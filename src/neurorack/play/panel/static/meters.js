// Level, spectrum, and the readouts of how the sound is doing.

import { $, colours, fitCanvas, font, mark, times } from "./dom.js";

const FLOOR_DB = -60;
const SPECTRUM_LOW_DB = -96;
const SPECTRUM_HIGH_DB = -16;
const BACKENDS = { sounddevice: "sound card", jack: "JACK", browser: "this page", null: "nowhere" };

export class Meters {
  constructor() {
    this.levels = [FLOOR_DB, FLOOR_DB]; // left, right
    this.peak = FLOOR_DB;
    this.peakAt = 0;
    this.bars = null;
    this.listening = null; // the last report of the page's own player
  }

  take(told, now) {
    const peak = 20 * Math.log10(Math.max(told.peak, 1e-6));
    const sides = told.levels_db || [told.level_db, told.level_db];
    this.levels = this.levels.map((level, side) => Math.max(sides[side] ?? FLOOR_DB, level - 1.2));
    if (peak > this.peak || now - this.peakAt > 1200) {
      this.peak = peak;
      this.peakAt = now;
    }
    if (!this.bars || this.bars.length !== told.spectrum.length) this.bars = told.spectrum.slice();
    this.bars = this.bars.map((bar, i) => Math.max(told.spectrum[i], bar - 2.5));
    this.readouts(told);
  }

  readouts(told) {
    const { status } = told;
    const late = this.listening && this.listening.active;
    const page = late ? this.listening.behind_s : 0;
    const dropped = status.dropped + (late ? this.listening.underruns : 0);
    const rate = window.innerWidth > 620 ? `, ${(status.device_rate / 1000).toFixed(1)} kHz` : ""; // phones: page Setup
    this.write("backend", status.running ? `${BACKENDS[status.backend] || status.backend}${rate}` : "starting…", !status.running && "warn");
    $("backend").title = `${status.device}; ${status.block} samples a block`;
    this.write("latency", `${(1000 * (status.latency_s + page)).toFixed(page ? 0 : 1)} ms`);
    this.write("load", `${Math.round(told.load * 100)} %`, told.load > 0.9 ? "bad" : told.load > 0.65 && "warn");
    this.write("dropped", String(dropped), dropped > 0 && "warn");
    const dry = late ? ` The page ran dry ${times(this.listening.underruns)}.` : "";
    $("dropped").title = `${status.dropped} blocks dropped. ${status.why || ""}${dry}`;
  }

  write(id, text, mark = "") {
    const node = $(id);
    if (node.textContent !== text) node.textContent = text;
    node.className = mark || "";
  }

  draw() {
    this.drawMeter();
    if ($("spectrum").offsetParent) this.drawSpectrum(); // nobody looks at a page that is not shown
  }

  drawMeter() {
    const { context, width, height } = fitCanvas($("meter-canvas"));
    context.clearRect(0, 0, width, height);
    const place = (db) => width * Math.max(0, Math.min(1, (db - FLOOR_DB) / -FLOOR_DB));
    const bar = 5;
    const fill = context.createLinearGradient(0, 0, width, 0);
    fill.addColorStop(0, colours.heard);
    fill.addColorStop(0.8, colours.heard);
    fill.addColorStop(0.92, colours.warn);
    fill.addColorStop(1, colours.bad);
    this.levels.forEach((level, side) => {
      const top = 2 + side * (bar + 2);
      for (const [style, wide] of [[colours.well, width], [fill, place(level)]]) {
        context.fillStyle = style;
        context.beginPath();
        context.roundRect(0, top, wide, bar, 2.5);
        context.fill();
      }
    });
    if (this.peak > FLOOR_DB) {
      context.fillStyle = this.peak > -0.3 ? colours.bad : colours.ink;
      context.fillRect(Math.min(width - 2, place(this.peak)), 1, 2, 2 * bar + 4);
    }
    context.fillStyle = colours["ink-3"];
    context.font = font(10.5);
    for (const db of [-48, -36, -24, -12, 0]) {
      context.textAlign = db === 0 ? "right" : "center";
      context.fillText(db === 0 ? "0" : String(db).replace("-", "−"), place(db), 28);
    }
    mark($("meter"), "aria-valuenow", Math.round(Math.max(FLOOR_DB, ...this.levels)));
  }

  drawSpectrum() {
    const { context, width, height } = fitCanvas($("spectrum"));
    context.clearRect(0, 0, width, height);
    if (!this.bars) return;
    const step = width / this.bars.length;
    context.fillStyle = colours.heard;
    this.bars.forEach((db, i) => {
      const tall = Math.max(1.5, (height - 14) * Math.min(1, (db - SPECTRUM_LOW_DB) / (SPECTRUM_HIGH_DB - SPECTRUM_LOW_DB)));
      context.globalAlpha = 0.35 + 0.65 * (tall / height);
      context.fillRect(i * step, height - 14 - tall, Math.max(1, step - 1.5), tall);
    });
    context.globalAlpha = 1;
    context.fillStyle = colours["ink-3"];
    context.font = font(10.5);
    context.textAlign = "center";
    for (const [hz, text] of [[100, "100"], [1000, "1 kHz"], [10000, "10 k"]]) {
      context.fillText(text, (width * Math.log(hz / 40)) / Math.log(18000 / 40), height - 2);
    }
  }
}
