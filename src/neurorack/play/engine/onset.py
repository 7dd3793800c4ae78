"""Onset: what to ask of a decoder that starts from silence, so that it is no louder than it should be.

A decoder's gain stage divides by the recent level of its raw sound; from an empty past that is too little,
and a note would begin up to 14 dB too loud and settle within 70 ms. How much is a property of the gain
stage, nearly the same for all tones: it is measured once for an instrument, by rendering some of its tones
from silence, and then asked for the other way round.
"""

import numpy as np

from neurorack.core.level import FLOOR_POWER, level_weights
from neurorack.play.engine.mapping import ControlMap
from neurorack.play.engine.rows import MAX_FRAMES, DecoderRows, Row
from neurorack.play.engine.sources import Anchors

ONSET_FRAMES = 2 * MAX_FRAMES
"""Length of the correction (93 ms)."""
TONES = 8
PITCHES_HZ = (131.0, 175.0, 233.0, 311.0, 415.0, 554.0, 740.0, 988.0)
ROUNDS, STEP = 8, 0.6
MOST_DB = 18.0
RISE_FRAMES = 3
"""The tones measured rise in as many frames (8 ms)."""


def onset_correction(
    decoder: DecoderRows, anchors: Anchors, controls: ControlMap, hop: int, rate: int
) -> list[float]:
    """What to add to the level asked in each of the first frames of a note, dB [ONSET_FRAMES]."""
    correction = np.zeros(ONSET_FRAMES)
    if controls.loudness < 0:
        return correction.tolist()
    rows = [decoder.new_row() for _ in range(TONES)]
    chosen = np.linspace(0, len(anchors) - 1, TONES).round().astype(int)
    level = np.array(
        [float(controls.to_physical(controls.loudness, anchors.rows[a, anchors.latent + controls.loudness]))
         for a in chosen]
    )  # fmt: skip
    rise = np.minimum((np.arange(ONSET_FRAMES) + 1.0) / RISE_FRAMES, 1.0)
    wanted = 20.0 * np.log10(rise)
    weights = level_weights(rate)[:, None]

    def windowed(power: np.ndarray) -> np.ndarray:
        """Frame powers [t, tones] -> the level heard, dB."""
        padded = np.concatenate([np.zeros((len(weights) - 1, power.shape[1])), power])
        heard = [(padded[t : t + len(weights)] * weights[::-1]).sum(axis=0) for t in range(len(power))]
        return 10.0 * np.log10(np.array(heard) + FLOOR_POWER)

    asked = level + wanted[:, None]
    for _ in range(ROUNDS):
        decoder.take_out()
        for row, anchor, pitch in zip(rows, chosen, PITCHES_HZ, strict=True):
            row.start(int(anchor))
            _fill(row, anchors.rows[anchor], anchors.latent, controls, pitch)
        power = np.concatenate(
            [
                _played(decoder, rows, controls, asked[cut], (asked + correction[:, None])[cut], hop)
                for cut in (slice(0, MAX_FRAMES), slice(MAX_FRAMES, None))
            ]
        )
        heard = windowed(power) - windowed(10.0 ** (asked / 10.0))
        error = np.median(heard, axis=1)
        # The window lags by a frame, and what is smooth converges.
        error = np.convolve(np.append(error[1:], error[-1:]), (0.25, 0.5, 0.25), "same")
        correction = np.clip(correction - STEP * error, -MOST_DB, 3.0)
    decoder.take_out()
    # The end of a correction is no step.
    correction[-8:] *= np.linspace(1.0, 0.0, 8)
    return correction.tolist()


def _fill(row: Row, tone: np.ndarray, latent: int, controls: ControlMap, f0_hz: float) -> None:
    row.z[:] = tone[:latent, None]
    row.controls[:] = tone[latent:, None]
    if controls.pitch >= 0:
        row.f0_hz[:] = f0_hz
        row.controls[controls.pitch] = controls.to_control(controls.pitch, f0_hz)


def _played(
    decoder: DecoderRows,
    rows: list[Row],
    controls: ControlMap,
    loudness_db: np.ndarray,
    level_db: np.ndarray,
    hop: int,
) -> np.ndarray:
    """Mean squares [frames, rows] of the next frames: loudness as a condition, level as asked of the gain."""
    for place, row in enumerate(rows):
        row.controls[controls.loudness] = controls.to_control(controls.loudness, loudness_db[:, place])
        row.level_db[:] = level_db[:, place]
    sound = decoder.process(rows, MAX_FRAMES)[: len(rows)].reshape(len(rows), MAX_FRAMES, hop)
    return np.square(sound).mean(axis=2).T
