"""How far a reconstruction is from its source: spectral distances that do not ask for the same waveform, and
what an average over frames hides: attacks, silence, hoarseness, the worst tenth.

    mstft, mel          spectral distances, below
    mel_worst_tenth     mean of the worst tenth of half-seconds that sound, dB: what is wrong somewhere
    transient           error of the onset envelope within 50 ms of the source's onsets, over that envelope
                        itself: 0 is the same attack, 1 no attack at all
    onsets              F-measure of onset times within 50 ms
    hnr_db, hnr_bias_db absolute and signed difference of the harmonic-to-noise ratio where the source is
                        voiced, medians; a negative bias is hoarser than the source
    silence_db, silence_source_db  level of answer and source, medians, where the source is under -60 dB
    nothing_db          level of the answer to digital silence; -120 is silence
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import librosa
import numpy as np

from neurorack.core.timebase import HOP
from neurorack.learn.measure.realism import WINDOW_FRAMES
from neurorack.learn.measure.second_ears import aperiodicity
from neurorack.learn.measure.statistics import mean_or_none
from neurorack.learn.measure.subject import NOISE_FLOOR_DB
from neurorack.learn.measure.transfer import onset_agreement

WINDOWS = (2048, 1024, 512, 256, 128)
FLOOR_AMPLITUDE = 1e-5
"""Amplitude (-100 dB) under which differences of logarithms do not count."""

MEL_HOP = 512
WORST_SHARE = 0.1
ATTACK_WINDOW = 512
ATTACK_SECONDS = 0.05
VOICED_HNR_DB = 5.0
"""Harmonic-to-noise ratio of the source above which it is said to have one."""

LEAST_SILENCE_FRAMES = 32


def mstft_distance(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Multi-scale STFT distance, mean over windows of 2048, 1024, 512, 256 and 128 samples (hop a quarter):

        ||S - S'||_F / ||S||_F  +  mean |ln(S + a) - ln(S' + a)|,

    S and S' magnitudes scaled so that a full-scale sine peaks at 1, a = 1e-5. 0 for equal magnitudes.
    """
    total = 0.0
    for n_fft in WINDOWS:
        s, t = (_magnitude(x, n_fft) for x in (reference, estimate))
        total += float(np.linalg.norm(s - t) / (np.linalg.norm(s) + 1e-9))
        total += float(np.mean(np.abs(np.log(s + FLOOR_AMPLITUDE) - np.log(t + FLOOR_AMPLITUDE))))
    return total / len(WINDOWS)


def mel_difference_db(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> np.ndarray:
    """Estimate less reference, mel spectra in dB (80 bands, 2048 samples, hop 512, floor -80 dB): [80, K]."""
    levels = []
    for x in (reference, estimate):
        power = _magnitude(x, 2048, MEL_HOP) ** 2
        bands = librosa.filters.mel(sr=sample_rate, n_fft=2048, n_mels=80, norm=None) @ power
        levels.append(10 * np.log10(np.maximum(bands, 1e-8)))
    return levels[1] - levels[0]


def mel_distance_db(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    """Mean absolute difference of 80-band mel spectra in dB (2048 samples, hop 512), floor at -80 dB."""
    return float(np.mean(np.abs(mel_difference_db(reference, estimate, sample_rate))))


def _magnitude(audio: np.ndarray, n_fft: int, hop: int | None = None) -> np.ndarray:
    spectrum = librosa.stft(np.asarray(audio, dtype=np.float32), n_fft=n_fft, hop_length=hop or n_fft // 4)
    return np.abs(spectrum) * np.float32(4.0 / n_fft)


def transient_error(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float | None:
    """Sum of |o' - o| over the sum of o, within 50 ms of the reference's onsets; None where it has none.

    o is the onset envelope: the rise in dB from one hop of 128 samples to the next, mean over 40 mel bands
    (512 samples, 80 dB under the loudest).
    """
    envelopes = [
        librosa.onset.onset_strength(
            y=np.pad(np.asarray(a, np.float32), (2048, 0)), sr=sample_rate, hop_length=HOP,
            n_fft=ATTACK_WINDOW, n_mels=40,
        )
        for a in (reference, estimate)
    ]  # fmt: skip
    onsets = librosa.onset.onset_detect(onset_envelope=envelopes[0], sr=sample_rate, hop_length=HOP)
    near = np.zeros(len(envelopes[0]), dtype=bool)
    reach = round(ATTACK_SECONDS * sample_rate / HOP)
    for frame in onsets:
        near[max(frame - reach, 0) : frame + reach + 1] = True
    whole = envelopes[0][near].sum()
    return float(np.abs(envelopes[1] - envelopes[0])[near].sum() / whole) if whole > 0 else None


def harmonic_to_noise_db(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Boersma's (1993) harmonic-to-noise ratio 10 log10(r / (1 - r)) over 4096 samples, -30 to 40 dB:
    [N // 128 + 1], every fourth and held between."""
    r = np.clip(1.0 - aperiodicity(audio, sample_rate, exponent=2.0), 1e-3, 1 - 1e-4)
    return 10 * np.log10(r / (1 - r))


@dataclass
class ReconstructionScore:
    """Gathers pairs of a source and what was made of it; `summary` gives the figures."""

    sample_rate: int
    rows: list[dict[str, float | None]] = field(default_factory=list)
    windows: list[np.ndarray] = field(default_factory=list)

    def add(self, audio: np.ndarray, answer: np.ndarray, level_db: np.ndarray, answer_db: np.ndarray) -> None:
        """A source and an answer [128 T] with their levels in dB [T]."""
        rate = self.sample_rate
        difference = np.abs(mel_difference_db(audio, answer, rate))
        sounding = level_db > NOISE_FLOOR_DB
        hnr, hnr_answer = (harmonic_to_noise_db(a, rate)[: len(sounding)] for a in (audio, answer))
        voiced = sounding & (hnr > VOICED_HNR_DB)
        apart = (hnr_answer - hnr)[voiced]
        silent = ~sounding
        quiet = np.count_nonzero(silent) >= LEAST_SILENCE_FRAMES
        self.windows.append(_worst_candidates(difference, sounding))
        self.rows.append(
            {
                "mstft": mstft_distance(audio, answer),
                "mel": float(np.mean(difference)),
                "transient": transient_error(audio, answer, rate),
                "onsets": onset_agreement(audio, answer, rate),
                "hnr_db": float(np.median(np.abs(apart))) if len(apart) else None,
                "hnr_bias_db": float(np.median(apart)) if len(apart) else None,
                "silence_db": float(np.median(answer_db[silent])) if quiet else None,
                "silence_source_db": float(np.median(level_db[silent])) if quiet else None,
            }
        )

    def summary(self) -> dict[str, Any]:
        """Means over the pairs that have a figure; the worst tenth over all half-seconds together."""
        keys = self.rows[0] if self.rows else {}
        found: dict[str, Any] = {
            k: mean_or_none([v for r in self.rows if (v := r[k]) is not None]) for k in keys
        }
        return found | {"mel_worst_tenth": worst_tenth(np.concatenate(self.windows) if self.windows else [])}


def worst_tenth(values: Sequence[float] | np.ndarray) -> float | None:
    """Mean of the largest tenth (at least one) of the values; None for none."""
    if not len(values):
        return None
    count = max(1, round(WORST_SHARE * len(values)))
    return float(np.mean(np.sort(values)[-count:]))


def _worst_candidates(difference: np.ndarray, sounding: np.ndarray) -> np.ndarray:
    """Mean absolute difference of each half-second, of which half sounds: [W]."""
    columns, step = WINDOW_FRAMES * HOP // MEL_HOP, MEL_HOP // HOP
    means = [
        difference[:, i : i + columns].mean()
        for i in range(0, len(sounding) // step - columns + 1, columns)
        if sounding[i * step : (i + columns) * step].mean() >= 0.5
    ]
    return np.array(means)


def answer_to_nothing_db(answer: np.ndarray) -> float:
    """Root mean square in dB, at least -120, of what an instrument makes of digital silence."""
    return float(20 * np.log10(max(float(np.sqrt(np.mean(np.square(answer, dtype=np.float64)))), 1e-6)))
