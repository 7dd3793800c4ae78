// What the page knows: the instrument, the shared performance, the newest telemetry. Views subscribe to it.

export class Store extends EventTarget {
  constructor() {
    super();
    this.instrument = null;
    this.instruments = [];
    this.specs = {};
    this.state = null;
    this.telemetry = null;
    this.send = () => false;
    this.touched = new Map(); // control name -> time of the last own gesture, so that echoes do not pull it back
  }

  receive(message) {
    if (message.type === "hello") {
      this.instrument = message.instrument;
      this.instruments = message.instruments;
      this.specs = Object.fromEntries(message.specs.map((spec) => [spec.name, spec]));
      this.state = message.state;
      this.touched.clear();
      this.emit("hello");
      this.emit("state");
    } else if (message.type === "state") {
      const now = performance.now();
      const own = { ...message.state.asked };
      for (const [name, at] of this.touched) {
        if (now - at < 400) {
          if (name in this.state.asked) own[name] = this.state.asked[name];
          else delete own[name];
        }
      }
      this.state = { ...message.state, asked: own };
      this.emit("state");
    } else if (message.type === "telemetry") {
      this.telemetry = message;
      this.emit("telemetry");
    } else if (message.type === "notice") {
      this.emit("notice", message);
    }
  }

  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  on(type, listener) {
    this.addEventListener(type, (event) => listener(event.detail));
  }

  control(name) {
    return this.instrument.controls.find((control) => control.name === name);
  }

  index(name) {
    return this.instrument.controls.findIndex((control) => control.name === name);
  }

  // The value a control is asked for, normalised: the hand's, or what the source gives.
  asked(name) {
    if (name in this.state.asked) return this.state.asked[name];
    const i = this.index(name);
    const told = this.telemetry && this.telemetry.asked[i];
    return told === undefined || told === null ? this.control(name).initial : told;
  }

  held(name) {
    return name in this.state.asked;
  }

  setControl(name, value) {
    const clamped = Math.max(-1, Math.min(1, value));
    this.state.asked[name] = clamped;
    this.touched.set(name, performance.now());
    this.send({ type: "control", name, value: clamped });
    this.emit("state");
  }

  releaseControl(name) {
    delete this.state.asked[name];
    this.touched.set(name, performance.now());
    this.send({ type: "release", name });
    this.emit("state");
  }

  setNumber(name, value) {
    this.state.numbers[name] = value;
    this.send({ type: "set", name, value });
    this.emit("state");
  }
}
