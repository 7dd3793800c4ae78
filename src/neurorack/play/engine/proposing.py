"""Proposing: what the prior is told once a step (who plays which control, gate, beat) and what it plays.

A control comes from the prior where its origin is the prior, or the source is and its origin is the source.
Where a hand or a key holds such a control, and for controls from elsewhere, the prior is told the value that
is played, so that it goes on from there. What offsets, scales and modulators add is not told: what is added
to every value that it goes on from would carry it away.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurorack.play.engine.frame import (
    ANSWER_LISTENING,
    ANSWER_OFF,
    ANSWER_WAITING,
    Origin,
    Source,
)
from neurorack.play.engine.params import PARAM_INDEX
from neurorack.play.engine.plain_state import State, attributes, gather, scatter, set_attributes, under
from neurorack.play.engine.shared import Shared
from neurorack.play.engine.sources.answering import Answering
from neurorack.play.engine.sources.prior import CONTROLS, LATENT, Prior
from neurorack.play.engine.voice import Voice

Told = dict[str, np.ndarray | Sequence[float]]
"""A step's inputs, by name."""
_SURPRISE, _CLOCK, _ANSWERS, _BREATH = (
    PARAM_INDEX[name] for name in ("surprise", "prior_clock", "prior_answers", "prior_breath_s")
)


class Proposing:
    """One for each part. `prior` is None on instruments that do not play by themselves."""

    _STATE = ("runs", "phase", "_triggers")

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        graphs = shared.instrument.graphs
        there = {CONTROLS, LATENT} & set(graphs.manifest.graphs)
        self.prior = Prior(graphs, shared.instrument.support) if there else None
        self.answering = Answering(shared.frame_s)
        self.runs = False
        """Whether anything is played by the prior."""
        self.phase = ANSWER_OFF
        """What call and response is doing: one of ANSWERS."""
        self._triggers = 0
        size = shared.size
        self._previous, self._held = [0.0] * size, [0.0] * size
        self._mask = [0.0] * size
        self._ours = [False] * size
        self._all = [1.0] * size

    @property
    def wanted(self) -> bool:
        """Whether the frame asks for what the prior plays."""
        shared = self._shared
        return self.prior is not None and (
            shared.frame.source == Source.PRIOR or shared.asking.wants(Origin.PRIOR)
        )

    @property
    def hears(self) -> bool:
        """Whether it wants to hear the live input: for call and response."""
        shared = self._shared
        return self.prior is not None and shared.frame.source == Source.PRIOR and shared.base[_ANSWERS] > 0.0

    @property
    def answers(self) -> bool:
        """Whether it plays an answer, without any key."""
        return self.runs and self.phase != ANSWER_OFF and self.answering.answers

    def restart(self, seed: int) -> None:
        """Go another way."""
        if self.prior is not None:
            self.prior.restart(seed)

    def hush(self) -> None:
        """End an answer, if there is one."""
        if self.answering.answers:
            self.answering.end()

    def reset(self) -> None:
        """Everything afresh, when it is next wanted."""
        self.runs = False
        self.phase = ANSWER_OFF
        self.answering.reset()

    def step(self, voices: Sequence[Voice], newest: Voice, live_power: float) -> None:
        """One frame, before the voices'."""
        shared, prior = self._shared, self.prior
        started, self._triggers = shared.triggers != self._triggers, shared.triggers
        if prior is None or not self.wanted:
            if self.runs:
                self.reset()
                shared.proposed = shared.proposed_controls = None
            return
        if not self.runs:
            self.runs = True
            row = newest.tone.row
            prior.begin(row[: shared.latent], row[shared.latent :])
        gate = any(voice.gate for voice in voices)
        phase = self._listen(live_power)
        if phase == ANSWER_LISTENING:
            self._follow(newest)
        elif phase != ANSWER_WAITING:
            self._play(gate, started, voices, newest)
        prior.move()
        shared.proposed = prior.proposed
        controls = prior.proposed.controls
        if controls is None or not shared.asking.wants(Origin.PRIOR):
            shared.proposed_controls = None
        else:
            shared.proposed_controls = controls.tolist()

    def _listen(self, live_power: float) -> int:
        if not self.hears or self._shared.live is None:
            if self.phase != ANSWER_OFF:
                self.answering.reset()
            self.phase = ANSWER_OFF
        else:
            self.phase = self.answering.step(live_power)
        return self.phase

    def _follow(self, newest: Voice) -> None:
        """Hear the call: what is played is the input's."""
        shared, prior = self._shared, self.prior
        assert prior is not None and shared.live is not None and shared.live_controls is not None
        due, heard = prior.tick(True, False), shared.live_controls  # a note that begins is not of the call
        surprise = newest.modulation.values[_SURPRISE]
        if due == "controls" and prior.controls is not None:
            told: Told = {"previous": heard, "held": heard, "mask": self._all}
            told["clock"] = prior.clock(self._beat())
            prior.controls.step(told, surprise)
        if (due == "latent" or prior.one_frame) and prior.latent is not None:
            z = shared.live[: shared.latent]
            prior.latent.step({"previous": z, "controls": heard}, surprise, instead=z)

    def _play(self, gate: bool, started: bool, voices: Sequence[Voice], newest: Voice) -> None:
        prior = self.prior
        assert prior is not None
        due = prior.tick(gate, started)
        if not due:
            return
        surprise = newest.modulation.values[_SURPRISE]
        # A note from silence begins as the prior has it begin: there is nothing to glide from.
        at_once = started and all(voice.left.fresh for voice in voices if voice.on)
        if due == "controls" and prior.controls is not None:
            self._ask(newest, started, prior.controls.now)
            self._breathe(prior, newest.modulation.values[_BREATH])
            prior.controls.step(self._told(), surprise, at_once)
        if (due == "latent" or prior.one_frame) and prior.latent is not None:
            now = prior.latent.now
            prior.latent.step({"previous": now, "controls": newest.played}, surprise)
        if due == "aside" and prior.aside is not None:
            self._step_aside(newest, surprise)

    def _beat(self) -> float | None:
        """The beat at which the next step's values are reached; None when it is not to be heard."""
        shared, prior = self._shared, self.prior
        assert prior is not None
        clock = shared.modulation.clock
        if shared.base[_CLOCK] < 0.5 or not clock.running:
            return None
        return clock.beat + prior.every * clock.frame_s * clock.tempo_bpm / 60.0

    def _ask(self, newest: Voice, started: bool, now: np.ndarray) -> None:
        """Fill in who holds what, and what was played."""
        shared = self._shared
        hand, asking, frame = shared.hand, shared.asking, shared.frame
        own = Origin.SOURCE if frame.source == Source.PRIOR else -1
        origins = frame.origin[: shared.size].tolist()
        previous, held, mask = self._previous, self._held, self._mask
        pitch, key = asking.pitch, newest.key
        for i, value in enumerate(now.tolist()):
            ours = self._ours[i] = origins[i] in (own, Origin.PRIOR)
            weight = hand.weight[i]
            played = newest.played[i]
            if i == pitch and key is not None and key.f0_hz > 0.0 and newest.on:
                asked = asking.map.to_control[i](key.f0_hz) if started else played
                previous[i] = held[i] = asked
                mask[i] = 1.0
            elif ours:
                # Told what is played, a hand that is still taking over is followed, not run ahead of.
                previous[i] = held[i] = value + weight * (hand.value[i] - value)
                mask[i] = 1.0 if hand.held[i] else 0.0
            else:
                previous[i] = held[i] = played
                mask[i] = 1.0

    def _breathe(self, prior: Prior, longest_s: float) -> None:
        """Hold the loudness down where a note's time is up, unless a hand has it."""
        row = self._shared.asking.loudness
        if row < 0 or not self._ours[row] or self._mask[row]:
            return
        held = prior.breath.step(self._previous[row], longest_s)
        if held is not None:
            self._held[row], self._mask[row] = held, 1.0

    def _step_aside(self, newest: Voice, surprise: float) -> None:
        """Where the prior would lead what hands hold; shown, not heard."""
        prior, hand = self.prior, self._shared.hand
        assert prior is not None and prior.controls is not None and prior.aside is not None
        aside = prior.aside
        taken = [i for i, held in enumerate(hand.held) if held and self._ours[i]]
        if not taken:
            aside.follow(prior.controls)
            return
        self._ask(newest, False, prior.controls.now)
        shown = aside.now.tolist()
        for i in taken:
            self._previous[i], self._mask[i] = shown[i], 0.0
        aside.step(self._told(), surprise)

    def _told(self) -> Told:
        """What prior_controls is to be told, beside chance."""
        assert self.prior is not None
        told: Told = {"previous": self._previous, "held": self._held, "mask": self._mask}
        told["clock"] = self.prior.clock(self._beat())
        return told

    def shown(self, out: np.ndarray) -> None:
        """What the prior proposes for each control, normalised, into `out` [>= C]; NaN where it does not."""
        out.fill(math.nan)
        prior = self.prior
        if not self.runs or prior is None or prior.controls is None or prior.aside is None:
            return
        hand = self._shared.hand
        for i, ours in enumerate(self._ours):
            if ours:
                out[i] = (prior.aside if hand.held[i] else prior.controls).now[i]

    def state(self) -> State:
        """Everything later frames depend on."""
        parts = {"answering": self.answering} | ({"prior": self.prior} if self.prior is not None else {})
        return {**attributes(self, self._STATE), **gather(parts)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave; takes of before there were priors gave nothing."""
        self.reset()
        self._shared.proposed = self._shared.proposed_controls = None
        if not state:
            return
        set_attributes(self, self._STATE, state)
        scatter({"answering": self.answering}, state)
        if self.prior is not None and under("prior", state):
            scatter({"prior": self.prior}, state)
