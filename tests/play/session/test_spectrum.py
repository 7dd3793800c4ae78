"""The panel's small spectrum: a tone stands in its band at its level, and every line is in some band."""

import numpy as np
import pytest

from neurorack.play.session.spectrum import BANDS, FLOOR_DB, HIGH_HZ, LOW_HZ, WINDOW, Spectrum

RATE = 44_100


@pytest.mark.parametrize("level_db", (0, -30))
@pytest.mark.parametrize("line", (4, 5, 40, 700, 1650))
def test_a_tone_stands_at_its_level_in_its_band_and_far_from_it_is_silence(line, level_db):
    tone = 10 ** (level_db / 20) * np.sin(2 * np.pi * line * np.arange(WINDOW) / WINDOW)
    levels = Spectrum(RATE).levels_db(tone)
    assert len(levels) == BANDS and all(isinstance(level, int) for level in levels)
    place = BANDS * np.log(line * RATE / WINDOW / LOW_HZ) / np.log(HIGH_HZ / LOW_HZ)
    assert max(levels) == level_db
    highest = [band for band, level in enumerate(levels) if level == level_db]
    assert any(abs(band + 0.5 - place) <= 1.0 for band in highest)
    assert levels[0 if line > 500 else -1] == FLOOR_DB


def test_every_line_between_the_ends_is_in_a_band():
    spectrum = Spectrum(RATE)
    for line in range(int(np.ceil(LOW_HZ * WINDOW / RATE)), int(HIGH_HZ * WINDOW / RATE)):
        tone = np.sin(2 * np.pi * line * np.arange(WINDOW) / WINDOW)
        assert max(spectrum.levels_db(tone)) == 0, line
