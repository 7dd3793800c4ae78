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
    this.rings = [new Float32Array(CAPACITY), new Float32Array(CAPACITY)]; // left, right
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
    if (data instanceof ArrayBuffer) return this.push(data);
    if (data.reset) {
      this.playing = false;
      this.position = this.written;
      this.fade = 0;
    }
    if (data.tap !== undefined) this.tap = data.tap ? [] : null;
  }

  // Twelve bytes of header: channels (uint32), then the index of the first sample (uint64); then float32 by channel.
  push(packet) {
    const channels = new DataView(packet).getUint32(0, true);
    const samples = new Float32Array(packet, 12);
    const count = Math.floor(samples.length / channels);
    this.rings.forEach((ring, side) => {
      const first = Math.min(side, channels - 1) * count; // one channel sounds on both sides
      for (let i = 0; i < count; i++) ring[(this.written + i) & MASK] = samples[first + i];
    });
    this.written += count;
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

  sample(ring, position) {
    const i = Math.floor(position);
    const t = position - i;
    const b = ring[i & MASK];
    if (t < 1e-6) return b;
    const a = ring[(i - 1) & MASK];
    const c = ring[(i + 1) & MASK];
    const d = ring[(i + 2) & MASK];
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
    const sides = outputs[0];
    const count = sides[0].length;
    if (this.playing) {
      const rate = this.rate(count);
      if (rate === 1) this.position = Math.round(this.position);
      const held = this.written - this.position;
      this.lowest = Math.min(this.lowest, held);
      this.surplus = Math.min(this.surplus, held - this.target);
      if (held < count * rate + 4) {
        this.underrun(sides, held);
      } else {
        sides.forEach((out, side) => this.fill(out, this.rings[side & 1], rate));
        this.fade = Math.min(FADE_SAMPLES, this.fade + count);
        this.position += count * rate;
        this.jumpFrom = -1;
        this.catchUp(count);
      }
      this.relax();
    }
    if (this.tap) this.capture(sides[0]);
    if (currentTime >= this.reportAt) this.report();
    return true;
  }

  fill(out, ring, rate) {
    const count = out.length;
    for (let i = 0; i < count; i++) {
      out[i] = this.sample(ring, this.position + i * rate);
      if (this.jumpFrom >= 0) out[i] = this.blend(out[i], i / count, this.sample(ring, this.jumpFrom + i));
      const fade = this.fade + i + 1;
      if (fade < FADE_SAMPLES) out[i] *= fade / FADE_SAMPLES;
    }
  }

  // Fade out on what is left, then wait until a deeper buffer is full again.
  underrun(sides, held) {
    const left = Math.max(0, Math.min(sides[0].length, Math.floor(held) - 3));
    sides.forEach((out, side) => {
      const ring = this.rings[side & 1];
      for (let i = 0; i < left; i++) out[i] = this.sample(ring, this.position + i) * (1 - i / left);
    });
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
    return after * Math.sin(0.5 * Math.PI * share) + before * Math.cos(0.5 * Math.PI * share);
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
