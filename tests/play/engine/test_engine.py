"""The playing engine: any block size gives the same sound; gate, note, hand, sources, swap and guard work."""

import math

import numpy as np
import pytest

from neurorack.core.errors import NeurorackError
from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.events import Event
from neurorack.play.engine.frame import (
    FRAME_DTYPE,
    TELEMETRY_DTYPE,
    ControlFrame,
    Source,
    Telemetry,
    descriptor_spec,
)

RATE = 44_100


@pytest.fixture(scope="module")
def instrument(tiny_nrk):
    return load_instrument(tiny_nrk)


def _frame(instrument, source=Source.HOLD, gate=True, **asked) -> ControlFrame:
    """A frame that holds the named controls at normalised values."""
    frame = ControlFrame(gate=gate, source=source)
    for name, value in asked.items():
        row = instrument.map.index(name)
        frame.asked[row], frame.held[row] = value, True
    return frame


def _play(engine: Engine, frame: ControlFrame, samples: int, block: int = 128, audio_in=None) -> np.ndarray:
    parts = []
    for start in range(0, samples, block):
        given = None if audio_in is None else audio_in[start : start + block]
        n = block if given is None else len(given)
        parts.append(engine.render(n, frame, given)[0])
    return np.concatenate(parts)[:samples]


def _level_db(audio: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(audio)) + 1e-12))


@pytest.mark.parametrize("source", [Source.HOLD, Source.WANDER, Source.CLIP])
def test_any_block_size_gives_the_same_sound(instrument, source):
    samples = 3 * 8193
    frame = _frame(instrument, source, brightness=0.4)
    frame.insist, frame.f0_hz, frame.clip_speed, frame.wander_rate_hz = 0.5, 196.0, 0.7, 4.0
    whole = _play(Engine(instrument), frame, samples, 8193)
    assert _level_db(whole[4096:]) > -60
    for block in (1, 64, 65, 128, 1000):
        given = 2600 if block == 1 else samples
        assert _play(Engine(instrument), frame, given, block) == pytest.approx(whole[:given], abs=1e-4), block


def test_live_input_passes_at_any_block_size_with_the_latency_told(instrument):
    t = np.arange(30_000) / RATE
    sound = (0.2 * np.sign(np.sin(2 * np.pi * 220 * t)) * (np.sin(2 * np.pi * 3 * t) > 0)).astype(np.float32)
    frame = _frame(instrument, Source.LIVE)
    reference = _play(Engine(instrument), frame, len(sound), 128, sound)
    for block in (64, 65, 128, 1000):
        engine = Engine(instrument)
        heard = _play(engine, frame, len(sound), block, sound)
        assert engine.live_latency_samples - instrument.latency_samples <= 128
        # The input's frames fall elsewhere, so samples differ; the envelope must not.
        levels = [[_level_db(a[i : i + 2048]) for i in range(4096, 26_000, 2048)] for a in (heard, reference)]
        assert np.corrcoef(levels)[0, 1] > 0.97, block


def test_gate_opens_and_closes_without_a_click(instrument):
    engine = Engine(instrument)
    frame = _frame(instrument, loudness=0.2)
    frame.life, frame.f0_hz, frame.release_s = 0.0, 150.0, 0.1
    silent = _play(engine, _frame(instrument, gate=False), 4096)
    assert np.abs(silent).max() < 1e-6 and not engine.telemetry.sounding
    sounding = _play(engine, frame, 44_100 // 128 * 128)
    assert _level_db(sounding[8192:]) > -50
    steady = np.abs(np.diff(sounding[8192:])).max()
    frame.gate = False
    released = _play(engine, frame, 128 * 150)
    edge = np.concatenate([sounding[-256:], released])
    assert np.abs(np.diff(edge)).max() <= 1.5 * steady
    assert np.abs(np.diff(sounding[:8192])).max() <= 1.5 * steady
    assert np.abs(released[-1280:]).max() < 1e-4 and not engine.telemetry.sounding


def test_level_and_note_are_obeyed(instrument):
    engine = Engine(instrument, meter=True)
    frame = _frame(instrument, loudness=0.0)
    frame.f0_hz, frame.life = 261.63, 0.0
    audio = _play(engine, frame, 128 * 500)[128 * 100 :]
    asked_db = instrument.map.to_physical(instrument.map.loudness, 0.0)
    assert _level_db(audio) == pytest.approx(asked_db, abs=1.0)
    told = engine.telemetry
    assert told.f0_hz == pytest.approx(261.63)
    assert engine.measured.physical[instrument.map.loudness] == pytest.approx(asked_db, abs=1.0)
    assert engine.measured.physical[instrument.map.pitch] == pytest.approx(261.63, rel=0.012)
    # An octave down, half as loud by velocity: 40 log10(1/2) = -12 dB.
    softer = Engine(instrument)
    frame.velocity = 0.5
    assert _level_db(_play(softer, frame, 128 * 500)[128 * 100 :]) == pytest.approx(asked_db - 12.04, abs=1.0)


def test_turning_brightness_raises_the_measured_brightness(instrument):
    row = instrument.map.index("brightness")
    measured = []
    for value in (-0.8, 0.8):
        engine = Engine(instrument, meter=True)
        _play(engine, _frame(instrument, brightness=value, loudness=0.3), 128 * 200)
        measured.append(engine.measured.normalised[row])
        assert engine.telemetry.asked[row] == pytest.approx(value, abs=0.02)
        low, high = engine.telemetry.reachable_low, engine.telemetry.reachable_high
        assert np.all(low[: engine.telemetry.controls] < high[: engine.telemetry.controls])
    assert measured[1] > measured[0] + 0.3


def test_wander_never_loops_and_repeats_only_by_seed(instrument):
    def path(seed: int) -> np.ndarray:
        engine = Engine(instrument)
        frame = _frame(instrument, Source.WANDER)
        frame.wander_rate_hz, frame.seed = 8.0, seed
        rows = []
        for _ in range(120):
            engine.render(512, frame)
            rows.append(engine.telemetry.asked[: engine.telemetry.controls].copy())
        return np.array(rows)

    first = path(5)
    assert np.array_equal(first, path(5)) and not np.array_equal(first, path(6))
    steps = np.abs(np.diff(first[20:], axis=0)).max()
    assert 0 < steps < 0.8
    for lag in range(20, 60):
        assert np.abs(first[lag + 20 :] - first[20:-lag]).max() > 1e-3


def test_clip_loops_freezes_and_runs_backwards(instrument):
    engine = Engine(instrument)
    frame = _frame(instrument, Source.CLIP)
    seen = []
    for speed in (1.0, 0.0, -1.0):
        frame.clip_speed = speed
        positions = []
        for _ in range(60):
            engine.render(128, frame)
            positions.append(engine.telemetry.position)
        seen.append(np.diff(positions[1:]))
    assert np.median(seen[0]) > 0 and np.all(seen[1] == 0) and np.median(seen[2]) < 0


def test_instrument_swap_cross_fades(instrument, tiny_unpitched_nrk):
    engine = Engine(instrument)
    frame = _frame(instrument, loudness=0.3)
    before = _play(engine, frame, 128 * 200)
    engine.swap(load_instrument(tiny_unpitched_nrk))
    during = _play(engine, frame, 128 * 40)
    after = _play(engine, frame, 128 * 200)
    assert engine.instrument.name == load_instrument(tiny_unpitched_nrk).name
    assert engine.telemetry.controls == len(engine.instrument.controls)
    assert _level_db(after) > -60 and np.isfinite(during).all()
    windows = during.reshape(-1, 512)
    assert min(_level_db(w) for w in windows) > min(_level_db(before[-8192:]), _level_db(after)) - 15


def test_other_rates_cannot_be_swapped_in(instrument, tmp_path):
    import tiny_instrument

    other = tiny_instrument.make_tiny_nrk(tmp_path / "slow.nrk", sample_rate=22_050)
    with pytest.raises(NeurorackError, match="22050"):
        Engine(instrument).swap(load_instrument(other))


def test_non_finite_graphs_and_frames_never_reach_the_output(instrument):
    engine = Engine(instrument)
    frame = _frame(instrument, brightness=0.0)
    _play(engine, frame, 128 * 20)
    decoder = engine._part._decoder
    real = decoder.process
    decoder.process = lambda *given: np.full_like(real(*given), np.nan)
    broken = _play(engine, frame, 128 * 4)
    decoder.process = real
    assert np.isfinite(broken).all() and np.abs(broken[-128:]).max() < 1e-2
    assert engine.telemetry.non_finite == 4
    assert _level_db(_play(engine, frame, 128 * 200)[-8192:]) > -60
    wild = ControlFrame(gate=True, source=99, anchor=-7, clip=10**9, insist=np.nan, f0_hz=np.inf, life=np.nan)
    wild.asked[:], wild.held[:] = np.nan, True
    wild.level_db = wild.velocity = wild.attack_s = wild.release_s = wild.glide_s = np.nan
    for source in (99, *Source):
        wild.source = source
        wild.clip_speed = wild.clip_start = wild.wander_rate_hz = wild.input_gain_db = np.nan
        sound = _play(engine, wild, 128 * 20, 128, np.full(128 * 20, np.nan, np.float32))
        assert np.isfinite(sound).all() and np.abs(sound).max() <= 1.0
    nan, inf = math.nan, math.inf
    fresh = Engine(instrument)
    fresh.render(128, wild)
    for kind in range(-1, 14):
        for value in (nan, inf, -inf, 1e300):
            events = [
                Event(1, 3, 220.0, 1.0),
                Event(kind, 3, value, value, -5, 10**9),
                Event(kind, -1, value),
            ]
            assert np.isfinite(fresh.render(256, ControlFrame(), None, events)).all()


def test_panic_silences_and_the_sound_comes_back(instrument):
    engine = Engine(instrument)
    frame = _frame(instrument, loudness=0.3)
    _play(engine, frame, 128 * 50)
    frame.panic, frame.gate = 1, False
    assert np.abs(_play(engine, frame, 128 * 40)[128 * 20 :]).max() < 1e-3
    frame.gate = True
    assert _level_db(_play(engine, frame, 128 * 100)[-4096:]) > -60


def test_frames_and_telemetry_cross_shared_memory(instrument):
    frame = _frame(instrument, Source.CLIP, brightness=0.5)
    record = np.zeros((), FRAME_DTYPE)
    frame.write_to(record)
    again = ControlFrame.read_from(record)
    assert np.array_equal(again.asked, frame.asked) and again.source == Source.CLIP and again.gate is True
    record = np.zeros((), TELEMETRY_DTYPE)
    Telemetry(load=0.25, frames=7).write_to(record)
    assert Telemetry.read_from(record).load == 0.25
    for control in instrument.manifest.controls:
        spec = descriptor_spec(control)
        assert spec.low <= spec.default <= spec.high
