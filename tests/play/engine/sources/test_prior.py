"""The prior as a source: the same seed gives the same performance, hands take over and let go without a jump,
it goes on from what was played and answers what it heard.
"""

import numpy as np
import pytest
from tiny_prior import with_priors

from neurorack.play.engine.crossing import CROSS_S
from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import (
    ANSWER_ANSWERING,
    ANSWER_LISTENING,
    ANSWER_OFF,
    ANSWER_READY,
    ControlFrame,
    Origin,
    Source,
)
from neurorack.play.engine.hand import TAKE_S
from neurorack.play.engine.params import GOES_ON

RATE, HOP = 44_100, 128
EVERY = 8


@pytest.fixture(scope="module")
def instrument(tiny_nrk, tmp_path_factory):
    return load_instrument(with_priors(tiny_nrk, tmp_path_factory.mktemp("priors") / "playing.nrk"))


def _frame(instrument, gate=True, seed=1, **asked) -> ControlFrame:
    """The prior plays; the named controls are held at normalised values. No life of its own beside it."""
    frame = ControlFrame(gate=gate, source=Source.PRIOR, seed=seed, life=0.0)
    for name, value in asked.items():
        row = instrument.map.index(name)
        frame.asked[row], frame.held[row] = value, True
    return frame


def _play(engine, frame, frames, block=HOP, events=()):
    """(sound [n], controls asked of the decoder [blocks, C]) of so many frames."""
    sound, asked = [], []
    for n in range(frames * HOP // block):
        sound.append(engine.render(block, frame, None, events if n == 0 else ())[0])
        asked.append(engine.telemetry.asked[: engine.telemetry.controls].copy())
    return np.concatenate(sound), np.array(asked)


def _heard(engine) -> dict[str, np.ndarray]:
    """What prior_controls was given in its last step."""
    return engine._part.proposing.prior.controls._stream.inputs(1)


def test_it_moves_by_itself_and_only_the_seed_says_how(instrument):
    def path(seed: int) -> np.ndarray:
        return _play(Engine(instrument), _frame(instrument, seed=seed), 400)[1]

    first = path(5)
    assert np.array_equal(first, path(5))
    assert not np.array_equal(first, path(6))
    assert (first.std(axis=0) > 0.02).all()
    calm, bold = _frame(instrument, seed=5), _frame(instrument, seed=5)
    calm.surprise, bold.surprise = 0.0, 2.0
    still, wild = (_play(Engine(instrument), f, 400)[1][200:].std(axis=0) for f in (calm, bold))
    assert (still < 0.2 * first[200:].std(axis=0)).all()
    assert (wild > first[200:].std(axis=0)).all()


def test_any_block_size_gives_the_same_performance(instrument):
    frame = _frame(instrument, brightness=0.3)
    whole, asked = _play(Engine(instrument), frame, 384)
    for block in (1, 64, 1000, 8192):
        frames = 30 if block == 1 else 384
        engine = Engine(instrument)
        sound, _ = _play(engine, frame, frames, block)
        shared = min(len(sound), len(whole))
        np.testing.assert_allclose(sound[:shared], whole[:shared], atol=1e-5)
        if block == 8192:
            np.testing.assert_array_equal(engine.telemetry.asked[:5], asked[8192 // HOP * 6 - 1])


def test_a_snapshot_goes_on_exactly(instrument):
    frame = _frame(instrument)
    engine = Engine(instrument)
    _play(engine, frame, 101)
    kept = engine.snapshot()
    expected = _play(engine, frame, 200)[0]
    other = Engine(instrument)
    other.restore(kept)
    assert np.array_equal(_play(other, frame, 200)[0], expected)


def test_a_take_of_before_there_were_priors_is_restored(instrument):
    frame = ControlFrame(gate=True, source=Source.WANDER)
    engine = Engine(instrument)
    _play(engine, frame, 50)
    kept = engine.snapshot()
    news = ("_noted", "_leant", "played", "_alone", "hand.lead")
    old = {
        k: v for k, v in kept.items() if "proposing" not in k and "crossing" not in k and not k.endswith(news)
    }
    for name in old:
        if name.endswith("modulation.values"):
            old[name] = old[name][:-4]
    expected = _play(engine, frame, 50)[0]
    other = Engine(instrument)
    other.restore(old)
    assert np.array_equal(_play(other, frame, 50)[0], expected)


def test_no_frame_steps_both_graphs(instrument):
    engine = Engine(instrument)
    prior = engine._part.proposing.prior
    runs: dict[str, list[int]] = {"controls": [], "latent": [], "aside": []}
    for name in runs:
        stream = getattr(prior, name)._stream
        run = stream.run

        def counted(steps, name=name, run=run):
            runs[name].append(rendered)
            return run(steps)

        stream.run = counted
    frame = _frame(instrument, brightness=0.3)
    for rendered in range(160):  # noqa: B007 (counted reads it)
        engine.render(HOP, frame)
    assert [len(frames) for frames in runs.values()] == [160 // EVERY] * 3
    assert len({frame for frames in runs.values() for frame in frames}) == 3 * 160 // EVERY


def test_a_hand_takes_over_and_lets_go_without_a_jump_or_a_click(instrument):
    row = instrument.map.index("brightness")
    engine = Engine(instrument)
    free, taken = _frame(instrument, loudness=0.3), _frame(instrument, loudness=0.3, brightness=0.9)
    pieces = [_play(engine, f, n) for f, n in ((free, 300), (taken, 200), (free, 300))]
    sound = np.concatenate([sound for sound, _ in pieces])
    asked = np.concatenate([asked for _, asked in pieces])[:, row]
    steps = np.abs(np.diff(asked))
    usual = max(steps[50:298].max(), steps[560:].max())
    distance = np.abs(asked[299] - 0.9)
    assert distance > 0.3, "the hand must be elsewhere for this to say anything"
    # The steepest moment of two time constants in a row, and it sets off gradually.
    share = HOP / RATE / TAKE_S
    assert steps[295:500].max() <= 1.1 * share / np.e * distance + usual
    assert steps[299] <= 1.1 * share**2 * distance + usual
    assert asked[490] == pytest.approx(0.9, abs=0.01)
    # Let go, it goes on from the hand's place: it drifts away at its own pace, and does not leap back.
    assert steps[499:560].max() <= usual
    assert np.abs(asked[500 + EVERY] - 0.9) < 2 * EVERY * usual
    rough = np.abs(np.diff(sound, 2))
    steady = rough[100 * HOP : 290 * HOP].max()
    for at in (300, 500):
        assert rough[(at - 2) * HOP : (at + 40) * HOP].max() <= 1.5 * steady


@pytest.mark.parametrize(
    ("way", "apart"),
    [
        ((Origin.PRIOR, Origin.SOURCE), True),
        ((Origin.SOURCE, Origin.OTHER), True),
        ((Origin.SOURCE, Origin.PRIOR), False),  # the prior goes on from what is played
    ],
)
def test_a_control_that_changes_where_it_comes_from_glides_there(instrument, way, apart):
    row, other = instrument.map.index("brightness"), instrument.map.index("noisiness")
    engine = Engine(instrument)
    clips = np.zeros((2, instrument.manifest.latent_size + instrument.map.size, 60), np.float32)
    clips[0, -instrument.map.size + row], clips[1, -instrument.map.size + row] = 1.0, -0.8
    engine.set_clips(list(clips))
    frame = ControlFrame(gate=True, source=Source.CLIP, other_clip=1, life=0.0, seed=2)
    frame.origin[other], frame.origin[row] = Origin.PRIOR, way[0]
    before = _play(engine, frame, 200)[1][:, row]
    frame.origin[row] = way[1]
    path = np.concatenate([before[-1:], _play(engine, frame, 200)[1][:, row]])
    steps = np.abs(np.diff(path))
    usual = max(np.abs(np.diff(before)).max(), steps[60:].max())
    frames, gap = CROSS_S * RATE / HOP, abs(path[60] - path[0])
    assert not apart or gap > 0.3
    assert steps[0] <= 0.02 * gap + usual, "it sets off level"
    assert steps.max() <= 1.1 * np.pi / 2 * gap / frames + usual
    if apart:
        frame.origin[row] = way[0]
        _play(engine, frame, 5)
        kept = engine.snapshot()
        expected = _play(engine, frame, 60)[0]
        engine.restore(kept)
        assert np.array_equal(_play(engine, frame, 60)[0], expected)


def test_the_prior_hears_what_hands_and_keys_hold(instrument):
    engine = Engine(instrument)
    brightness, pitch = instrument.map.index("brightness"), instrument.map.pitch
    frame = _frame(instrument, brightness=-0.6, gate=False)
    _play(engine, frame, 100, events=[Event(Kind.NOTE_ON, 60, 261.63, 1.0)])
    told = _heard(engine)
    mask = told["mask"][0, :, 0]
    assert [i for i in range(5) if mask[i]] == [brightness, pitch]
    assert told["held"][0, brightness, 0] == pytest.approx(-0.6, abs=1e-4)
    note = instrument.map.to_control(pitch, np.array(261.63))
    for name in ("held", "previous"):
        assert told[name][0, pitch, 0] == pytest.approx(float(note), abs=1e-3)
    # What an offset adds is no part of what the prior goes on from.
    frame.offset[instrument.map.index("noisiness")] = 0.5
    noisy = instrument.map.index("noisiness")
    _play(engine, frame, 5 * EVERY)
    own = engine._part.proposing.prior.controls
    _play(engine, frame, EVERY - 1)
    assert engine.telemetry.asked[noisy] == pytest.approx(min(own.now[noisy] + 0.5, 1.25), abs=1e-3)
    assert abs(own.now[noisy]) < 0.6


def test_it_is_told_gate_and_beat(instrument):
    engine = Engine(instrument)
    frame = _frame(instrument, gate=False)
    frame.tempo_bpm = 120.0
    _play(engine, frame, 40)
    assert _heard(engine)["clock"][0, 0, 0] == 0.0
    assert not _heard(engine)["clock"][0, 2:, 0].any()
    frame.gate, frame.prior_clock = True, 1.0
    _play(engine, frame, 1)
    gate, since, sine, cosine = _heard(engine)["clock"][0, :, 0]
    assert (gate, since) == (1.0, 0.0), "a note is answered in its first frame"
    beat = engine.telemetry.beat + EVERY * HOP / RATE * 2.0  # told of the moment at which it arrives
    assert (sine, cosine) == pytest.approx((np.sin(2 * np.pi * beat), np.cos(2 * np.pi * beat)), abs=1e-5)
    _play(engine, frame, 10 * EVERY)
    assert _heard(engine)["clock"][0, 1, 0] == pytest.approx(10 * EVERY * HOP / RATE / 2.0, abs=1e-3)


def test_it_breathes_by_letting_the_loudness_go_and_never_under_a_hand(instrument):
    row = instrument.map.index("loudness")
    frame = _frame(instrument, seed=5)
    frame.prior_breath_s = 0.2
    asked = _play(Engine(instrument), frame, 600)[1]
    assert np.array_equal(asked, _play(Engine(instrument), frame, 600)[1])
    rests = asked[:, row] < -1.2
    assert 0.2 < rests.mean() < 0.8 and np.count_nonzero(np.diff(rests.astype(int)) > 0) >= 3
    assert not (_play(Engine(instrument), _frame(instrument, seed=5), 600)[1][:, row] < -1.2).any()
    held = _frame(instrument, seed=5, loudness=0.2)
    held.prior_breath_s = 0.2
    assert _play(Engine(instrument), held, 600)[1][50:, row] == pytest.approx(0.2, abs=1e-3)


def test_it_breathes_alike_from_every_beginning(instrument):
    engine, frame = Engine(instrument), _frame(instrument, seed=5)
    frame.prior_breath_s = 0.2
    _play(engine, frame, 1)
    prior = engine._part.proposing.prior
    z, controls = np.zeros(instrument.manifest.latent_size, np.float32), np.zeros(5, np.float32)
    prior.begin(z, controls)
    first = prior.breath.state()
    _play(engine, frame, 600)
    assert not np.array_equal(prior.breath.state()["random"], first["random"])
    prior.begin(z, controls)
    again = prior.breath.state()
    assert again.keys() == first.keys() and all(np.array_equal(again[key], first[key]) for key in first)


def test_only_a_hand_asks_for_more_than_the_loudest_of_the_corpus(instrument):
    engine = Engine(instrument)
    _play(engine, _frame(instrument, loudness=1.2, brightness=1.2), 100)
    loudness, brightness = (instrument.map.index(name) for name in ("loudness", "brightness"))
    assert engine.telemetry.asked[[loudness, brightness]] == pytest.approx([1.2, 1.2], abs=0.01)
    own = engine._part.proposing.prior.controls.now
    assert own[[loudness, brightness]] == pytest.approx([1.0, 1.2], abs=0.01)


def test_one_descriptor_alone_from_the_prior(instrument):
    row = instrument.map.index("noisiness")
    frame = ControlFrame(gate=True, source=Source.HOLD, life=0.0, seed=2)
    frame.origin[row] = Origin.PRIOR
    engine = Engine(instrument)
    asked = _play(engine, frame, 400)[1][50:]
    moved = asked.std(axis=0) > 1e-4
    assert [i for i in range(5) if moved[i]] == [row]
    shown = engine.telemetry.proposed
    assert np.isfinite(shown[row]) and np.isnan(np.delete(shown[:5], row)).all()
    assert shown[row] == pytest.approx(asked[-1, row], abs=1e-5)


def test_it_shows_where_it_would_lead_what_a_hand_holds(instrument):
    row = instrument.map.index("brightness")
    engine = Engine(instrument)
    frame = _frame(instrument)
    _play(engine, frame, 200)
    told = engine.telemetry
    np.testing.assert_allclose(told.proposed[:5], told.asked[:5], atol=1e-5)
    frame = _frame(instrument, brightness=1.0)
    shown = []
    for _ in range(200):
        engine.render(HOP, frame)
        shown.append(engine.telemetry.proposed[row])
    assert engine.telemetry.asked[row] == pytest.approx(1.0, abs=0.01)
    assert shown[-1] < 0.8 and np.ptp(shown[50:]) > 0.01
    assert not np.isfinite(engine.telemetry.proposed[5:]).any()


def test_without_priors_it_wanders(tiny_nrk):
    plain = load_instrument(tiny_nrk)
    frames = [ControlFrame(gate=True, source=source, seed=3) for source in (Source.PRIOR, Source.WANDER)]
    frames[0].origin[0] = Origin.PRIOR
    one, other = (_play(Engine(plain), frame, 200)[0] for frame in frames)
    assert np.abs(one).max() > 1e-3
    assert np.array_equal(one, other)


def test_it_goes_on_from_the_last_key_and_makes_way_for_the_next(instrument):
    engine = Engine(instrument)
    pitch = instrument.map.pitch
    frame = _frame(instrument, gate=False, loudness=0.3)
    frame.release_s = 0.05
    frame.prior_goes_on = GOES_ON.index("until a key")
    press, let_go = Event(Kind.NOTE_ON, 60, 392.0, 1.0), Event(Kind.NOTE_OFF, 60)
    before, _ = _play(engine, frame, 200, events=[press])
    after, _ = _play(engine, frame, 600, events=[let_go])
    assert engine.telemetry.sounding and engine.telemetry.gate
    assert abs(engine.telemetry.f0_hz - 392.0) > 2.0, "nobody holds the pitch any more"
    assert _heard(engine)["mask"][0, pitch, 0] == 0.0
    rough = np.abs(np.diff(np.concatenate([before, after]), 2))
    assert rough[198 * HOP : 240 * HOP].max() <= 1.5 * rough[100 * HOP : 198 * HOP].max()
    _play(engine, frame, 100, events=[Event(Kind.NOTE_ON, 64, 330.0, 1.0)])
    assert engine.telemetry.f0_hz == pytest.approx(330.0, rel=1e-3) and engine.telemetry.notes == 2
    assert not engine.telemetry.alone
    _play(engine, frame, 50, events=[Event(Kind.NOTE_OFF, 64)])
    assert engine.telemetry.sounding and engine.telemetry.alone
    _play(engine, frame, 100, events=[Event(Kind.ALL_OFF)])
    assert not engine.telemetry.sounding and not engine.telemetry.alone


def test_the_pitch_leaves_a_key_gradually(instrument):
    engine = Engine(instrument)
    frame = _frame(instrument, gate=False)
    frame.prior_goes_on = GOES_ON.index("until a key")
    _play(engine, frame, 100, events=[Event(Kind.NOTE_ON, 60, 1400.0, 1.0)])  # beyond the instrument's range
    heard = [engine.telemetry.f0_hz]
    for n in range(300):
        engine.render(HOP, frame, None, [Event(Kind.NOTE_OFF, 60)] if n == 0 else [])
        heard.append(engine.telemetry.f0_hz)
    assert heard[0] == pytest.approx(1400.0, rel=1e-3) and heard[-1] < 1100.0
    assert np.abs(np.diff(np.log2(heard))).max() < 0.08


def test_it_goes_on_for_so_many_bars(instrument):
    engine = Engine(instrument)
    frame = _frame(instrument, gate=False)
    frame.tempo_bpm, frame.release_s = 240.0, 0.02
    frame.prior_goes_on = GOES_ON.index("1 bar")
    _play(engine, frame, 50, events=[Event(Kind.NOTE_ON, 60, 392.0, 1.0)])
    bar = round(4 * 60 / 240 * RATE / HOP)
    _play(engine, frame, bar - 5, events=[Event(Kind.NOTE_OFF, 60)])
    assert engine.telemetry.gate
    _play(engine, frame, 10)
    assert not engine.telemetry.gate
    off = ControlFrame(gate=False, source=Source.HOLD, release_s=0.02, prior_goes_on=1.0)
    engine = Engine(instrument)
    _play(engine, off, 50, events=[Event(Kind.NOTE_ON, 60, 392.0, 1.0)])
    _play(engine, off, 50, events=[Event(Kind.NOTE_OFF, 60)])
    assert not engine.telemetry.sounding, "only the prior goes on"


def _converse(instrument, seed=1):
    """A call of one second, then silence: (sound, phases), frame by frame."""
    engine = Engine(instrument)
    frame = _frame(instrument, gate=False, seed=seed)
    frame.prior_answers, frame.release_s = 1.0, 0.05
    t = np.arange(RATE) / RATE
    call = (0.2 * np.sign(np.sin(2 * np.pi * 220 * t))).astype(np.float32)
    line = np.concatenate([np.zeros(20_000), call, np.zeros(3 * RATE)]).astype(np.float32)
    sound, phases = [], []
    for at in range(0, len(line) - HOP, HOP):
        sound.append(engine.render(HOP, frame, line[at : at + HOP])[0])
        phases.append(engine.telemetry.answer)
    return np.array(sound), np.array(phases)


def test_it_answers_a_call_for_as_long_as_that_lasted(instrument):
    sound, phases = _converse(instrument)
    assert phases[100] == ANSWER_READY
    second = RATE / HOP
    assert (phases == ANSWER_LISTENING).sum() == pytest.approx(second, rel=0.1)
    assert (phases == ANSWER_ANSWERING).sum() == pytest.approx(second, rel=0.1)
    starts = int(np.argmax(phases == ANSWER_ANSWERING))
    assert np.abs(sound[:starts]).max() == 0.0, "it is silent while it listens"
    assert np.sqrt(np.mean(np.square(sound[starts + 20 : starts + 300]))) > 1e-3
    assert np.abs(sound[-50:]).max() < 1e-4 and phases[-1] == ANSWER_READY
    again = _converse(instrument)[0]
    assert np.array_equal(sound, again)
    assert not np.array_equal(sound, _converse(instrument, seed=2)[0])


def test_it_answers_from_what_it_heard(instrument):
    heard = []
    for level in (0.02, 0.4):
        engine = Engine(instrument)
        frame = _frame(instrument, gate=False)
        frame.prior_answers = 1.0
        t = np.arange(RATE) / RATE
        call = (level * np.sign(np.sin(2 * np.pi * 220 * t))).astype(np.float32)
        for at in range(0, len(call) - HOP, HOP):
            engine.render(HOP, frame, call[at : at + HOP])
        part = engine._part
        prior = part.proposing.prior
        np.testing.assert_allclose(prior.proposed.controls, part.shared.live_controls, atol=0.25)
        heard.append(prior.proposed.controls.copy())
    assert heard[1][0] > heard[0][0] + 0.3


def test_stop_ends_an_answer(instrument):
    engine = Engine(instrument)
    frame = _frame(instrument, gate=False)
    frame.prior_answers, frame.release_s = 1.0, 0.05
    call = np.where(np.arange(2 * RATE) < RATE, 0.3, 0.0).astype(np.float32)
    call *= np.sign(np.sin(2 * np.pi * 220 * np.arange(2 * RATE) / RATE)).astype(np.float32)
    for at in range(0, len(call) - HOP, HOP):
        engine.render(HOP, frame, call[at : at + HOP])
    assert engine.telemetry.answer == ANSWER_ANSWERING and engine.telemetry.alone
    silence = np.zeros(HOP, np.float32)
    for n in range(100):
        engine.render(HOP, frame, silence, [Event(Kind.ALL_OFF)] if n == 0 else [])
    told = engine.telemetry
    assert told.answer == ANSWER_READY and not told.sounding and not told.alone


def test_no_input_no_answer(instrument):
    engine = Engine(instrument)
    frame = _frame(instrument)
    frame.prior_answers = 1.0
    _play(engine, frame, 20)
    assert engine.telemetry.answer == ANSWER_OFF and engine.telemetry.sounding
