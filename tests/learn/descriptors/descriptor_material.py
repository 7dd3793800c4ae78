"""Synthetic sounds of known make-up, the same on every machine: one second each at 44.1 kHz, float64."""

import functools

import numpy as np

SAMPLE_RATE = 44_100
SECONDS = 1.0


def _time() -> np.ndarray:
    return np.arange(int(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE


def sine(f_hz: float, amplitude: float = 0.1) -> np.ndarray:
    """Steady sine."""
    return amplitude * np.sin(2 * np.pi * f_hz * _time())


@functools.cache
def harmonic(f0_hz: float, tilt: float = 1.0, amplitude: float = 0.05) -> np.ndarray:
    """Harmonics k up to 18 kHz with amplitudes k**-tilt and scattered phases."""
    count = int(18_000 / f0_hz)
    return amplitude * sum(
        np.sin(2 * np.pi * f0_hz * k * _time() + k * k) * k**-tilt for k in range(1, count + 1)
    )


def noise(low_hz: float, high_hz: float, rms: float = 0.05, seed: int = 0) -> np.ndarray:
    """Gaussian noise, brick-wall limited to low_hz … high_hz."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(len(_time())))
    f_hz = np.fft.rfftfreq(len(_time()), 1 / SAMPLE_RATE)
    x = np.fft.irfft(np.where((f_hz >= low_hz) & (f_hz <= high_hz), spectrum, 0.0), len(_time()))
    return rms * x / np.sqrt(np.mean(x**2))


def beating(carrier_hz: float, rate_hz: float, depth: float = 1.0) -> np.ndarray:
    """Amplitude-modulated sine."""
    return (
        0.05 * (1 + depth * np.cos(2 * np.pi * rate_hz * _time())) * np.sin(2 * np.pi * carrier_hz * _time())
    )


@functools.cache
def material() -> dict[str, np.ndarray]:
    """Name -> sound, for comparisons with published implementations."""
    sounds = {
        "white": noise(20, 20_000),
        "low noise": noise(30, 200, seed=1),
        "mid noise": noise(300, 2500, seed=2),
        "high noise": noise(4000, 16_000, seed=3),
        "rumble and hiss": noise(30, 120, seed=4) + noise(3000, 12_000, 0.02, seed=5),
        "tone and hiss": harmonic(440) + noise(3000, 16_000, 0.01, seed=6),
        "dyad": harmonic(220) + harmonic(233.08),
        "bass and treble": sine(80) + sine(3000),
        "steep 110": harmonic(110, tilt=2.5),
        "bright 110": harmonic(110, tilt=0.3, amplitude=0.02),
    }
    sounds |= {f"harmonic {f}": harmonic(f) for f in (60, 82.4, 110, 165, 220, 330, 523, 880, 1500)}
    sounds |= {f"sine {f}": sine(f) for f in (70, 150, 1000, 4000)}
    rates = (
        (250, 20),
        (250, 70),
        (1000, 20),
        (1000, 40),
        (1000, 70),
        (1000, 120),
        (1000, 200),
        (3000, 70),
        (3000, 200),
    )
    sounds |= {f"beating {c}/{r}": beating(c, r) for c, r in rates}
    sounds |= {f"depth {d}": beating(1000, 70, d) for d in (0.3, 0.6)}
    return sounds
