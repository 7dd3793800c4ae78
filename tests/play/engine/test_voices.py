"""Voices: gates at their sample, legato, poly, stereo, feedback, and takes that repeat bit for bit."""

import numpy as np
import pytest

from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import ControlFrame, Origin, Source
from neurorack.play.engine.params import CONTROL_TARGET, MOD_INDEX, MONO_LEGATO, MONO_RETRIGGER, POLY

RATE = 44_100


@pytest.fixture(scope="module")
def instrument(tiny_nrk):
    return load_instrument(tiny_nrk)


def _quiet(**values) -> ControlFrame:
    """No life, so that everything repeats."""
    return ControlFrame(**{"life": 0.0, **values})


def _on(note: int, f0_hz: float, at: int, velocity: float = 1.0) -> Event:
    return Event(Kind.NOTE_ON, note, f0_hz, velocity, -1, at)


def _off(note: int, at: int) -> Event:
    return Event(Kind.NOTE_OFF, note, offset=at)


def _play(engine: Engine, frame: ControlFrame, samples: int, events=(), block: int = 128) -> np.ndarray:
    """Events' offsets count from the start; whole blocks, so perhaps some samples more."""
    parts = []
    for start in range(0, samples, block):
        due = [
            Event(e.kind, e.note, e.a, e.b, e.tone, e.offset - start)
            for e in events
            if start <= e.offset < start + block
        ]
        parts.append(engine.render(block, frame, None, due))
    return np.concatenate(parts, axis=1)


def _onset(sound: np.ndarray) -> int:
    return int(np.flatnonzero(sound)[0])


def _level_db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(sound)) + 1e-12))


def test_a_gate_sounds_at_its_sample_whatever_the_block(instrument):
    events = [_on(1, 220.0, 1000, 0.9), _off(1, 4001)]
    reference = _play(Engine(instrument), _quiet(), 12_000, events)[0]
    first = _onset(reference)
    for shift, block in ((1, 128), (64, 128), (127, 128), (128, 128), (333, 64), (501, 65), (777, 1000)):
        engine = Engine(instrument)
        moved = [Event(e.kind, e.note, e.a, e.b, e.tone, e.offset + shift) for e in events]
        sound = _play(engine, _quiet(), 12_000, moved, block)[0]
        late = shift + engine.latency_samples
        assert _onset(sound) - first == late, (shift, block)
        n = min(len(reference), len(sound) - late)
        assert sound[late : late + n] == pytest.approx(reference[:n], abs=1e-4), (shift, block)
    assert engine.latency_samples == 128 - 8


def test_a_release_begins_at_its_sample(instrument):
    held = _play(Engine(instrument), _quiet(), 12_000, [_on(1, 220.0, 300)])[0]
    for at in (8_000, 8_077):
        events = [_on(1, 220.0, 300), _off(1, at)]
        released = _play(Engine(instrument), _quiet(release_s=0.02), 12_000, events)[0]
        assert released[:at] == pytest.approx(held[:at], abs=1e-6)
        assert np.abs(released[at + 64 : at + 128]).max() < 0.8 * np.abs(held[at + 64 : at + 128]).max()
        assert _level_db(released[-1024:]) < -90


def test_without_life_every_trigger_is_the_same_and_with_life_none_is(instrument):
    def triggers(life: float) -> list[np.ndarray]:
        engine, sounds = Engine(instrument), []
        for _ in range(3):
            events = [_on(1, 220.0, 0), _off(1, 4_096)]
            sounds.append(_play(engine, _quiet(life=life, release_s=0.02), 128 * 120, events))
        return [sound[0, : 128 * 60] for sound in sounds]

    first, second, third = triggers(0.0)
    assert second == pytest.approx(first, abs=1e-6) and third == pytest.approx(second, abs=1e-6)
    first, second, third = triggers(0.5)
    assert np.abs(first - second).max() > 1e-3 and np.abs(second - third).max() > 1e-3


def test_legato_glides_without_an_attack_and_returns_to_the_older_key(instrument):
    engine = Engine(instrument)
    frame = _quiet(voice_mode=float(MONO_LEGATO), glide_s=0.05)
    _play(engine, frame, 128 * 100, [_on(1, 110.0, 0)])
    assert engine.telemetry.f0_hz == pytest.approx(110.0)
    pitches = []
    for n in range(40):
        engine.render(128, frame, None, [_on(2, 440.0, 0)] if n == 0 else [])
        pitches.append(engine.telemetry.f0_hz)
    steps = np.abs(np.diff(np.log2(pitches)))
    assert pitches[-1] == pytest.approx(440.0) and steps.max() < 0.15
    assert engine.telemetry.notes == 1 and engine.telemetry.voices == 1
    _play(engine, frame, 128 * 40, [_off(2, 0)])
    assert engine.telemetry.f0_hz == pytest.approx(110.0) and engine.telemetry.gate
    _play(engine, frame, 128, [_off(1, 0)])
    assert not engine.telemetry.gate


@pytest.mark.parametrize("mode", [MONO_RETRIGGER, POLY])
def test_taking_a_sounding_voice_does_not_click(instrument, mode):
    engine = Engine(instrument)
    frame = _quiet(voice_mode=float(mode), voices=1.0)
    before = _play(engine, frame, 128 * 100, [_on(1, 150.0, 0)])
    after = _play(engine, frame, 128 * 100, [_on(2, 170.0, 77)])
    both = np.concatenate([before, after], axis=1)[0]
    steady = np.abs(np.diff(both[128 * 50 : 128 * 90])).max()
    assert np.abs(np.diff(both[128 * 90 :])).max() < 2.0 * steady
    assert engine.telemetry.notes == 2 and engine.telemetry.f0_hz == pytest.approx(170.0)


def test_poly_plays_four_and_steals_the_oldest(instrument):
    engine = Engine(instrument)
    frame = _quiet(voice_mode=float(POLY))
    notes = [_on(n, 110.0 * 1.26**n, 40 * n) for n in range(4)]
    chord = _play(engine, frame, 128 * 100, notes)
    assert engine.telemetry.voices == 4
    alone = [_play(Engine(instrument), frame, 128 * 100, [note]) for note in notes]
    assert chord[0, 128 * 20 :] == pytest.approx(np.sum(alone, axis=0)[0, 128 * 20 :], abs=0.1)
    _play(engine, frame, 128 * 20, [_on(9, 500.0, 3)])
    assert engine.telemetry.voices == 4
    assert [voice.key.note for voice in engine._part.voices] == [9, 1, 2, 3]


def test_the_clock_plays_held_notes_and_stops_with_them(instrument):
    engine = Engine(instrument)
    # Eighths at 120 beats a minute: four a second, open half of the time.
    frame = _quiet(gate=True, f0_hz=220.0, tempo_bpm=120.0, gate_division=6.0, release_s=0.01, attack_s=0.002)
    _play(engine, frame, 2 * RATE)
    assert 7 <= engine.telemetry.notes <= 9
    frame.gate = False
    assert _level_db(_play(engine, frame, RATE)[:, -4096:]) < -90


def test_velocity_makes_a_note_softer_and_another_tone(instrument):
    def asked(velocity: float) -> np.ndarray:
        engine = Engine(instrument)
        _play(engine, _quiet(), 128 * 60, [_on(1, 220.0, 0, velocity)])
        return engine.telemetry.asked_physical[: engine.telemetry.controls].copy()

    loud, soft = asked(1.0), asked(0.5)
    assert soft[instrument.map.loudness] == pytest.approx(loud[instrument.map.loudness] - 12.04, abs=0.1)
    others = [i for i in range(len(loud)) if i not in (instrument.map.loudness, instrument.map.pitch)]
    assert np.abs(soft[others] - loud[others]).max() > 0


def test_controls_come_from_where_they_are_asked_from(instrument):
    row = instrument.map.index("brightness")

    def asked(**changes) -> float:
        engine = Engine(instrument)
        frame = _quiet(gate=True)
        for name, value in changes.items():
            getattr(frame, name)[row] = value
        tone = np.sin(2 * np.pi * 3000 * np.arange(128 * 60) / RATE).astype(np.float32)
        for start in range(0, len(tone), 128):
            engine.render(128, frame, tone[start : start + 128])
        return float(engine.telemetry.asked[row])

    own = asked()
    assert asked(offset=0.25) == pytest.approx(np.clip(own + 0.25, -1.25, 1.25), abs=1e-3)
    assert asked(scale=0.5) == pytest.approx(0.5 * own, abs=1e-3)
    assert asked(origin=Origin.LIVE) != pytest.approx(own, abs=1e-3)
    assert asked(origin=Origin.OTHER) != pytest.approx(own, abs=1e-3)


def test_the_matrix_moves_controls_and_the_morph_ends_at_the_second_tone(instrument):
    row = instrument.map.index("brightness")
    frame = _quiet(gate=True)
    frame.route_source[0], frame.route_target[0] = MOD_INDEX["lfo1"], CONTROL_TARGET + row
    frame.route_amount[0], frame.lfo1_rate_hz = 0.2, 8.0
    engine, seen = Engine(instrument), []
    for _ in range(100):
        engine.render(128, frame)
        seen.append(engine.telemetry.asked[row])
    assert 0.5 < np.ptp(seen) <= 0.81
    engine = Engine(instrument)
    engine.render(128 * 10, _quiet(gate=True, morph=1.0, morph_anchor=3))
    rows, _, first = engine.rows
    latent = instrument.manifest.latent_size
    assert len(rows) == 10 and first == 0
    assert rows[-1, :latent] == pytest.approx(instrument.anchors_z[3], abs=1e-5)


def test_stereo_differs_and_its_mono_sum_keeps_its_level(instrument):
    engine = Engine(instrument)
    frame = _quiet(gate=True, f0_hz=110.0, width=1.0)
    sound = _play(engine, frame, 2 * RATE)[:, RATE // 2 :]
    assert np.abs(sound[0] - sound[1]).max() > 1e-3

    def octaves(x: np.ndarray) -> np.ndarray:
        power = np.square(np.abs(np.fft.rfft(x)))
        hertz = np.fft.rfftfreq(len(x), 1 / RATE)
        edges = 62.5 * 2.0 ** np.arange(9)
        return np.array([power[(hertz >= a) & (hertz < 2 * a)].sum() for a in edges])

    left, right = octaves(sound[0]), octaves(sound[1])
    heard = left > 1e-6 * left.max()
    assert np.all(octaves(sound.sum(axis=0))[heard] >= 10**-0.15 * 2.0 * (left + right)[heard])
    frame.width = 0.0
    _play(engine, frame, 2 * RATE)
    mono = _play(engine, frame, 4096)
    assert np.array_equal(mono[0], mono[1])


def test_feedback_sings_and_never_runs_away(instrument):
    engine = Engine(instrument)
    frame = _quiet(gate=True, source=Source.LIVE, feedback=1.0, input_gain_db=20.0)
    sound = _play(engine, frame, 8 * RATE, block=1024)
    assert np.isfinite(sound).all() and np.abs(sound).max() < 1.0


def _random_calls(seed: int, count: int) -> list[tuple]:
    random = np.random.default_rng(seed)
    calls, frame = [], ControlFrame()
    for _ in range(count):
        if random.random() < 0.4:
            frame = ControlFrame(
                gate=bool(random.integers(2)),
                f0_hz=float(random.choice([0.0, 220.0])),
                source=int(random.integers(5)),
                voice_mode=float(random.integers(3)),
                width=float(random.choice([0.0, 0.8])),
                life=float(random.random()),
                feedback=float(random.choice([0.0, 0.0, 0.6])),
                morph=float(random.random()),
                insist=float(random.random()),
                clip_mode=float(random.integers(4)),
                map_motion=float(random.integers(2)),
                gate_division=float(random.choice([0, 0, 7])),
            )
            frame.origin[1], frame.held[2] = random.integers(3), bool(random.integers(2))
            frame.route_source[:2], frame.route_target[:2] = (1, 7), (CONTROL_TARGET + 1, 0)
            frame.route_amount[:2], frame.route_slew_s[1] = (0.3, -0.5), 0.1
        size = int(random.choice([1, 64, 65, 128, 1000, 8193]))
        kinds = (1, 1, 1, 2, 2, 3, 4, 6, 7, 10, 11)
        events = [
            Event(
                int(random.choice(kinds)),
                int(random.integers(-1, 5)),
                float(random.choice([220.0, 0.3])),
                float(random.random()),
                -1,
                int(random.integers(size)),
            )
            for _ in range(random.integers(4))
        ]
        sound_in = random.normal(0, 0.1, size).astype(np.float32) if random.random() < 0.5 else None
        calls.append((size, frame, sound_in, sorted(events, key=lambda e: e.offset)))
    return calls


@pytest.mark.parametrize("seed", range(3))
def test_a_take_goes_on_from_a_snapshot_bit_for_bit(instrument, seed):
    calls = _random_calls(seed, 40)
    engine = Engine(instrument)
    for call in calls[:20]:
        engine.render(*call)
    snapshot = {name: value.copy() for name, value in engine.snapshot().items()}
    assert all(value.dtype != object for value in snapshot.values())
    first = [engine.render(*call) for call in calls[20:]]
    assert all(np.isfinite(sound).all() and np.abs(sound).max() <= 1.0 for sound in first)
    other = Engine(instrument)
    other.render(777, ControlFrame(gate=True))
    other.restore(snapshot)
    for call, sound in zip(calls[20:], first, strict=True):
        assert np.array_equal(other.render(*call), sound)


def test_a_swap_before_the_first_block_is_played_at_once(instrument, tiny_unpitched_nrk):
    engine = Engine(instrument)
    engine.swap(load_instrument(tiny_unpitched_nrk))
    sound = _play(engine, _quiet(gate=True), 128 * 60)
    assert engine.telemetry.sounding and _level_db(sound[:, 128 * 20 :]) > -60


def test_a_place_on_the_map_is_held_alive_and_stands_still_without_life(instrument):
    def rows(life: float) -> np.ndarray:
        engine = Engine(instrument)
        frame = _quiet(gate=True, source=Source.MAP, map_x=0.4, map_y=0.6, life=life)
        for _ in range(2):
            engine.render(128 * 400, frame)
        return engine.rows[0][:, : instrument.manifest.latent_size]

    still, alive = rows(0.0), rows(0.5)
    assert np.ptp(still, axis=0).max() < 1e-6
    assert np.ptp(alive, axis=0).max() > 1e-2 and np.abs(np.diff(alive, axis=0)).max() < 0.1


def test_a_swap_keeps_held_notes(instrument, tiny_unpitched_nrk):
    engine = Engine(instrument)
    frame = _quiet(voice_mode=float(POLY))
    _play(engine, frame, 128 * 50, [_on(1, 220.0, 0), _on(2, 330.0, 0)])
    engine.swap(load_instrument(tiny_unpitched_nrk))
    _play(engine, frame, 128 * 60)
    assert engine.telemetry.voices == 2
    _play(engine, frame, 128 * 200, [_off(1, 0), _off(2, 0)])
    assert engine.telemetry.voices == 0


def test_a_clip_is_silent_between_its_strokes():
    """Its recording was; the loudness control alone ends at an audible hum (-63 dB)."""
    engine = Engine(load_instrument("skins"))
    quiet = engine.instrument.clips[3][engine.instrument.map.loudness - engine.instrument.map.size] < -1.2
    assert 0.5 < quiet.mean() < 0.9
    sound = _play(engine, _quiet(source=Source.CLIP, clip=3), 4 * RATE, [_on(1, 0.0, 0)])[0]
    frames = sound[: len(sound) // 1024 * 1024].reshape(-1, 1024)
    levels_db = np.sort([_level_db(frame) for frame in frames])
    assert levels_db[len(frames) // 3] < -90.0
    assert levels_db[-3] > -25.0
