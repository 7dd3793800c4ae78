// Names of modulation sources and targets, as rows for lists.

import { groupLabel } from "./store.js";

const NAMES = {
  none: "None", follower: "Follower", velocity: "Velocity", note: "Key", pressure: "Pressure", timbre: "Timbre",
  wheel: "Wheel", pedal: "Pedal", x: "X", y: "Y", cv1: "CV 1", cv2: "CV 2", cv3: "CV 3", cv4: "CV 4",
  env1: "Env 1", env2: "Env 2", clock: "Clock",
};

export const sourceName = (name) => NAMES[name] || groupLabel(name);

export const sourceRows = (store) => store.modSources.filter((name) => name !== "none").map((name) => [name, sourceName(name)]);

// Every control and every parameter that modulation can move, by page.
export function targetRows(store) {
  const groups = new Map();
  for (const spec of store.params) {
    if (spec.choices.length) continue;
    if (!groups.has(spec.group)) groups.set(spec.group, []);
    groups.get(spec.group).push([spec.name, store.label(spec.name)]);
  }
  const controls = { title: "Descriptors", rows: store.instrument.controls.map((control) => [control.name, control.label]) };
  return [controls, ...[...groups].map(([group, rows]) => ({ title: groupLabel(group), rows }))];
}
