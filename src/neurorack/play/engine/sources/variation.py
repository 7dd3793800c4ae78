"""What makes a note its own: variation from trigger to trigger, and the timbre of its dynamic layer."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.plain_state import State, generator_state, restore_generator
from neurorack.play.engine.sources.anchors import Anchors

Z_DEPTH = 0.3
"""Standard deviation of z from trigger to trigger at life = 1, in distances between neighbouring anchors."""
LEVEL_DEPTH_DB = 3.5
"""The same of loudness, in dB; the other controls move as far in their own normalised units as it does in its
own. With it, sixteen triggers at life = 0.3 vary as much as the corpus's round robins do, or somewhat more
(benchmarks/repeat_variation.py)."""
CENTS_DEPTH = 15.0
"""The same of pitch, in cents."""
WIDEST = 2.5
"""No draw goes further than this many standard deviations."""

LAYER_DB = 12.0
"""Distance in dB at which leaning towards another dynamic layer has mostly run its course."""
LAYER_NEIGHBOURS = 12
MOST_LEAN = 1.5
"""Furthest lean along any axis of z, in distances between neighbouring anchors."""


class TriggerVariation:
    """A seeded offset for every trigger; scaled by life, it makes repeats vary as recorded ones do."""

    def __init__(
        self, anchors: Anchors, pitch_row: int = -1, seed: int = 0, level_step_db: float = 9.0
    ) -> None:
        """level_step_db: what one unit of the loudness control is in dB, in the middle of its travel."""
        self._spread = anchors.spread
        self._latent = anchors.latent
        self._size = anchors.rows.shape[1]
        self._pitch_row = pitch_row
        self._control_depth = LEVEL_DEPTH_DB / max(level_step_db, 1.0)
        self.cents = 0.0
        """What the last trigger adds to its pitch, in cents; its row leaves the pitch control alone."""
        self.restart(seed)

    def restart(self, seed: int) -> None:
        """Another sequence of variations."""
        self._random = np.random.Generator(np.random.PCG64(abs(seed)))

    def next(self, home: int, life: float) -> np.ndarray:
        """Offset of the next trigger near anchor `home`: float32 [Z + C], zeros at life = 0."""
        draw = self._random.standard_normal(self._size + 1, dtype=np.float32).clip(-WIDEST, WIDEST)
        row = draw[:-1] * np.float32(life)
        row[: self._latent] *= Z_DEPTH * self._spread[home]
        row[self._latent :] *= self._control_depth
        if self._pitch_row >= 0:
            row[self._latent + self._pitch_row] = 0.0
        self.cents = float(draw[-1]) * life * CENTS_DEPTH
        return row

    def state(self) -> State:
        """Everything later triggers depend on."""
        return {"cents": self.cents, "random": generator_state(self._random)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self.cents = float(state["cents"])
        restore_generator(self._random, state["random"])


class DynamicLayer:
    """How z changes with loudness near each anchor: the slope through its neighbours. No state."""

    def __init__(self, anchors: Anchors, loudness_db: np.ndarray, loudness_row: int) -> None:
        """loudness_db: [N], the anchors' own loudness; loudness_row: its row among the controls."""
        z, count = anchors.rows[:, : anchors.latent].astype(np.float64), len(anchors)
        level = np.asarray(loudness_db, np.float64)
        self._slope = np.zeros((count, anchors.latent), np.float32)
        if count < 3:
            return
        # Neighbours in everything but loudness: the same instrument, the same register.
        scaled = np.delete(anchors.rows / anchors.scale, anchors.latent + loudness_row, axis=1).astype(
            np.float64
        )
        square = np.square(scaled[:, None] - scaled[None]).sum(axis=-1)
        width = np.sort(square, axis=1)[:, min(LAYER_NEIGHBOURS, count - 1), None]
        weight = np.exp(-square / np.maximum(width, 1e-9))
        step = level[None] - level[:, None]
        # The ridge of a few dB keeps anchors whose neighbours are all equally loud from wild slopes.
        power = (weight * step * step).sum(axis=1) + 9.0 * weight.sum(axis=1)
        slope = np.einsum("ab,ab,abz->az", weight, step, z[None] - z[:, None]) / power[:, None]
        reach = np.abs(slope) * LAYER_DB / (anchors.spread + 1e-9)
        slope *= np.minimum(1.0, MOST_LEAN / np.maximum(reach.max(axis=1, keepdims=True), 1e-9))
        self._slope[:] = slope

    def lean(self, anchor: int, drop_db: float) -> np.ndarray:
        """Offset of z, float32 [Z], for a note `drop_db` quieter than the anchor (negative: louder)."""
        return self._slope[anchor] * np.float32(-LAYER_DB * math.tanh(drop_db / LAYER_DB))
