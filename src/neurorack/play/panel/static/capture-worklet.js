// Hands the microphone's samples to the page in blocks of 512, mixed down to mono.

const BLOCK = 512;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(BLOCK);
    this.filled = 0;
  }

  process(inputs) {
    const channels = inputs[0];
    if (!channels.length) return true;
    for (let i = 0; i < channels[0].length; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      this.block[this.filled++] = sum / channels.length;
      if (this.filled === BLOCK) {
        const full = this.block.buffer;
        this.block = new Float32Array(BLOCK);
        this.filled = 0;
        this.port.postMessage(full, [full]);
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
