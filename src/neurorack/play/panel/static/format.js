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
  return spec.curve === "log" ? spec.low * (spec.high / spec.low) ** t : spec.low + (spec.high - spec.low) * t;
}

export function toTravel(spec, value) {
  const v = Math.max(spec.low, Math.min(spec.high, value));
  return spec.curve === "log"
    ? Math.log(v / spec.low) / Math.log(spec.high / spec.low)
    : (v - spec.low) / (spec.high - spec.low);
}
