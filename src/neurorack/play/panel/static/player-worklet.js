// Plays the stream from the socket: an adaptive jitter buffer in the audio thread.
//
// The server's clock and the sound card's drift apart, and packets come in bursts. So the buffer aims at a
// target depth: it grows at once after an underrun, shrinks slowly while all is calm, and small errors of
// depth are corrected by reading a little faster or slower (at most 0.5 %, with cubic interpolation).

const CAPACITY = 1 << 17;
const MASK = CAPACITY - 1;
const MIN_TARGET_S = 0.012;
const MAX_TARGET_S = 0.4;
const MAX_STRETCH = 0.005;
const FADE_SAMPLES = 256;

class StreamPlayer extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ring = new Float32Array(CAPACITY);
    this.written = 0;
    this.position = 0; // fractional read position, in samples
    this.target = 0.08 * sampleRate; // cautious at first; `relax` takes back what is not needed
    this.depth = this.target; // smoothed depth
    this.lowest = Infinity; // shallowest depth in the calm since
    this.calmSince = currentTime;
    this.surplus = Infinity; // shallowest depth beyond the target in the last second
    this.surplusSince = currentTime;
    this.jumpFrom = -1; // where the sound came from while a jump is being blended over
    this.playing = false;
    this.fade = 0;
    this.underruns = 0;
    this.reportAt = 0;
    this.tap = null;
    this.port.onmessage = (event) => {
      if (event.data.stream) event.ports[0].onmessage = (packet) => this.receive(packet.data);
      else this.receive(event.data);
    };
  }

  receive(data) {
    if (data instanceof ArrayBuffer) return this.push(new Float32Array(data));
    if (data.reset) {
      this.playing = false;
      this.position = this.written;
      this.fade = 0;
    }
    if (data.tap !== undefined) this.tap = data.tap ? [] : null;
  }

  push(samples) {
    for (let i = 0; i < samples.length; i++) this.ring[(this.written + i) & MASK] = samples[i];
    this.written += samples.length;
    const held = this.written - this.position;
    // After a stall (a sleeping tab, a slow network) do not play the backlog: jump to the target.
    if (held > this.target + 0.25 * sampleRate) {
      this.position = this.written - this.target;
      this.depth = this.target;
      this.fade = 0;
    }
    if (!this.playing && this.written - this.position >= this.target) {
      this.playing = true;
      this.depth = this.target;
      this.fade = 0;
    }
  }

  sample(position) {
    const i = Math.floor(position);
    const t = position - i;
    const b = this.ring[i & MASK];
    if (t < 1e-6) return b;
    const a = this.ring[(i - 1) & MASK];
    const c = this.ring[(i + 1) & MASK];
    const d = this.ring[(i + 2) & MASK];
    const m1 = 0.5 * (c - a);
    const m2 = 0.5 * (d - b);
    const bc = b - c;
    return ((2 * bc + m1 + m2) * t - 3 * bc - 2 * m1 - m2) * t * t + m1 * t + b;
  }

  rate(count) {
    const held = this.written - this.position;
    this.depth += (held - this.depth) * Math.min(1, count / (0.5 * sampleRate));
    const error = (this.depth - this.target) / this.target;
    if (Math.abs(error) < 0.25) return 1; // inside the dead band the samples pass untouched
    return 1 + Math.max(-MAX_STRETCH, Math.min(MAX_STRETCH, 0.01 * error));
  }

  process(_inputs, outputs) {
    const out = outputs[0][0];
    const count = out.length;
    if (this.playing) {
      const rate = this.rate(count);
      if (rate === 1) this.position = Math.round(this.position);
      const held = this.written - this.position;
      this.lowest = Math.min(this.lowest, held);
      this.surplus = Math.min(this.surplus, held - this.target);
      if (held < count * rate + 4) {
        this.underrun(out, held);
      } else {
        for (let i = 0; i < count; i++) {
          out[i] = this.sample(this.position + i * rate);
          if (this.jumpFrom >= 0) out[i] = this.blend(out[i], i / count, this.jumpFrom + i);
          if (this.fade < FADE_SAMPLES) out[i] *= ++this.fade / FADE_SAMPLES;
        }
        this.position += count * rate;
        this.jumpFrom = -1;
        this.catchUp(count);
      }
      this.relax();
    }
    for (let channel = 1; channel < outputs[0].length; channel++) outputs[0][channel].set(out);
    if (this.tap) this.capture(out);
    if (currentTime >= this.reportAt) this.report();
    return true;
  }

  // Fade out on what is left, then wait until a deeper buffer is full again.
  underrun(out, held) {
    const left = Math.max(0, Math.min(out.length, Math.floor(held) - 3));
    for (let i = 0; i < left; i++) out[i] = this.sample(this.position + i) * (1 - i / left);
    this.position += left;
    this.playing = false;
    this.underruns += 1;
    this.target = Math.min(this.target * 1.5 + 0.004 * sampleRate, MAX_TARGET_S * sampleRate);
    this.calmSince = currentTime;
    this.lowest = Infinity;
  }

  // A burst left more in the buffer than it ever needed for a whole second: leave it out, blended over.
  catchUp(count) {
    if (currentTime - this.surplusSince < 1) return;
    if (this.surplus > 0.02 * sampleRate) {
      this.jumpFrom = Math.floor(this.position);
      this.position += Math.floor(this.surplus);
      this.depth -= this.surplus;
      if (this.written - this.position < 2 * count) this.jumpFrom = -1;
    }
    this.surplus = Infinity;
    this.surplusSince = currentTime;
  }

  blend(after, share, before) {
    return after * Math.sin(0.5 * Math.PI * share) + this.sample(before) * Math.cos(0.5 * Math.PI * share);
  }

  // Five calm seconds with room to spare: give a little latency back.
  relax() {
    if (currentTime - this.calmSince < 5) return;
    const spare = this.lowest - 0.004 * sampleRate;
    if (spare > 0.25 * this.target) {
      this.target = Math.max(this.target - 0.25 * spare, MIN_TARGET_S * sampleRate);
    }
    this.calmSince = currentTime;
    this.lowest = Infinity;
  }

  capture(out) {
    this.tap.push(out.slice());
    if (this.tap.length >= 32) {
      this.port.postMessage({ tap: this.tap });
      this.tap = [];
    }
  }

  report() {
    this.reportAt = currentTime + 0.25;
    this.port.postMessage({
      depth_s: Math.max(0, this.written - this.position) / sampleRate,
      target_s: this.target / sampleRate,
      underruns: this.underruns,
      playing: this.playing,
    });
  }
}

registerProcessor("stream-player", StreamPlayer);
