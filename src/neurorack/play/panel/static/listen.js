// Plays the instrument's stream in this page: socket -> AudioWorklet -> speakers.

import { openSocket } from "./socket.js";

export class Listener {
  constructor(onReport) {
    this.onReport = onReport;
    this.context = null;
    this.node = null;
    this.socket = null;
    this.received = 0;
  }

  get active() {
    return this.socket !== null;
  }

  // Must be called from a gesture, or browsers keep the context silent.
  async start(sampleRate) {
    if (this.context && this.context.sampleRate !== sampleRate) await this.stop();
    if (!this.context) {
      this.context = new AudioContext({ sampleRate, latencyHint: "interactive" });
      const resumed = this.context.resume();
      await this.context.audioWorklet.addModule("player-worklet.js");
      this.node = new AudioWorkletNode(this.context, "stream-player", { numberOfInputs: 0, outputChannelCount: [2] });
      this.node.port.onmessage = (event) => this.fromWorklet(event.data);
      this.node.connect(this.context.destination);
      await resumed;
    } else {
      await this.context.resume();
    }
    if (!this.socket) {
      this.socket = openSocket("audio", {
        onBinary: (data) => this.play(data),
        onOpen: () => this.node && this.node.port.postMessage({ reset: true }),
      });
    }
  }

  play(data) {
    // Twelve bytes of header: channels (uint32), then the index of the first sample (uint64).
    const header = new DataView(data);
    const channels = header.getUint32(0, true);
    let samples = new Float32Array(data, 12);
    if (channels > 1) samples = samples.slice(0, samples.length / channels); // the first channel
    else samples = samples.slice();
    this.received += samples.length;
    this.node.port.postMessage(samples.buffer, [samples.buffer]);
  }

  fromWorklet(data) {
    if (data.tap) {
      if (this.onTap) this.onTap(data.tap);
      return;
    }
    const device = (this.context.baseLatency || 0) + (this.context.outputLatency || 0);
    this.onReport({ ...data, device_s: device, state: this.context.state });
  }

  // For tests and recordings: the very samples that the worklet gave to the output, for `seconds`.
  capture(seconds) {
    return new Promise((resolve) => {
      const wanted = Math.round(seconds * this.context.sampleRate);
      const blocks = [];
      let count = 0;
      this.onTap = (tapped) => {
        for (const block of tapped) {
          blocks.push(block);
          count += block.length;
        }
        if (count < wanted) return;
        this.onTap = null;
        this.node.port.postMessage({ tap: false });
        const all = new Float32Array(count);
        let at = 0;
        for (const block of blocks) {
          all.set(block, at);
          at += block.length;
        }
        resolve(Array.from(all.subarray(0, wanted)));
      };
      this.node.port.postMessage({ tap: true });
    });
  }

  async stop() {
    if (this.socket) this.socket.close();
    if (this.context) await this.context.close();
    this.socket = this.context = this.node = null;
  }
}
