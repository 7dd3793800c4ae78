"""How far a reconstruction is from its source: spectral distances that do not ask for the same waveform."""

import librosa
import numpy as np

WINDOWS = (2048, 1024, 512, 256, 128)
FLOOR_AMPLITUDE = 1e-5
"""Amplitude (-100 dB) under which differences of logarithms do not count."""


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


def mel_distance_db(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    """Mean absolute difference of 80-band mel spectra in dB (2048 samples, hop 512), floor at -80 dB."""
    levels = []
    for x in (reference, estimate):
        power = _magnitude(x, 2048, 512) ** 2
        bands = librosa.filters.mel(sr=sample_rate, n_fft=2048, n_mels=80, norm=None) @ power
        levels.append(10 * np.log10(np.maximum(bands, 1e-8)))
    return float(np.mean(np.abs(levels[0] - levels[1])))


def _magnitude(audio: np.ndarray, n_fft: int, hop: int | None = None) -> np.ndarray:
    spectrum = librosa.stft(np.asarray(audio, dtype=np.float32), n_fft=n_fft, hop_length=hop or n_fft // 4)
    return np.abs(spectrum) * np.float32(4.0 / n_fft)
