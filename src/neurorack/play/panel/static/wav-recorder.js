// Records the microphone in the page: worklet -> 24-bit mono WAV. Nothing is sent while it records.

import { openMicrophone } from "./live.js";

export const LONGEST_S = 30 * 60;
const BLOCKS_A_PIECE = 900; // about ten seconds: a piece is the browser's to keep, in memory or on disk

export class WavRecorder {
  constructor() {
    this.stream = null;
    this.context = null;
    this.level = 0;
    this.samples = 0;
    this.onFull = () => {};
  }

  get active() {
    return this.stream !== null;
  }

  get seconds() {
    return this.context ? this.samples / this.context.sampleRate : 0;
  }

  async start() {
    if (this.active) return;
    this.stream = await openMicrophone();
    this.pieces = [];
    this.blocks = [];
    this.samples = 0;
    this.context = new AudioContext();
    await this.context.audioWorklet.addModule("capture-worklet.js");
    const node = new AudioWorkletNode(this.context, "capture", { numberOfOutputs: 0 });
    node.port.onmessage = (event) => this.take(new Float32Array(event.data));
    this.context.createMediaStreamSource(this.stream).connect(node);
    await this.context.resume();
  }

  take(block) {
    if (!this.active) return;
    const bytes = new Uint8Array(3 * block.length);
    let peak = 0;
    for (let i = 0; i < block.length; i++) {
      peak = Math.max(peak, Math.abs(block[i]));
      const value = Math.round(8388607 * Math.max(-1, Math.min(1, block[i])));
      bytes[3 * i] = value & 255;
      bytes[3 * i + 1] = (value >> 8) & 255;
      bytes[3 * i + 2] = (value >> 16) & 255;
    }
    this.level = Math.max(peak, this.level * 0.94);
    this.samples += block.length;
    this.blocks.push(bytes);
    if (this.blocks.length >= BLOCKS_A_PIECE) {
      this.pieces.push(new Blob(this.blocks));
      this.blocks = [];
    }
    if (this.seconds >= LONGEST_S) this.onFull();
  }

  // The recording as a WAV file; null if there is none.
  async stop() {
    if (!this.active) return null;
    for (const track of this.stream.getTracks()) track.stop();
    this.stream = null;
    const rate = this.context.sampleRate;
    const file = new Blob([header(rate, this.samples), ...this.pieces, ...this.blocks], { type: "audio/wav" });
    const some = this.samples > 0;
    this.pieces = this.blocks = [];
    this.level = this.samples = 0;
    await this.context.close();
    this.context = null;
    return some ? file : null;
  }
}

function header(rate, samples) {
  const view = new DataView(new ArrayBuffer(44));
  const text = (at, word) => [...word].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 3 * samples, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // integers
  view.setUint16(22, 1, true); // mono
  view.setUint32(24, rate, true);
  view.setUint32(28, 3 * rate, true);
  view.setUint16(32, 3, true);
  view.setUint16(34, 24, true);
  text(36, "data");
  view.setUint32(40, 3 * samples, true);
  return view.buffer;
}
