// Plays the instrument's stream in this page: socket (in a worker) -> AudioWorklet -> speakers.

export class Listener {
  constructor(onReport) {
    this.onReport = onReport;
    this.context = null;
    this.node = null;
    this.worker = null;
    this.ready = null; // the preparation that runs or ran
    this.active = false;
  }

  // Everything that needs no gesture, so that Play finds it done.
  prepare(sampleRate) {
    this.ready ||= this.build(sampleRate);
    return this.ready;
  }

  async build(sampleRate) {
    const context = new AudioContext({ sampleRate, latencyHint: "interactive" });
    this.context = context;
    this.worker = new Worker("stream-worker.js", { type: "module" });
    await context.audioWorklet.addModule("player-worklet.js");
    if (this.context !== context) return; // stopped meanwhile
    this.node = new AudioWorkletNode(context, "stream-player", { numberOfInputs: 0, outputChannelCount: [2] });
    this.node.port.onmessage = (event) => this.fromWorklet(event.data);
    this.node.connect(context.destination);
    const { port1, port2 } = new MessageChannel();
    this.node.port.postMessage({ stream: true }, [port1]);
    this.worker.postMessage("player", [port2]);
  }

  // Must be called from a gesture, or browsers keep the context silent.
  async start(sampleRate) {
    if (this.context && this.context.sampleRate !== sampleRate) await this.stop();
    const prepared = this.prepare(sampleRate);
    const resumed = this.context.resume();
    this.active = true;
    this.worker.postMessage("open");
    await prepared;
    await resumed;
  }

  fromWorklet(data) {
    if (!this.context) return; // the last words of a player that was stopped
    if (data.tap) {
      if (this.onTap) this.onTap(data.tap);
      return;
    }
    const device = (this.context.baseLatency || 0) + (this.context.outputLatency || 0);
    this.onReport({ ...data, device_s: device, behind_s: data.depth_s + device, state: this.context.state });
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
    const { worker, context } = this;
    this.worker = this.context = this.node = this.ready = null;
    this.active = false;
    if (worker) worker.terminate();
    if (context) await context.close();
  }
}
