// Asked against heard over the last seconds: one lane for each descriptor.

import { $, colours, fitCanvas, font } from "./dom.js";

const SECONDS = 8;
const GUTTER = 78; // for the names

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
    if (!$("scope").offsetParent) return; // nobody looks at a page that is not shown
    const { context, width, height } = fitCanvas($("scope"));
    const { controls } = this.store.instrument;
    context.clearRect(0, 0, width, height);
    const lane = height / controls.length;
    context.font = font(11.5);
    context.textBaseline = "middle";
    controls.forEach((control, i) => {
      const top = i * lane;
      context.fillStyle = colours.well;
      context.beginPath();
      context.roundRect(0, top + 1, width, lane - 3, 6);
      context.fill();
      const box = { left: GUTTER, top: top + 5, width: width - GUTTER - 4, height: lane - 11 };
      this.line(context, box, now, (sample) => sample.asked[i], colours.asked);
      this.line(context, box, now, (sample) => sample.heard && sample.heard[i], colours.heard);
      context.fillStyle = colours["ink-2"];
      context.fillText(control.label, 9, top + lane / 2, GUTTER - 14);
    });
  }

  line(context, box, now, pick, colour) {
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
      const x = box.left + box.width * (1 - (now - sample.at) / (SECONDS * 1000));
      const y = box.top + box.height * (0.5 - 0.5 * Math.max(-1, Math.min(1, value)));
      if (pen) context.lineTo(x, y);
      else context.moveTo(x, y);
      pen = true;
    }
    context.stroke();
  }
}
