"""The gain stage: the level asked is the level read, a held note has no buzz, a step no thump."""

import numpy as np
import pytest
import torch

from neurorack.core.level import FLOOR_POWER
from neurorack.learn.model.excitation import PulseTrain
from neurorack.learn.model.gain import LOUDER_DB, GainStage, LevelWindow, frame_power
from neurorack.learn.model.streaming import Tape

RATE = 44_100
FRAMES = 700


def _through(raw: torch.Tensor, level_db: torch.Tensor, f0_hz: torch.Tensor | None) -> torch.Tensor:
    with torch.no_grad():
        return GainStage(RATE)(raw, level_db, f0_hz, Tape(None, None))


def _read_db(audio: torch.Tensor) -> np.ndarray:
    power = LevelWindow(RATE)(frame_power(audio), Tape(None, None))
    return (10 * torch.log10(power + FLOOR_POWER))[0, 0].numpy()


def _noise() -> torch.Tensor:
    return 0.1 * torch.randn(1, FRAMES * 128, generator=torch.Generator().manual_seed(3))


def test_the_level_asked_is_read_while_raw_sound_and_request_move():
    """Strokes that ring away by 100 dB a second, asked to swell and fall by 16 dB twice a second."""
    t = torch.arange(FRAMES * 128) / RATE
    raw = _noise() * 10 ** (-5 * (t % 0.3))
    asked = -25 + 8 * torch.sin(2 * np.pi * 2 * torch.arange(FRAMES) * 128 / RATE).reshape(1, 1, -1)
    error = np.abs(_read_db(_through(raw, asked, None)) - asked[0, 0].numpy())[60:]
    assert np.median(error) < 0.45  # one pass: 0.57
    assert np.quantile(error, 0.75) < 0.7  # one pass: 1.1; the strokes' own attacks are beyond


@pytest.mark.parametrize("f0_hz", [41.2, 61.7, 98.0, 147.0, 220.0, 440.0])
def test_a_held_note_has_nothing_between_its_harmonics(f0_hz):
    f0 = torch.full((1, 1, FRAMES), f0_hz)
    pulses = PulseTrain(RATE)(f0, Tape(None, None))
    sound = _through(pulses, torch.full((1, 1, FRAMES), -20.0), f0)[0, -65_536:].double().numpy()
    power = np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) ** 2
    frequency = np.fft.rfftfreq(len(sound), 1 / RATE)
    harmonic = np.abs(frequency - f0_hz * np.round(frequency / f0_hz)) < 8.0
    heard = (frequency > 20.0) & (frequency < 15_000.0)
    between_db = 10 * np.log10(power[heard & ~harmonic].sum() / power[heard & harmonic].sum())
    assert between_db < -38.0


@pytest.mark.parametrize("rise", [1, 8, 16])
def test_a_level_asked_in_a_step_begins_without_a_thump(rise):
    level = torch.full((1, 1, FRAMES), -60.0)
    level[..., 300 : 300 + rise] = torch.linspace(-60.0, -20.0, rise + 1)[1:]
    level[..., 300 + rise :] = -20.0
    raw = _noise()
    frames_db = (10 * torch.log10(frame_power(_through(raw, level, None)) + 1e-9))[0, 0].numpy()
    assert frames_db[300 : 340 + rise].max() < -20.0 + LOUDER_DB + 3.0  # a frame of noise strays by itself
    assert abs(frames_db[400:].mean() + 20.0) < 0.5
