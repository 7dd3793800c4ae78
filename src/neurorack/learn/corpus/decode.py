"""One recording -> mono int16 at the corpus rate, or the reason why it cannot be used."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from neurorack.core.timebase import HOP

SILENT_PEAK_DB = -60.0
"""dBFS; a recording whose highest peak lies below is silence."""

FULL_SCALE = (0.9999, 1.0001)
"""Where clipped samples stand. Float and lossy files that go beyond are merely hot: they are turned down."""

CLIP_RUN = 8
"""Samples in a row at full scale that make one clipped run."""

CLIP_RUNS_ALLOWED = 5
BLOCK = 1 << 18
CEILING = 0.999
"""Peak to which a recording that exceeds full scale (float files, resampling) is turned down."""


class Unusable(Exception):
    """This recording is left out; the message says why, in words for the user."""


@dataclass(frozen=True)
class Decoded:
    """`samples`: int16 [N], unpadded. `gain_db`: what it was turned down by so as not to clip (0 or less)."""

    samples: np.ndarray
    gain_db: float
    source_rate: int
    channels: int


class _ClipCounter:
    """Counts runs of at least CLIP_RUN full-scale samples per channel, across block borders."""

    def __init__(self, channels: int) -> None:
        self._open = np.zeros(channels, dtype=np.int64)
        self.runs = 0

    def add(self, block: np.ndarray) -> None:
        for channel in range(block.shape[1]):
            samples = block[:, channel]
            level = np.abs(samples)
            # A run has one sign: a full-scale square wave's flanks separate its halves.
            self._open[channel] = self._count(
                np.sign(samples).astype(np.int8) * ((level >= FULL_SCALE[0]) & (level <= FULL_SCALE[1])),
                int(self._open[channel]),
            )

    def _count(self, sign: np.ndarray, carried: int) -> int:
        """Count runs that reach CLIP_RUN in this block; return the signed length of the one still open."""
        if not sign.any():
            return 0
        edges = np.flatnonzero(np.diff(sign)) + 1
        starts = np.concatenate([[0], edges])
        lengths = np.diff(np.concatenate([starts, [len(sign)]]))
        signs = sign[starts]
        before = np.zeros(len(starts), dtype=np.int64)
        if carried and np.sign(carried) == signs[0]:
            before[0] = abs(carried)
        reached = (signs != 0) & (before < CLIP_RUN) & (before + lengths >= CLIP_RUN)
        self.runs += int(reached.sum())
        return int((before[-1] + lengths[-1]) * signs[-1])


def _blocks(file: soundfile.SoundFile) -> Iterator[np.ndarray]:
    """float32 [n, channels] blocks of a whole file; raises Unusable on NaN or infinity."""
    while True:
        block = file.read(BLOCK, dtype="float32", always_2d=True)
        if len(block) == 0:
            return
        if not np.isfinite(block).all():
            raise Unusable("it holds NaN or infinite samples; export it again from its editor")
        yield block


def _open(path: Path) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        if path.stat().st_size == 0:
            raise Unusable("it is an empty file of 0 bytes") from error
        why = str(error).split("': ")[-1].split(": ")[-1].rstrip(".")
        raise Unusable(f"it is unreadable as audio ({why}); convert it to WAV or FLAC") from error


def _render(path: Path, rate: int, gain: float, keep_clipped: bool) -> tuple[np.ndarray, float, int, int]:
    """Decode, mix down, resample, scale: (int16 samples, peak before scaling, source rate, channels)."""
    parts: list[np.ndarray] = []
    peak = source_peak = 0.0
    with _open(path) as file:
        source_rate, channels = file.samplerate, file.channels
        stream = None
        if source_rate != rate:
            stream = soxr.ResampleStream(source_rate, rate, 1, dtype="float32", quality="HQ")
        clipped = _ClipCounter(channels)

        def take(mono: np.ndarray) -> None:
            nonlocal peak
            if len(mono):
                peak = max(peak, float(np.abs(mono).max()))
                scaled = np.rint(mono * np.float32(gain * 32768.0))
                parts.append(np.clip(scaled, -32768, 32767).astype(np.int16))

        try:
            for block in _blocks(file):
                source_peak = max(source_peak, float(np.abs(block).max()))
                clipped.add(block)
                mono = block.mean(axis=1, dtype=np.float32)
                take(stream.resample_chunk(mono) if stream else mono)
        except soundfile.LibsndfileError as error:
            raise Unusable(f"it is damaged part-way ({error}); convert it to WAV or FLAC again") from error
        if stream:
            take(stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True))
    samples = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int16)
    if source_peak == 0.0 and len(samples) == 0:
        raise Unusable("it holds no samples")
    if 20 * np.log10(max(peak, 1e-12)) < SILENT_PEAK_DB:
        if 20 * np.log10(max(source_peak, 1e-12)) >= SILENT_PEAK_DB:
            raise Unusable(f"its {channels} channels cancel to silence when mixed down; export one of them")
        raise Unusable(f"it is silent (peak below {SILENT_PEAK_DB:.0f} dBFS)")
    if len(samples) < HOP:
        raise Unusable(f"it is too short ({len(samples)} samples at {rate} Hz; one frame needs {HOP})")
    if clipped.runs > CLIP_RUNS_ALLOWED and not keep_clipped:
        raise Unusable(
            f"it is clipped ({clipped.runs} runs of {CLIP_RUN} or more full-scale samples); "
            "record it lower, or pass --keep-clipped"
        )
    return samples, peak, source_rate, channels


def decode(path: Path, rate: int, keep_clipped: bool = False) -> Decoded:
    """Decode anything libsndfile reads, in bounded blocks: mean of channels, soxr HQ resampling, int16.

    A recording whose mix exceeds full scale is turned down as a whole instead of being clipped.
    Raises Unusable with the reason.
    """
    gain = 1.0
    samples, peak, source_rate, channels = _render(path, rate, gain, keep_clipped)
    if peak > 1.0:
        gain = CEILING / peak
        samples, _, source_rate, channels = _render(path, rate, gain, keep_clipped)
    return Decoded(samples, float(20 * np.log10(gain)), source_rate, channels)
