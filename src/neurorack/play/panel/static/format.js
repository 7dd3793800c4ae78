// Numbers as a musician reads them, and the map between a knob's travel and physical units.

const OVERSHOOT = 1.25;

// Normalised control -> physical value, through the instrument's quantile table (piecewise linear, extended).
export function toPhysical(knots, control) {
  const last = knots.length - 1;
  const edge = Math.max(1, Math.floor(knots.length / 20));
  const place = ((Math.max(-OVERSHOOT, Math.min(OVERSHOOT, control)) + 1) / 2) * last;
  if (place < 0) return knots[0] + (place * (knots[edge] - knots[0])) / edge;
  if (place > last) return knots[last] + ((place - last) * (knots[last] - knots[last - edge])) / edge;
  const i = Math.min(Math.floor(place), last - 1);
  return knots[i] + (place - i) * (knots[i + 1] - knots[i]);
}

const NOTES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

export function noteName(midi) {
  return NOTES[((midi % 12) + 12) % 12] + (Math.floor(midi / 12) - 1);
}

export function hzToMidi(hz) {
  return 69 + 12 * Math.log2(hz / 440);
}

// "1.24 kHz", "-18.3 dB", "0.42"; pitch as "A3 +4 ¢".
export function physicalText(value, unit, name) {
  if (value === null || !Number.isFinite(value)) return "–";
  if (name === "pitch" && value > 0) {
    const midi = hzToMidi(value);
    const nearest = Math.round(midi);
    const cents = Math.round((midi - nearest) * 100);
    return `${noteName(nearest)} ${cents < 0 ? "−" : "+"}${Math.abs(cents)} ¢`;
  }
  if (unit === "Hz") return value >= 1000 ? `${(value / 1000).toFixed(2)} kHz` : `${value.toFixed(value < 100 ? 1 : 0)} Hz`;
  if (unit === "dB") return `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(1)} dB`;
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 3;
  return `${value < 0 ? "−" : ""}${size.toFixed(digits)}${unit ? ` ${unit}` : ""}`;
}

// A spec's travel 0..1 <-> value; the same arithmetic as ControlSpec.
export function fromTravel(spec, travel) {
  const t = Math.max(0, Math.min(1, travel));
  const value = spec.curve === "log" ? spec.low * (spec.high / spec.low) ** t : spec.low + (spec.high - spec.low) * t;
  return spec.whole || spec.choices.length ? Math.round(value) : value;
}

export function toTravel(spec, value) {
  const v = Math.max(spec.low, Math.min(spec.high, value));
  return spec.curve === "log"
    ? Math.log(v / spec.low) / Math.log(spec.high / spec.low)
    : (v - spec.low) / (spec.high - spec.low);
}

// Physical value -> normalised control: the inverse of toPhysical within the table.
export function toControl(knots, value) {
  const last = knots.length - 1;
  if (value <= knots[0]) return -1;
  if (value >= knots[last]) return 1;
  let i = 0;
  while (i < last - 1 && knots[i + 1] < value) i += 1;
  const step = knots[i + 1] - knots[i];
  return (2 * (i + (step > 0 ? (value - knots[i]) / step : 0))) / last - 1;
}

const signed = (value, digits) => `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(digits)}`;

// A parameter's value as a musician reads it.
export function valueText(spec, value) {
  if (value === undefined || value === null) return "–";
  if (spec.choices.length) return spec.choices[Math.round(value)] ?? "–";
  if (spec.whole) return String(Math.round(value));
  if (spec.name === "level_db" && value <= spec.low) return "silent";
  switch (spec.unit) {
    case "s":
      if (value === 0) return "off";
      return value < 0.9995 ? `${(1000 * value).toFixed(value < 0.01 ? 1 : 0)} ms` : `${value.toFixed(2)} s`;
    case "Hz":
      return `${value.toFixed(value < 1 ? 2 : value < 10 ? 1 : 0)} Hz`;
    case "dB":
      return `${signed(value, 1)} dB`;
    case "ct":
      return `${value > 0 ? "+" : ""}${signed(value, 0)} ¢`;
    case "bpm":
      return `${value.toFixed(1)} bpm`;
    case "×":
      return Math.abs(value) < 0.005 ? "frozen" : `${signed(value, 2)} ×`;
    default:
      return `${Math.round(100 * value)} %`;
  }
}

// What somebody typed, in the spec's unit; null if it is no number. "120 ms", "1.2k", "50 %", "0,5" all count.
export function parseValue(spec, text) {
  const found = text.trim().replace("−", "-").replace(",", ".").match(/^([-+]?\d*\.?\d+)\s*([a-z%×¢]*)/i);
  if (!found) return null;
  let value = Number(found[1]);
  const unit = found[2].toLowerCase();
  if (unit === "ms") value /= 1000;
  else if (unit.startsWith("k")) value *= 1000;
  else if (unit === "%" || (spec.unit === "" && !spec.whole && !unit && Math.abs(spec.high) <= 1)) value /= 100;
  return Math.max(spec.low, Math.min(spec.high, value));
}

// What somebody typed for a descriptor, in its unit: also "A3" or "F#4 +10" for pitch. null if it is nothing.
export function parsePhysical(control, text) {
  const note = text.trim().match(/^([a-g])([#♯b♭]?)(-?\d)\s*([-+−]\d+)?/i);
  if (control.name === "pitch" && note) {
    const place = { c: 0, d: 2, e: 4, f: 5, g: 7, a: 9, b: 11 }[note[1].toLowerCase()];
    const shift = { "#": 1, "♯": 1, b: -1, "♭": -1 }[note[2]] || 0;
    const midi = 12 * (Number(note[3]) + 1) + place + shift + Number((note[4] || "0").replace("−", "-")) / 100;
    return 440 * 2 ** ((midi - 69) / 12);
  }
  return parseValue({ unit: control.unit || "-", low: -Infinity, high: Infinity }, text);
}

export function durationText(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}
