"""The score itself: an oracle gets 1, noise 0, cheats little; and it looks at the right time without
fitting."""

import numpy as np
import pytest
from scored_subject import RATE, SECONDS, score, subject_of

from neurorack.core.level import FLOOR_POWER, TAPS, level_weights
from neurorack.learn.measure.alignment import EDGE, asked_level_db, heard_level_db, offset_frames
from neurorack.learn.measure.asking import Request, requests_for, steps, walk
from neurorack.learn.measure.control import ControlScore, Yardstick
from neurorack.learn.measure.excerpts import Excerpt, assemble
from neurorack.learn.measure.independent import loudness_db, measure
from neurorack.learn.measure.nulls import follow_level
from neurorack.learn.measure.subject import FIXED_SET, sources_without_model


def moving_sound(seed: int) -> np.ndarray:
    """A harmonic tone and band noise whose level, tilt and noise wander: every descriptor varies."""
    rng = np.random.default_rng(seed)
    frames = int(SECONDS * RATE / 128)
    n = 128 * frames
    level, tilt, breath = (np.repeat(walk(frames, RATE, rng), 128) for _ in range(3))
    t, f0 = np.arange(n) / RATE, rng.uniform(80, 300)
    tone = sum(np.sin(2 * np.pi * f0 * k * t) * k ** (-1.5 - tilt) for k in range(1, 40) if f0 * k < 16_000)
    tone = tone + 10 ** (breath - 1.5) * rng.standard_normal(n)
    return (0.05 * 10 ** (0.5 * level) * tone).astype(np.float32)


@pytest.fixture(scope="module")
def subject():
    return subject_of([moving_sound(i) for i in range(5)])


def test_oracle_scores_one_and_noise_nothing(subject):
    vocabulary, _, _ = subject
    oracle = score(subject, lambda s, r: {n: vocabulary.as_heard(n, r.asked[n]) for n in FIXED_SET})
    # The partial rank stays a little under 1 only where asked and own curve nearly agree.
    for mode in ("one", "all", "raw"):
        assert oracle["control"][mode]["worst"] > 0.99
        assert all(oracle["control"][mode][n]["error_iqr"] < 0.05 for n in FIXED_SET)
    assert oracle["loudness"]["p90_db"] < 0.01 and oracle["leakage"]["mean"] < 0.01
    assert oracle["feasible"] == {"share": 1.0, "one_share": 1.0, "own_share": 1.0}
    rng = np.random.default_rng(0)
    noise = score(subject, lambda s, r: {n: rng.standard_normal(s.frames) for n in FIXED_SET})
    assert abs(noise["control"]["one"]["mean"]) < 0.05 and abs(noise["control"]["all"]["mean"]) < 0.05


def test_cheats_score_little(subject):
    """A copy, a bare gain, a constant tone and silence: none may pass for control."""
    vocabulary, sources, _ = subject

    def gained(source, request):
        if "loudness" not in request.moved:
            return source.heard
        return vocabulary.listen(follow_level(source.excerpt.audio, request.asked["loudness"], RATE))

    copy = score(subject, lambda s, r: s.heard)["control"]
    assert copy["one"]["mean"] == 0.0 and copy["all"]["mean"] == 0.0
    gain = score(subject, gained)
    control = gain["control"]
    assert control["one"]["loudness"]["rank"] > 0.9 and gain["loudness"]["median_db"] < 0.2
    for mode in ("one", "all"):
        assert all(abs(control[mode][n]["rank"]) < 0.15 for n in FIXED_SET[1:]), control[mode]
        assert control[mode]["mean"] < 0.33
    tone = 0.1 * np.sin(2 * np.pi * 300 * np.arange(128 * sources[0].frames) / RATE)
    for audio in (tone, 0 * tone):
        heard = vocabulary.listen(audio)
        constant = score(subject, lambda s, r, h=heard: h)["control"]
        assert abs(constant["one"]["mean"]) < 0.1 and abs(constant["all"]["mean"]) < 0.1


def test_a_stretch_on_which_nothing_moves_has_no_rank(subject):
    """Steps asked of noisiness: where only one held step is feasible, the answer's tremor is not judged."""
    vocabulary, sources, _ = subject
    source, name = sources[0], "noisiness"
    held = np.where(np.arange(source.frames) < source.frames // 2, -0.5, 0.5)
    asked = {**source.own, name: vocabulary.normalisers[name].to_physical(held)}
    counted, first = source.sounding, np.arange(source.frames) < source.frames // 2

    def judged(feasible: np.ndarray) -> dict:
        result = ControlScore(vocabulary, Yardstick.of(sources, vocabulary))
        request = Request("all", (name,), asked, counted, counted & feasible, {name: True})
        tremor = {**source.heard, name: np.random.default_rng(0).standard_normal(source.frames)}
        result.add(0, source, [request, request], [source.heard, tremor])
        return result.summary()["control"]

    still, moving = judged(first), judged(np.ones_like(first))
    assert still["all"][name]["requests"] == 0 and still["all"][name]["rank"] is None
    assert still["raw"][name]["requests"] == moving["all"][name]["requests"] == 1


def test_declared_offsets_are_where_a_perfect_answer_is_heard():
    """A causal descriptor read 8 frames late equals the independent one at k = u + 1, and nowhere nearer."""
    audio = moving_sound(9)
    heard = measure(audio, RATE, ["brightness"])["brightness"]
    window = np.hanning(2049)[:-1]
    padded = np.pad(audio, (2048 - 128, 0))
    frames = len(audio) // 128
    magnitude = [np.abs(np.fft.rfft(window * padded[128 * t : 128 * t + 2048])) for t in range(frames)]
    causal = np.array([m @ np.fft.rfftfreq(2048, 1 / RATE) / m.sum() for m in magnitude])
    u = np.arange(EDGE, frames - EDGE)
    error = {k: np.mean(np.abs(causal[u + 8] - heard[u + k])) for k in range(-3, 5)}
    assert min(error, key=error.get) == offset_frames("brightness", 8) == 1 and error[1] < 0.1
    assert offset_frames("noisiness", 18, slow=True) == 1
    assert (offset_frames("pitch", 18), offset_frames("loudness", 0)) == (0, 0)


def test_level_is_compared_in_one_window():
    """Asked and heard level of the very same sound agree to rounding, through clicks and fades."""
    rng = np.random.default_rng(0)
    audio = (rng.standard_normal(128 * 600) * np.repeat(10 ** rng.uniform(-3, 0, 600), 128)).astype(
        np.float32
    )
    power = np.mean(audio.reshape(-1, 128).astype(float) ** 2, axis=1)
    weights = level_weights(RATE).astype(float)
    own = 10 * np.log10(np.convolve(np.pad(power, (TAPS - 1, 0)), weights, "valid") + FLOOR_POWER)
    heard = heard_level_db(loudness_db(audio), RATE)[: len(own)]
    assert np.abs(asked_level_db(own) - heard)[EDGE:-EDGE].max() < 0.01


def test_requests_are_repeatable_reachable_and_apart_from_their_groups(subject):
    vocabulary, sources, _ = subject
    first, again, other = (requests_for(0, sources, vocabulary, seed) for seed in (1, 1, 2))
    assert all(
        np.array_equal(a.asked[n], b.asked[n]) for a, b in zip(first, again, strict=True) for n in a.asked
    )
    assert not np.array_equal(first[1].asked["loudness"], other[1].asked["loudness"])
    rng = np.random.default_rng(0)
    for shape in (steps(1000, RATE, rng), walk(1000, RATE, rng)):
        assert shape.shape == (1000,) and np.abs(shape).max() <= 0.9 and np.std(shape) > 0.2
    twins = [Excerpt(s.excerpt.audio, s.excerpt.files, frozenset({"same"})) for s in sources[:2]]
    vocabulary, pair = sources_without_model(twins, RATE)
    assert not [r for r in requests_for(0, pair, vocabulary, 0) if r.kind in ("all", "donor")]


def test_short_hits_are_put_end_to_end_without_gaps():
    hits = [(f"drum/{i}.wav", f"{i}", lambda i=i: np.full(10_000, i + 1, np.float32)) for i in range(12)]
    long = [
        ("flute/a.wav", "a", lambda: np.zeros(9 * RATE, np.float32)),
        ("x/s.wav", "s", lambda: np.zeros(99)),
    ]
    excerpts = assemble([*hits, *long], RATE, None, 0)
    assert all(RATE <= len(e.audio) <= 4 * RATE and len(e.audio) % 128 == 0 for e in excerpts)
    joined = next(e for e in excerpts if e.files[0].startswith("drum"))
    assert len(joined.files) >= 9 and (joined.audio != 0).all()
    assert [e.files for e in assemble([*hits, *long], RATE, 1, 0)] == [excerpts[0].files]
