// What goes to the player: at once, and in order; a value that moves faster than it can be used is thinned out.

const EVERY_MS = 8;

export class Outgoing {
  constructor() {
    this.transmit = () => false;
    this.waiting = new Map(); // key -> message that is not sent yet
    this.sent = new Map(); // key -> time it was last sent
    this.timer = 0;
  }

  send(message) {
    this.flush();
    return this.transmit(message);
  }

  // Only the newest message of a key matters; the first goes at once, the last always arrives.
  latest(key, message) {
    const now = performance.now();
    const since = now - (this.sent.get(key) ?? -Infinity);
    if (since >= EVERY_MS && !this.waiting.has(key)) {
      this.sent.set(key, now);
      this.transmit(message);
      return;
    }
    this.waiting.set(key, message);
    if (!this.timer) this.timer = setTimeout(() => this.flush(), EVERY_MS);
  }

  flush() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (!this.waiting.size) return;
    const now = performance.now();
    for (const [key, message] of this.waiting) {
      this.sent.set(key, now);
      this.transmit(message);
    }
    this.waiting.clear();
  }
}
