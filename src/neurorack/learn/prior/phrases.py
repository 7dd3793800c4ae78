"""Training sequences: recordings set one after another, with gates, clocks and hands as a player has them.

Corpora mostly hold single notes and hits. What a recording does is learned from it and from nothing else:
no crop blends two recordings, and every note is heard with its own beginning. But an instrument that is
to play by itself for hours must begin a next note, and of that such a corpus says nothing. So recordings
are set into phrases, and what a phrase adds to the corpus is said here, in full:

    which     the next recording comes from the same folder four times in five, and among those rather
              from near in pitch than from far: weight exp(-|interval| / LEAP), as melodies do
    when      *free*: after the last one has ended, and at most REST_STEPS of silence. *Gated*: the same with
              longer rests, and the gate tells it. *Clocked*: on a grid of halves or quarters of a beat, at
              60 to 180 beats a minute, cutting off what still sounds
    silence   loudness at its lowest, everything else where it was
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurorack.core.normaliser import OVERSHOOT
from neurorack.learn.prior.material import Curves, Material

SAME_FOLDER = 0.8
LEAP = 0.15
"""In units of the normalised control: about a third of an octave in Winds."""

REST_STEPS, GATED_REST_STEPS = 10, 43
BEATS_PER_MINUTE = (60.0, 180.0)
SLIPPING = 0.4
"""Share of sequences in which what was heard is not quite what was played."""

GATE_SECONDS = 2.0
"""Seconds since the gate changed reach the model divided by this, and at most 1."""


@dataclass(frozen=True)
class Batch:
    """Sequences of T steps. `target` is what was played, `previous` the same a step before (with an ear's
    uncertainty), `held` and `mask` what a hand holds, `clock` as in docs/nrk-format.md; z likewise.

    `weight` [B, T] is 0 where there is nothing to learn of z: in silence between recordings.
    """

    previous: Tensor
    target: Tensor
    held: Tensor
    mask: Tensor
    clock: Tensor
    previous_z: Tensor
    target_z: Tensor
    weight: Tensor


@dataclass
class Phrase:
    """Rows under construction: controls [T, C], z [T, Z], gate [T], beat [T] (nan: none), real [T]."""

    controls: np.ndarray
    z: np.ndarray
    gate: np.ndarray
    beat: np.ndarray
    real: np.ndarray


class Phrases:
    """Draws phrases from some recordings of a corpus. `z_scale` [Z]: the unit in which z is learned."""

    def __init__(
        self,
        material: Material,
        curves: Sequence[Curves],
        z_scale: np.ndarray,
        rng: np.random.Generator,
        slip: np.ndarray | float = 1.0,
    ) -> None:
        """`slip` [C]: how far each control slips in hearing, as a share of the one that slips most."""
        self.slip = np.broadcast_to(slip, len(material.names))
        self.material, self.curves, self.rng = material, tuple(curves), rng
        self.z_scale = z_scale.astype(np.float32)
        names = sorted({c.folder for c in curves})
        self.folder = np.array([names.index(c.folder) for c in curves])
        self.members = [np.flatnonzero(self.folder == i) for i in range(len(names))]
        row = material.pitch
        self.pitch = np.array([0.0 if row is None else np.median(c.controls[:, row]) for c in curves])
        seconds = np.array([len(c) for c in curves], float)
        # Longer recordings begin more phrases: otherwise their middles would hardly be heard.
        self.share = np.sqrt(seconds) / np.sqrt(seconds).sum()

    def next_after(self, current: int | None) -> int:
        """Index of the recording that follows `current`."""
        if current is None or (len(self.members) > 1 and self.rng.random() > SAME_FOLDER):
            return int(self.rng.choice(len(self.curves), p=self.share))
        near = self.members[self.folder[current]]
        weight = np.exp(-np.abs(self.pitch[near] - self.pitch[current]) / LEAP) + 1e-6
        return int(self.rng.choice(near, p=weight / weight.sum()))

    def phrase(self, length: int, mode: str) -> Phrase:
        """`length` steps in `mode`: "free", "gated" or "clocked". It begins anywhere in a recording."""
        rng = self.rng
        first = self.curves[0]
        rows = Phrase(
            np.zeros((length, first.controls.shape[1]), np.float32),
            np.zeros((length, first.z.shape[1]), np.float32),
            np.zeros(length, bool),
            np.full(length, np.nan),
            np.zeros(length, bool),
        )
        beat = 60.0 / rng.uniform(*BEATS_PER_MINUTE) * self.material.rate
        grid = beat / rng.choice([1, 2, 4], p=[0.2, 0.45, 0.35])
        filled = rng.uniform(0.35, 1.0)
        offset = rng.uniform(0, beat)
        index = self.next_after(None)
        start = -int(rng.integers(len(self.curves[index])))
        while start < length:
            curve = self.curves[index]
            following = self.next_after(index)
            end = start + len(curve)
            if mode == "clocked":
                # The player glides to a value while a step lasts: it must set out one step before the beat.
                onset = self.curves[following].onset
                earliest = start + curve.onset + 3 + onset
                mark = np.ceil((earliest - offset) / grid) + rng.geometric(filled) - 1
                after = round(offset + mark * grid) - 1 - onset
            else:
                after = end + (0 if rng.random() < 0.3 else int(rng.integers(REST_STEPS + 1)))
                if mode == "gated":
                    after += int(rng.integers(GATED_REST_STEPS + 1))
            self._write(rows, curve, start, min(end, after))
            self._rest(rows, end, after)
            start, index = after, following
        if mode == "clocked":
            rows.beat[:] = (np.arange(length) - offset) / beat
        return rows

    def _write(self, rows: Phrase, curve: Curves, start: int, end: int) -> None:
        length = len(rows.gate)
        to, at = slice(max(start, 0), min(end, length)), slice(max(-start, 0), min(end, length) - start)
        if to.start < to.stop:
            rows.controls[to], rows.z[to] = curve.controls[at], curve.z[at]
            rows.gate[to], rows.real[to] = curve.sounding[at], True

    def _rest(self, rows: Phrase, start: int, end: int) -> None:
        length = len(rows.gate)
        start, end = max(start, 0), min(end, length)
        if start < end and start > 0:
            rows.controls[start:end], rows.z[start:end] = rows.controls[start - 1], rows.z[start - 1]
        if start < end and self.material.loudness is not None:
            rows.controls[start:end, self.material.loudness] = -OVERSHOOT

    def batch(self, size: int, length: int) -> Batch:
        """`size` sequences of `length` steps, of all modes, with hands on any subset of the controls."""
        rng = self.rng
        modes = rng.choice(["free", "gated", "clocked"], size, p=[0.35, 0.25, 0.4])
        rows = [self.phrase(length + 1, mode) for mode in modes]
        controls = np.stack([r.controls for r in rows])
        z = np.stack([r.z for r in rows]) / self.z_scale
        clock = np.stack([self._clock(r, mode) for r, mode in zip(rows, modes, strict=True)])
        target, previous = controls[:, 1:], controls[:, :-1].copy()
        mask = np.stack([self._hand(length, controls.shape[2]) for _ in rows])
        # A hand does not play as the corpus does: sometimes what it asks for lies beside what was recorded.
        beside = rng.normal(0, 0.15, (size, 1, controls.shape[2])) * (rng.random((size, 1, 1)) < 0.3)
        held = np.clip(target + beside, -OVERSHOOT, OVERSHOOT) * mask
        # The ear's uncertainty: what it played itself must lead back to what the corpus plays.
        slip = self._slip(size) * self.slip * rng.standard_normal(previous.shape)
        before = np.concatenate([mask[:, :1], mask[:, :-1]], 1)
        shown = np.concatenate([held[:, :1], held[:, :-1]], 1)
        previous = np.where(before > 0, shown, np.clip(previous + slip, -OVERSHOOT, OVERSHOOT))
        previous_z = z[:, :-1] + 2 * self._slip(size) * rng.standard_normal(z[:, :-1].shape)
        # A fifth begins as a player does, from nothing.
        fresh = rng.random(size) < 0.2
        previous[fresh, 0], previous_z[fresh, 0] = 0.0, 0.0
        arrays = (
            *(previous, target, held, mask, clock[:, 1:], previous_z, z[:, 1:]),
            np.stack([r.real[1:] for r in rows]),
        )
        return Batch(*(torch.from_numpy(np.ascontiguousarray(a, dtype=np.float32)) for a in arrays))

    def _slip(self, size: int) -> np.ndarray:
        """Deviation [B, 1, 1] of the noise on what is heard of the step before: none for most, to 0.05."""
        some = self.rng.random((size, 1, 1)) < SLIPPING
        return some * 10 ** self.rng.uniform(-3.0, -1.3, (size, 1, 1))

    def _clock(self, rows: Phrase, mode: str) -> np.ndarray:
        """`clock` [T, 4] of a phrase. A free one has its gate open throughout."""
        length = len(rows.gate)
        told = mode == "gated" or (mode == "clocked" and self.rng.random() < 0.3)
        gate = rows.gate if told else np.ones(length, bool)
        since = np.arange(length) + (0 if self.rng.random() < 0.3 else length)
        for step in np.flatnonzero(gate[1:] != gate[:-1]) + 1:
            since[step:] = np.arange(length - step)
        turn = 2 * np.pi * rows.beat
        return np.stack(
            [
                gate.astype(float),
                np.minimum(since / self.material.rate / GATE_SECONDS, 1.0),
                np.nan_to_num(np.sin(turn)),
                np.nan_to_num(np.cos(turn)),
            ],
            axis=1,
        )

    def _hand(self, length: int, controls: int) -> np.ndarray:
        """mask [T, C]: nobody's hand, everything held, or any subset, for the whole time or part of it."""
        rng = self.rng
        mask = np.zeros((length, controls))
        kind = rng.random()
        if kind < 0.4:
            return mask
        held = np.ones(controls, bool) if kind < 0.45 else rng.random(controls) < rng.uniform(0.1, 0.9)
        first, last = (0, length) if rng.random() < 0.6 else np.sort(rng.integers(0, length + 1, 2))
        mask[first:last, held] = 1.0
        return mask
