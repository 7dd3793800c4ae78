// Six things under the hand: pitch, loudness, brightness, noisiness, morph, insist. Further descriptors are smaller.

import { $ } from "./dom.js";
import { Knob } from "./knob.js";
import { ParamKnob } from "./param-knob.js";

const FIRST = ["pitch", "loudness", "brightness", "noisiness"];

export class SixKnobs {
  constructor(store) {
    this.store = store;
    this.knobs = [];
  }

  configure() {
    const { store } = this;
    const { controls } = store.instrument;
    const named = FIRST.map((name) => controls.find((control) => control.name === name)).filter(Boolean);
    const others = controls.filter((control) => !named.includes(control));
    while (named.length < FIRST.length && others.length) named.push(others.shift()); // an instrument without pitch
    const big = [...named.map((control) => new Knob(store, control)), ...["morph", "insist"].map((name) => new ParamKnob(store, name, { big: true }))];
    const small = others.map((control) => new Knob(store, control));
    $("six").replaceChildren(...big.map((knob) => knob.node));
    $("rest").replaceChildren(...small.map((knob) => knob.node));
    $("rest").hidden = !small.length;
    for (const knob of small) knob.node.classList.add("small");
    this.knobs = [...big, ...small];
  }

  draw() {
    for (const knob of this.knobs) knob.draw();
  }
}
