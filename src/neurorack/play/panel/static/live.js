// The microphone as a source: getUserMedia -> worklet -> socket -> the instrument's encoder.

import { openSocket } from "./socket.js";

const REFUSALS = {
  NotFoundError: "There is no microphone: plug one in, or start the player with --input to use a sound card's.",
  NotAllowedError: "The browser keeps the microphone from this page: allow it in the address bar.",
  NotReadableError: "Another program holds the microphone: close it there.",
};

// The microphone as it is, without what makes speech clearer. What is in the way is said in words.
export async function openMicrophone() {
  if (!navigator.mediaDevices) {
    throw new Error("This browser gives no microphone here: open the panel on 127.0.0.1 or localhost.");
  }
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  return navigator.mediaDevices.getUserMedia({ audio }).catch((error) => {
    throw new Error(REFUSALS[error.name] || error.message);
  });
}

export class LiveInput {
  constructor() {
    this.stream = null;
    this.context = null;
    this.socket = null;
    this.level = 0;
  }

  get active() {
    return this.stream !== null;
  }

  // Ask for the microphone; without it, the player's own inputs and the feedback still play.
  async ask(store) {
    try {
      await this.start();
    } catch (error) {
      const why = error.name === "NotAllowedError" ? "The microphone was not allowed: allow it for this page." : error.message;
      store.emit("notice", { level: "warn", text: why });
    }
  }

  async start() {
    if (this.active) return;
    this.stream = await openMicrophone();
    this.context = new AudioContext({ latencyHint: "interactive" });
    await this.context.audioWorklet.addModule("capture-worklet.js");
    const node = new AudioWorkletNode(this.context, "capture", { numberOfOutputs: 0 });
    this.socket = openSocket(`input?rate=${Math.round(this.context.sampleRate)}`);
    node.port.onmessage = (event) => {
      let peak = 0;
      for (const x of new Float32Array(event.data)) peak = Math.max(peak, Math.abs(x));
      this.level = Math.max(peak, this.level * 0.9);
      if (this.socket) this.socket.send(event.data);
    };
    this.context.createMediaStreamSource(this.stream).connect(node);
    await this.context.resume();
  }

  async stop() {
    if (this.socket) this.socket.close();
    if (this.stream) for (const track of this.stream.getTracks()) track.stop();
    if (this.context) await this.context.close();
    this.stream = this.context = this.socket = null;
    this.level = 0;
  }
}
