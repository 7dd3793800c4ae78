"""Sound that changes its rate on the way to a device, and sound that comes in bursts from a microphone."""

import numpy as np
import pytest

from neurorack.play.audio.live_input import LiveInput
from neurorack.play.audio.resampler import ResampledRender, resampler_latency_s
from neurorack.play.control.ring import AudioRing


@pytest.mark.parametrize("device_rate", [48_000, 96_000])
def test_a_sine_keeps_its_pitch_and_is_never_short(device_rate):
    made = [0]

    def render(n, audio_in=None, events=()) -> np.ndarray:
        t = np.arange(made[0], made[0] + n) / 44_100
        made[0] += n
        return np.tile(np.sin(2 * np.pi * 997.0 * t).astype(np.float32), (2, 1))

    resampled = ResampledRender(render, 44_100, device_rate, 128)
    audio = np.concatenate([resampled(n)[0] for n in [64, 512, 1, 128] * 60])
    assert len(audio) == 705 * 60
    steady = audio[4000:]
    power = np.abs(np.fft.rfft(steady * np.blackman(len(steady)))) ** 2
    freqs = np.fft.rfftfreq(len(steady), 1 / device_rate)
    assert freqs[power.argmax()] == pytest.approx(997.0, abs=2.0)
    rest = power[np.abs(freqs - 997.0) > 30].max()
    assert 10 * np.log10(power.max() / rest) > 80
    assert 0 < resampler_latency_s(44_100, device_rate, 128) < 0.004


def test_bursts_from_a_microphone_are_smoothed_and_never_lag_behind():
    ring = AudioRing(memoryview(bytearray(AudioRing.nbytes(1, 1 << 16))), 1, 1 << 16)
    live = LiveInput(ring, 44_100)
    ramp, heard = 0, []
    for _ in range(200):  # 512 samples arrive, 4 x 128 are read
        ring.write((1 + np.arange(ramp, ramp + 512, dtype=np.float32))[None])
        ramp += 512
        blocks = [live.read(128) for _ in range(4)]
        heard += [np.zeros(128) if block is None else block for block in blocks]
    sound = np.concatenate(heard)
    start = int(np.argmax(sound > 0))
    assert np.all(np.diff(sound[start:]) == 1) and start < 0.06 * 44_100
    for _ in range(40):  # the sender stalled, then sent everything at once
        ring.write(np.ones((1, 512), np.float32))
    live.read(128)
    assert live._reader.available() < 0.07 * 44_100
    for _ in range(100):
        silence = live.read(128)
    assert silence is None
