"""Answers that try to be scored without obeying. Each must fail, and the figure that exposes it is named.

Some cheat with sound, some with curves as the scorer would hear them (any sound that could be heard so is
covered). All are judged on real requests made from synthetic notes and swells.
"""

import dataclasses

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, sosfilt
from scored_subject import RATE, SECONDS, requests_of, score, subject_of

from neurorack.learn.measure.asking import unmoved, walk
from neurorack.learn.measure.control import ControlScore, Yardstick
from neurorack.learn.measure.nulls import follow_level
from neurorack.learn.measure.realism import Realism, Reference, embed
from neurorack.learn.measure.subject import FIXED_SET

TIMBRE = FIXED_SET[1:]


def note(seed: int) -> np.ndarray:
    """A blown note: attack and release as every note has them, and level, tilt and breath that wander."""
    rng = np.random.default_rng(seed)
    frames = int(SECONDS * RATE / 128)
    n = 128 * frames
    level, tilt, breath = (np.repeat(walk(frames, RATE, rng), 128) for _ in range(3))
    t, f0 = np.arange(n) / RATE, rng.uniform(80, 300)
    envelope = np.minimum(1, t / rng.uniform(0.1, 0.5)) * np.minimum(1, (SECONDS - t) / rng.uniform(0.3, 1.0))
    tilt = 0.6 * tilt - 1.5 * envelope
    tone = sum(
        np.sin(2 * np.pi * f0 * k * t) * k ** (-1 - tilt - 1.5) for k in range(1, 40) if f0 * k < 16_000
    )
    tone = tone + 10 ** (breath - 2.5) * rng.standard_normal(n)
    return (0.05 * envelope * 10 ** (0.5 * level) * tone).astype(np.float32)


@pytest.fixture(scope="module")
def subject():
    return subject_of([note(i) for i in range(6)])


def obeying(vocabulary, request, *but):
    """Curves of an answer that does as asked, but for the controls named."""
    return {n: vocabulary.as_heard(n, c) for n, c in request.asked.items() if n not in but}


def timbre(figures):
    return [figures[n]["rank"] for n in TIMBRE]


def audio_of(subject, make):
    """`make(source, request)` gives the answer's sound [128 T]; heard as any sound is."""
    vocabulary, _, _ = subject
    return lambda source, request: vocabulary.listen(make(source, request))


def band(audio, low_hz, high_hz):
    return sosfilt(butter(4, (low_hz, high_hz), "bandpass", fs=RATE, output="sos"), audio)


def test_an_obeying_answer_is_not_harmed(subject):
    """Nothing that was added against cheats costs one that does as asked."""
    result = score(subject, lambda s, r: obeying(subject[0], r))["control"]
    for mode in ("one", "one_feasible", "all", "raw", "sustained"):
        assert result[mode]["worst"] > 0.98, mode
        assert result[mode]["fixed_mean"] > 0.98
    assert result["fast"]["worst"] > 0.9


@pytest.mark.parametrize("change", ["none", "late", "smooth", "louder"])
def test_the_source_played_back(subject, change):
    """As it is, a little late, smoothed, or with a fixed gain: nothing."""
    alter = {
        "none": lambda c: c,
        "late": lambda c: np.roll(c, 6),
        "smooth": lambda c: uniform_filter1d(c, 35),
        "louder": lambda c: c + 3.0,
    }[change]
    result = score(subject, lambda s, r: {n: alter(c) for n, c in s.heard.items()})["control"]
    for mode in ("one", "all", "raw", "sustained", "fast", "second"):
        assert abs(result[mode]["mean"]) < 0.1, mode


def test_gain_and_an_equaliser_set_once_for_each_request(subject):
    """Loudness by a gain; the tilt of the request's mean brightness, held: loudness is all it earns."""
    vocabulary = subject[0]

    def make(source, request):
        audio = source.excerpt.audio
        if "brightness" in request.moved:
            wanted = np.mean(vocabulary.normalisers["brightness"].to_control(request.asked["brightness"]))
            corner = butter(1, 800, "highpass" if wanted > 0 else "lowpass", fs=RATE, output="sos")
            audio = (audio + 3 * abs(wanted) * sosfilt(corner, audio)).astype(np.float32)
        if "loudness" in request.moved:
            audio = follow_level(audio, request.asked["loudness"], RATE)
        return audio

    control = score(subject, audio_of(subject, make))["control"]
    assert control["one"]["loudness"]["rank"] > 0.9
    for mode in ("one", "all", "raw", "sustained", "second"):
        assert all(abs(r) < 0.2 for r in timbre(control[mode])), (mode, control[mode])


def test_only_slow_trends_are_obeyed(subject):
    """Everything a second late and smeared: the ranks are middling, the fast part gives it away."""
    control = score(
        subject, lambda s, r: {n: uniform_filter1d(c, 345) for n, c in obeying(subject[0], r).items()}
    )["control"]
    assert control["one"]["mean"] > 0.4
    assert control["fast"]["mean"] < 0.05 and control["fast"]["worst"] < 0.05


@pytest.mark.parametrize("shape", ["straight", "folded", "wavy", "late"])
def test_loudness_leaks_into_the_others(subject, shape):
    """Timbre follows the (obeyed) loudness, straight or bent or late, and no request of its own."""
    vocabulary = subject[0]
    bend = {"folded": np.abs, "wavy": lambda x: np.sin(4 * x)}.get(shape, lambda x: x)

    def hear(source, request):
        level = vocabulary.as_heard("loudness", request.asked["loudness"])
        follower = bend(vocabulary.normalisers["loudness"].to_control(np.roll(level, 12 * (shape == "late"))))
        return {**{n: follower for n in TIMBRE}, "loudness": level}

    result = score(subject, hear)
    for mode in ("one", "all", "raw"):
        assert all(abs(r) < 0.2 for r in timbre(result["control"][mode])), mode
    assert result["leakage"]["mean"] > 1


def test_the_same_trajectory_whatever_is_asked(subject):
    """Every note rises and falls, so the corpus's mean curve agrees with many requests, and as much with the
    wrong ones."""
    _, sources, _ = subject
    mean = {n: np.mean([s.heard[n] for s in sources], axis=0) for n in FIXED_SET}
    result = score(subject, lambda s, r: mean)
    assert result["control"]["all"]["mean"] > 0.2
    for mode in ("one", "all"):
        gained = result["control"][mode]["mean"] - result["mismatched"][mode]["mean"]
        assert abs(gained) < 0.05, mode
    honest = score(subject, lambda s, r: obeying(subject[0], r))
    assert honest["control"]["all"]["mean"] - honest["mismatched"]["all"]["mean"] > 0.7


def test_hiss_that_nobody_hears_moves_the_centroid(subject):
    """A faint hiss at 17 kHz follows the asked brightness: the centroid obeys, a second ear is deaf."""
    vocabulary = subject[0]

    def make(source, request):
        audio = source.excerpt.audio
        if "brightness" not in request.moved:
            return audio
        control = vocabulary.normalisers["brightness"].to_control(request.asked["brightness"])
        noise = band(np.random.default_rng(1).standard_normal(len(audio)), 16_500, 18_500)
        level = np.repeat(10 ** ((source.heard["loudness"] - 40 + 15 * control) / 20), 128)
        return (audio + level * noise).astype(np.float32)

    control = score(subject, audio_of(subject, make))["control"]
    assert control["one"]["brightness"]["rank"] > 0.4
    assert control["second"]["brightness"]["rank"] < 0.2


def test_what_sounds_under_the_floor_is_worth_nothing(subject):
    """All is obeyed at -80 dB."""
    vocabulary = subject[0]
    whisper = score(
        subject,
        lambda s, r: {**obeying(vocabulary, r, "loudness"), "loudness": np.full(s.frames, -80.0)},
    )["control"]
    assert whisper["one"]["mean"] == 0.0 and whisper["all"]["mean"] == 0.0


def test_controls_left_out_count_as_not_obeyed():
    """An instrument with loudness alone has a mean of 1, and a mean over the fixed set of a quarter."""
    vocabulary, sources, _ = subject_of([note(i) for i in range(3)])
    alone = dataclasses.replace(vocabulary, normalisers={"loudness": vocabulary.normalisers["loudness"]})
    requests = [requests_of(i, sources, alone) for i in range(3)]
    control = score((alone, sources, requests), lambda s, r: obeying(alone, r))["control"]
    assert control["one"]["mean"] > 0.99 and control["one"]["fixed_mean"] == pytest.approx(0.25, abs=0.01)


def test_requests_that_only_the_chosen_can_meet(subject):
    """A support radius that keeps only easy requests keeps few frames of the recordings themselves."""
    vocabulary, sources, _ = subject
    rows = [vocabulary.normalisers[n].to_control(sources[0].own[n]) for n in vocabulary.names]
    narrow = dataclasses.replace(vocabulary, support=np.stack(rows, 1)[300:310], radius=0.1)
    result = ControlScore(narrow, Yardstick.of(sources, narrow))
    for source in sources:
        result.add(0, source, [unmoved(source)], [source.heard])
    assert result.summary()["feasible"]["own_share"] < 0.1


def test_noise_and_a_sine_that_ignore_the_source(subject):
    """Noise that obeys level and filter would be ranked well: it is far from the corpus, edited or not, and
    could be anyone's."""
    _, sources, requests = subject
    reference = Reference.of_windows(np.concatenate([embed(note(100 + i), RATE) for i in range(12)]))
    results = {}
    for kind in ("honest", "noise", "sine"):
        real = Realism(reference, RATE)
        for source, asked in zip(sources, requests, strict=True):
            n = len(source.excerpt.audio)
            made = {
                "honest": source.excerpt.audio,
                "noise": np.random.default_rng(0).standard_normal(n).astype(np.float32),
                "sine": np.sin(2 * np.pi * 300 * np.arange(n) / RATE).astype(np.float32),
            }[kind]
            real.add(source, asked, [follow_level(made, r.asked["loudness"], RATE) for r in asked])
        results[kind] = real.summary()
    assert results["honest"]["ratio"] == pytest.approx(1.0, abs=0.3)
    assert results["honest"]["reconstruction_ratio"] < 1.2 and results["honest"]["own_source_edited"] > 0.9
    for kind in ("noise", "sine"):
        assert results[kind]["reconstruction_ratio"] > 1.4, kind
        assert 0.3 < results[kind]["own_source_edited"] < 0.8, kind
