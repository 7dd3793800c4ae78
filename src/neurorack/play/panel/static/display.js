// The instrument's small display: 128 by 64 pixels of one bit, drawn by the renderer that hardware shares.

import { $, colours } from "./dom.js";

const WIDTH = 128;
const HEIGHT = 64;

export class Display {
  constructor(store) {
    this.bytes = null;
    this.stale = true;
    const take = (bits) => {
      this.bytes = Uint8Array.from(atob(bits), (letter) => letter.charCodeAt(0));
      this.stale = true;
    };
    store.on("display", ({ bits }) => take(bits));
    store.on("hello", ({ display }) => display && take(display));
    document.addEventListener("colours", () => (this.stale = true));
  }

  draw() {
    if (!this.stale) return;
    this.stale = false;
    const context = $("display").getContext("2d");
    context.clearRect(0, 0, WIDTH, HEIGHT);
    if (!this.bytes) return;
    context.fillStyle = colours.oled;
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) {
        if (this.bytes[(y * WIDTH + x) >> 3] & (128 >> (x & 7))) context.fillRect(x, y, 1, 1);
      }
    }
  }
}
