// Asked against heard over the last seconds: one lane for each descriptor.

import { $, colours, fitCanvas } from "./dom.js";

const SECONDS = 8;

export class Scope {
  constructor(store) {
    this.store = store;
    this.history = [];
  }

  configure() {
    this.history = [];
  }

  take(told, now) {
    this.history.push({
      at: now,
      asked: told.asked,
      heard: told.sounding && told.measuring ? told.measured : null,
    });
    while (this.history.length && now - this.history[0].at > SECONDS * 1000) this.history.shift();
  }

  draw(now) {
    const { context, width, height } = fitCanvas($("scope"));
    const { controls } = this.store.instrument;
    context.clearRect(0, 0, width, height);
    const lane = height / controls.length;
    context.font = "11px ui-sans-serif, system-ui, sans-serif";
    context.textBaseline = "top";
    controls.forEach((control, i) => {
      const top = i * lane;
      context.fillStyle = colours.well;
      context.beginPath();
      context.roundRect(0, top + 1, width, lane - 3, 6);
      context.fill();
      this.line(context, width, top + 4, lane - 9, now, (sample) => sample.asked[i], colours.asked);
      this.line(context, width, top + 4, lane - 9, now, (sample) => sample.heard && sample.heard[i], colours.heard);
      context.fillStyle = colours["ink-3"];
      context.fillText(control.label, 8, top + 5);
    });
  }

  line(context, width, top, height, now, pick, colour) {
    context.strokeStyle = colour;
    context.lineWidth = 1.7;
    context.lineJoin = "round";
    context.beginPath();
    let pen = false;
    for (const sample of this.history) {
      const value = pick(sample);
      if (value === null || value === undefined) {
        pen = false;
        continue;
      }
      const x = width * (1 - (now - sample.at) / (SECONDS * 1000));
      const y = top + height * (0.5 - 0.5 * Math.max(-1, Math.min(1, value)));
      if (pen) context.lineTo(x, y);
      else context.moveTo(x, y);
      pen = true;
    }
    context.stroke();
  }
}
