"""What is shown of pairs and replies: the worst first, asked curves on the scale of the ear that hears."""

import numpy as np
import pytest
from scored_subject import RATE, subject_of
from small_corpus import wandering

from neurorack.learn.report.album import Album


@pytest.fixture(scope="module")
def subject():
    return subject_of([wandering(i, 2.1, RATE) for i in range(3)])


@pytest.fixture(scope="module")
def album(subject):
    """Source i comes back with i parts of noise in a thousand, whatever is asked."""
    vocabulary, sources, requests = subject
    album = Album(vocabulary)
    rng = np.random.default_rng(0)
    for i, source in enumerate(sources):
        audio = source.excerpt.audio
        spoilt = (audio + 1e-3 * i * rng.standard_normal(len(audio))).astype(np.float32)
        answers = np.stack([spoilt] * len(requests[i]))
        album(source, requests[i], answers, [source.heard] * len(requests[i]))
    return album


def test_the_worst_pair_comes_first(album):
    shown = album.shown_pairs(4)
    assert [pair.files[0] for _, pair in shown] == ["2.wav", "1.wav", "0.wav"]
    assert [place for place, _ in shown] == [
        "the worst of 3",
        "number 2 of 3 from the worst",
        "the best of 3",
    ]
    assert shown[-1][1].mel_db == 0.0 and np.array_equal(shown[-1][1].answer, shown[-1][1].recording)


def test_the_worst_reply_and_the_middle_one_of_each_kind(album):
    for name in ("loudness", "brightness", None):
        (first, worst), (second, middle) = album.shown_replies(name)
        assert (first, second) == ("the worst", "the middle one") and worst.rank <= middle.rank
        assert set(worst.curves) == {name} if name else len(worst.curves) > 1
    assert all(abs(r.rank) < 1e-6 for r in album.replies)  # the source itself obeys nothing


def test_asked_curves_are_shown_on_the_scale_of_what_hears_them(album, subject):
    _, sources, _ = subject
    level = np.array([-30.0, -20.0])
    assert np.array_equal(album.as_shown("loudness", level), level)
    # Here the two implementations are one, so equal ranks are equal values.
    own = np.quantile(np.concatenate([s.own["noisiness"][s.sounding] for s in sources]), [0.2, 0.5, 0.8])
    assert np.allclose(album.as_shown("noisiness", own), own, rtol=1e-4)
