"""Keep that: what was just played, out of the rings that always run, as a clip's rows and its sound."""

from dataclasses import dataclass

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.play.control.bridge import CAPTURE_S, Bridge

SILENCE_DB = -60.0
SILENCE_S = 0.5
MARGIN_S = 0.25
"""The oldest part of the rings may be overwritten while it is copied."""


@dataclass(frozen=True)
class Captured:
    """rows [Z + C, T] and sound float32 [n, 2] of the same time."""

    rows: np.ndarray
    audio: np.ndarray


def capture(bridge: Bridge, row_size: int, sample_rate: int, hop: int, seconds: float = 0.0) -> Captured:
    """The last `seconds` played (0: since the last silence of SILENCE_S), without silence at either end.

    Raises NeurorackError when nothing sounded.
    """
    frame_s = hop / sample_rate
    most = int((seconds or CAPTURE_S) / frame_s)
    records = bridge.rows.written
    oldest = max(0, records - bridge.rows.capacity + int(MARGIN_S / frame_s))
    rows = bridge.rows.copy(max(oldest, records - most), records)
    written = bridge.output.written
    # Frames of another run of the audio process are another engine's: keep the last unbroken run.
    breaks = np.flatnonzero(np.diff(rows["frame"]) != 1)
    rows = rows[breaks[-1] + 1 :] if len(breaks) else rows
    count = min(len(rows), written // hop)
    if count == 0:
        raise NeurorackError("Nothing was played yet: play something, then keep it.")
    rows = rows[-count:]
    audio = bridge.output.copy(written - count * hop, count * hop).T
    power = np.square(audio).mean(axis=1).reshape(count, hop).mean(axis=1)
    start, stop = sounding_span(power > 10.0 ** (SILENCE_DB / 10.0), frame_s, since_silence=seconds == 0.0)
    if stop - start < 2:
        raise NeurorackError("Nothing was heard in that time: play something, then keep it.")
    return Captured(
        np.ascontiguousarray(rows["row"][start:stop, :row_size].T), audio[start * hop : stop * hop].copy()
    )


def sounding_span(sounds: np.ndarray, frame_s: float, since_silence: bool) -> tuple[int, int]:
    """[start, stop) of the frames to keep; `sounds` says which are audible. Empty: (0, 0)."""
    audible = np.flatnonzero(sounds)
    if not len(audible):
        return 0, 0
    start, stop = int(audible[0]), int(audible[-1]) + 1
    if since_silence:
        gaps = np.flatnonzero(np.diff(audible) * frame_s > SILENCE_S)
        if len(gaps):
            start = int(audible[gaps[-1] + 1])
    return start, stop
