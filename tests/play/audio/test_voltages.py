"""Control voltages: events from samples in any blocks; straight lines from calibrations; options."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.core.errors import NeurorackError
from neurorack.play.audio import calibration
from neurorack.play.audio.calibration import Calibration, fit
from neurorack.play.audio.cv import C4_HZ, CV_NOTE, PIECE, CvInput, CvOutput, descriptor_volts
from neurorack.play.audio.wiring import Plug, parse_inputs, parse_outputs
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.params import MOD_INDEX


def _volts(volts) -> np.ndarray:
    return (np.asarray(volts) / 10.0).astype(np.float32)


def _read(cv: CvInput, signals: dict[str, np.ndarray], blocks: list[int]) -> list[tuple[int, Event]]:
    """Events with their place in the whole signal."""
    found, at, length = [], 0, len(next(iter(signals.values())))
    while at < length:
        count = min(blocks[at % len(blocks)], length - at)
        cut = {name: signal[at : at + count] for name, signal in signals.items()}
        events = cv.read(cut)
        assert [e.offset for e in events] == sorted(e.offset for e in events)
        assert all(0 <= e.offset < count for e in events)
        found += [(at + e.offset, e) for e in events]
        at += count
    return found


@given(
    edges=st.lists(st.integers(1, 3000), min_size=1, max_size=12, unique=True).map(sorted),
    blocks=st.lists(st.integers(1, 700), min_size=1, max_size=4),
    noise=st.floats(0.0, 0.2),
)
@settings(deadline=None, max_examples=60)
def test_gates_open_and_close_at_their_samples_in_any_blocks(edges, blocks, noise):
    gate = np.zeros(3072)
    for i, edge in enumerate(edges):
        gate[edge:] = 5.0 if i % 2 == 0 else 0.0
    gate += noise * np.sin(np.arange(3072) * 2.1)
    events = _read(CvInput(), {"gate": _volts(gate)}, blocks)
    expected = [(e, Kind.NOTE_ON if i % 2 == 0 else Kind.NOTE_OFF) for i, e in enumerate(edges)]
    assert [(at, e.kind) for at, e in events] == expected
    assert all(e.note == CV_NOTE for _, e in events)


def test_slow_or_noisy_voltages_around_one_threshold_are_one_gate():
    ramp = np.concatenate([np.linspace(0, 2, 2000), np.linspace(2, 0, 2000)])
    ramp += 0.2 * np.sin(np.arange(4000) * 1.7)
    kinds = [e.kind for _, e in _read(CvInput(), {"gate": _volts(ramp)}, [128])]
    assert kinds == [Kind.NOTE_ON, Kind.NOTE_OFF]


def test_pitch_is_read_at_the_gate_and_followed_only_when_it_moves():
    count = 40 * PIECE
    gate, pitch = np.zeros(count), np.full(count, 1.0)
    gate[300:4000] = 5.0
    pitch[2048:] = 1.0 + 5.0 / 1200.0
    pitch[3072:] = 1.5
    pitch += 1e-4 * np.random.default_rng(1).standard_normal(count)
    pitch[2500] = 9.0  # one wild sample
    events = _read(CvInput(), {"gate": _volts(gate), "pitch": _volts(pitch)}, [PIECE])
    assert [e.kind for _, e in events] == [Kind.NOTE_ON, Kind.PITCH, Kind.PITCH, Kind.NOTE_OFF]
    hertz = [e.a for _, e in events[:3]]
    np.testing.assert_allclose(1200 * np.log2(np.array(hertz) / C4_HZ), [1200, 1205, 1800], atol=0.3)
    assert [at for at, _ in events] == [300, 2048, 3072, 4000]


def test_pitch_without_a_gate_bends_and_a_pulled_cable_lets_go():
    cv = CvInput()
    assert cv.read({"pitch": _volts(np.full(128, 2.0))}) == [Event(Kind.BEND, -1, pytest.approx(2.0))]
    assert [e.kind for e in cv.read({})] == [Kind.BEND]
    cv.read({"gate": _volts(np.full(128, 5.0))})
    assert [e.kind for e in cv.read({})] == [Kind.NOTE_OFF]
    assert cv.read({}) == []


def test_modulation_voltages_are_sources_and_nonsense_is_zero():
    cv = CvInput({"cv2": Calibration(5.0, 0.0)})
    (event,) = cv.read({"cv2": np.full(64, 0.5, np.float32)})
    assert (event.kind, event.note, event.a) == (Kind.EXTERNAL, MOD_INDEX["cv2"], pytest.approx(0.5))
    assert cv.read({"cv2": np.full(64, 0.5001, np.float32)}) == []
    (event,) = cv.read({"cv2": np.full(64, np.nan, np.float32)})
    assert event.a == 0.0
    (event,) = cv.read({"cv2": np.full(64, 90.0, np.float32)})
    assert event.a == 1.0


def test_outputs_move_in_straight_lines_in_the_devices_own_volts():
    out, block = CvOutput(Calibration(-8.0, 0.25)), np.zeros(4, np.float32)
    out.write(descriptor_volts(1.0, bipolar=False), block)
    np.testing.assert_allclose(-8.0 * block + 0.25, [1.25, 2.5, 3.75, 5.0], rtol=1e-6)
    out.write(float("nan"), block)
    np.testing.assert_allclose(-8.0 * block + 0.25, 5.0, rtol=1e-6)
    assert descriptor_volts(-1.0, bipolar=True) == -5.0 and descriptor_volts(-1.0, bipolar=False) == 0.0


@given(slope=st.floats(2.0, 20.0), sign=st.sampled_from([-1, 1]), offset=st.floats(-2.0, 2.0))
def test_a_calibration_is_found_from_known_voltages(slope, sign, offset):
    volts = np.arange(6.0)
    found = fit((volts - offset) / (sign * slope), volts)
    assert found.calibration.volts_per_unit == pytest.approx(sign * slope)
    assert found.calibration.offset_volts == pytest.approx(offset, abs=1e-9)
    assert found.error_cents < 0.01


@pytest.mark.parametrize(
    "samples",
    [[0.0, 0.0, 0.0], [0.0, 0.5, 0.2], [0.0, 0.1, np.nan], [0.0, 1e-4, 2e-4], [0.9, 1.0, 1.1]],
)
def test_readings_that_are_no_input_are_refused(samples):
    with pytest.raises(NeurorackError):
        fit(samples, [0.0, 1.0, 2.0])


def test_calibrations_are_kept_and_a_damaged_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURORACK_HOME", str(tmp_path))
    assert calibration.load("ES-8") == {}
    calibration.save("ES-8", "in 3", Calibration(9.9, 0.01))
    calibration.save("JACK", "cv_pitch", Calibration(-10.0))
    calibration.save("ES-8", "in 4", Calibration())
    assert calibration.load("ES-8") == {"in 3": Calibration(9.9, 0.01), "in 4": Calibration()}
    assert calibration.load("JACK") == {"cv_pitch": Calibration(-10.0)}
    for damaged in (
        b"{",
        b'{"version": 2}',
        b'{"version": 1, "devices": {"a": {"b": {"volts_per_unit": 0}}}}',
    ):
        calibration.path().write_bytes(damaged)
        with pytest.raises(NeurorackError, match="is damaged"):
            calibration.load("ES-8")


def test_options_name_channels_once_and_only_what_there_is():
    assert parse_inputs(" pitch=3, gate=4,audio=1") == (Plug("pitch", 3), Plug("gate", 4), Plug("audio", 1))
    assert parse_outputs("brightness=3:bipolar") == (Plug("brightness", 3, True),)
    assert parse_inputs("") == ()
    for bad in ("pitch", "pitch=", "pitch=0", "pitch=x", "volume=1", "pitch=1,gate=1", "cv1=1,cv1=2",
                "pitch=1:bipolar", "pitch=99999"):  # fmt: skip
        with pytest.raises(NeurorackError, match="--cv-in"):
            parse_inputs(bad)
