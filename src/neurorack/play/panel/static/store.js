// What the page knows: instrument, parameters, the shared performance, library, newest telemetry. Views subscribe.

import { Outgoing } from "./outgoing.js";

const OWN_MS = 400; // for so long after a gesture of this hand, echoes do not pull its value back

const WHOLE = new Set(["undo", "redo", "preset_load", "preset_morph", "randomise", "instrument"]); // these move everything

export class Store extends EventTarget {
  constructor() {
    super();
    this.instrument = null;
    this.instruments = [];
    this.params = []; // specs in the order of telemetry.travel
    this.specs = {}; // the same by name
    this.modSources = [];
    this.routeCurves = [];
    this.state = null;
    this.library = { clips: [], presets: [], tunings: [], takes: [], material: { able: true, sets: [] } };
    this.telemetry = null;
    this.known = []; // how well each region of the map is known, 0..1
    this.touched = new Map(); // "asked brightness", "numbers life", "latched" … -> time of the last own gesture
    this.outgoing = new Outgoing();
  }

  send(message) {
    if (WHOLE.has(message.type)) this.touched.clear();
    this.outgoing.send(message);
  }

  receive(message) {
    const { type } = message;
    if (type === "hello") this.welcome(message);
    else if (type === "state") this.adopt(message.state);
    else if (type === "library") this.library = { ...this.library, ...message };
    else if (type === "telemetry") this.telemetry = message;
    else if (type === "known") this.known = message.known;
    if (type === "hello") this.emit("library");
    this.emit(type, message);
    if (type === "hello") this.emit("state");
  }

  welcome(message) {
    this.instrument = message.instrument;
    this.instruments = message.instruments;
    this.params = message.params;
    this.specs = Object.fromEntries(message.params.map((spec) => [spec.name, spec]));
    this.indices = Object.fromEntries(message.params.map((spec, i) => [spec.name, i]));
    this.modSources = message.mod_sources;
    this.routeCurves = message.route_curves;
    this.library = { ...this.library, ...message.library };
    this.state = message.state;
    this.known = message.known;
    this.telemetry = null;
    this.touched.clear();
  }

  // The new state, except for what this hand is moving right now; that follows when the hand has come to rest.
  adopt(state) {
    const now = performance.now();
    clearTimeout(this.later);
    const told = this.touched.size ? structuredClone(state) : null;
    let rest = 0;
    for (const [key, at] of this.touched) {
      const left = at + OWN_MS - now;
      if (left <= 0) {
        this.touched.delete(key);
        continue;
      }
      rest = Math.max(rest, left);
      const [part, name] = key.split(" ");
      if (name === undefined) state[part] = this.state[part];
      else if (this.state[part] && name in this.state[part]) state[part][name] = this.state[part][name];
      else delete state[part][name];
    }
    if (rest) {
      this.later = setTimeout(() => {
        this.adopt(told);
        this.emit("state");
      }, rest + 1);
    }
    this.state = state;
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

  // The label of a parameter or control, with its page where labels repeat ("Rate" alone says little).
  label(target) {
    const control = this.control(target);
    if (control) return control.label;
    const spec = this.specs[target];
    if (!spec) return target;
    const alone = this.params.filter((other) => other.label === spec.label).length === 1;
    return alone ? spec.label : `${groupLabel(spec.group)} ${spec.label.toLowerCase()}`;
  }

  // The value a control is asked for, normalised: the hand's, or what the source gives.
  asked(name) {
    if (name in this.state.asked) return this.state.asked[name];
    const told = this.telemetry && this.telemetry.asked[this.index(name)];
    return told === undefined || told === null ? this.control(name).initial : told;
  }

  held(name) {
    return name in this.state.asked;
  }

  number(name) {
    return this.state.numbers[name];
  }

  // Where a parameter really stands after modulation, 0..1; null while that is unknown.
  travel(name) {
    const all = this.telemetry && this.telemetry.travel;
    const value = all && all[this.indices[name]];
    return value === undefined ? null : value;
  }

  routesTo(target) {
    return this.state.routes.filter((route) => route.target === target);
  }

  setControl(name, value) {
    const clamped = Math.max(-1, Math.min(1, value));
    this.own("asked", name, clamped);
    this.outgoing.latest(`control ${name}`, { type: "control", name, value: clamped });
  }

  releaseControl(name) {
    delete this.state.asked[name];
    this.touched.set(`asked ${name}`, performance.now());
    this.send({ type: "release", name });
    this.emit("state");
  }

  setNumber(name, value) {
    this.own("numbers", name, value);
    this.outgoing.latest(`set ${name}`, { type: "set", name, value });
  }

  // offset, scale or origin of a control
  setPart(part, name, value) {
    this.own(part, name, value);
    this.outgoing.latest(`${part} ${name}`, { type: part, name, value });
  }

  own(part, name, value) {
    this.state[part][name] = value;
    this.touched.set(`${part} ${name}`, performance.now());
    this.emit("state");
  }

  // Hold the gate open, or let it go. A second press means the opposite though the player has not answered yet.
  latch(on) {
    this.send({ type: "latch", on });
    if (!this.state) return; // pressed before the player's first greeting
    for (const part of ["latched", "gate"]) {
      this.state[part] = on; // letting go lets everything go
      this.touched.set(part, performance.now());
    }
    this.emit("state");
  }

  // Fill a slot of the modulation matrix; without a slot, the first free one. False when all are taken.
  route(route) {
    const taken = new Set(this.state.routes.map((other) => other.slot));
    let { slot } = route;
    if (slot === undefined) slot = [...Array(16).keys()].find((i) => !taken.has(i));
    if (slot === undefined) return false;
    const whole = { offset: 0, curve: "linear", slew_s: 0, ...route, slot };
    this.state.routes = [...this.state.routes.filter((other) => other.slot !== slot), whole].sort((a, b) => a.slot - b.slot);
    this.outgoing.latest(`route ${slot}`, { type: "route", ...whole });
    this.emit("state");
    return true;
  }

  unroute(slot) {
    this.state.routes = this.state.routes.filter((route) => route.slot !== slot);
    this.send({ type: "unroute", slot });
    this.emit("state");
  }
}

const GROUPS = { env1: "Envelope 1", env2: "Envelope 2", rand1: "Random 1", rand2: "Random 2", other: "Other sound", follower: "Follower" };

export function groupLabel(group) {
  if (group in GROUPS) return GROUPS[group];
  if (group.startsWith("lfo")) return `LFO ${group.slice(3)}`;
  return group.charAt(0).toUpperCase() + group.slice(1);
}
