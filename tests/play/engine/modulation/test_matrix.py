"""The matrix: travel as ControlSpec counts it, nothing where nothing is routed, states put back."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.play.engine.frame import MAX_CONTROLS, ControlFrame
from neurorack.play.engine.modulation.curves import CURVES
from neurorack.play.engine.modulation.matrix import Modulation
from neurorack.play.engine.modulation.travel import MOVERS, clamped, travels
from neurorack.play.engine.modulation.voice import VoiceModulation
from neurorack.play.engine.params import CONTROL_TARGET, MOD_INDEX, MOD_SOURCES, PARAM_INDEX, PARAMS, ROUTES

FRAME_S = 128 / 44100
INDICES = st.integers(0, len(PARAMS) - 1)


def _play(
    modulation: Modulation, voice: VoiceModulation, frame: ControlFrame, frames: int
) -> list[list[float]]:
    values = clamped(frame.values())
    found = []
    for n in range(frames):
        modulation.read_routes(frame)
        modulation.step(voice.values, 0.01)
        voice.step(n % 50 < 30, voice.values)
        modulation.apply(voice, values)
        found.append([*voice.values, *voice.travels])
    return found


def _route(frame: ControlFrame, slot: int, source: str, target: int, amount: float, **more: float) -> None:
    frame.route_source[slot], frame.route_target[slot] = MOD_INDEX[source], target
    frame.route_amount[slot] = amount
    for name, value in more.items():
        getattr(frame, f"route_{name}")[slot] = value


@given(INDICES, st.floats(-0.5, 1.5), st.floats(-2.0, 2.0))
def test_travel_is_that_of_the_control_spec(index, travel, added):
    spec = PARAMS[index]
    value = spec.from_travel(travel)
    moved = MOVERS[index](value, added)
    expected = spec.from_travel(spec.to_travel(value) + added)
    assert spec.low <= moved <= spec.high
    assert abs(spec.to_travel(moved) - spec.to_travel(expected)) < 1e-9


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=len(PARAMS), max_size=len(PARAMS)))
def test_whatever_a_frame_holds_is_brought_into_range(values):
    found = clamped(np.array(values))
    assert found == [spec.clamp(v) for spec, v in zip(PARAMS, values, strict=True)]
    expected = [spec.to_travel(v) for spec, v in zip(PARAMS, found, strict=True)]
    np.testing.assert_allclose(travels(found), expected, atol=1e-12)


@given(st.integers(0, len(CURVES) - 1), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_curves_rise_and_keep_their_ends(curve, a, b):
    f = CURVES[curve]
    assert f(0.0) == 0.0
    assert (f(1.0), f(-1.0)) == (1.0, -1.0)
    assert (f(a) - f(b)) * (a - b) >= 0.0


def test_without_routes_values_pass_unchanged():
    frame, modulation, voice = ControlFrame(tempo_bpm=123.4), Modulation(FRAME_S), VoiceModulation(FRAME_S)
    for found in _play(modulation, voice, frame, 100):
        assert found == [*clamped(frame.values()), *[0.0] * MAX_CONTROLS]


def test_one_route_adds_amount_times_source_in_travel():
    frame, modulation, voice = ControlFrame(), Modulation(FRAME_S), VoiceModulation(FRAME_S)
    attack = PARAM_INDEX["attack_s"]
    _route(frame, 3, "wheel", attack, 0.5)
    _route(frame, 4, "wheel", CONTROL_TARGET + 2, -0.25, offset=-0.5)
    _route(frame, 5, "x", CONTROL_TARGET + 2, 0.1)
    modulation.set_external(MOD_INDEX["wheel"], 0.8)
    modulation.set_external(MOD_INDEX["x"], 7.0)
    found = _play(modulation, voice, frame, 1)[0]
    spec = PARAMS[attack]
    assert abs(spec.to_travel(found[attack]) - spec.to_travel(spec.default) - 0.4) < 1e-6
    assert abs(voice.travels[2] - (-0.25 * 0.3 + 0.1)) < 1e-6


def test_a_slewed_route_reaches_a_step_in_its_time():
    frame, modulation, voice = ControlFrame(), Modulation(FRAME_S), VoiceModulation(FRAME_S)
    _route(frame, 0, "wheel", CONTROL_TARGET, 1.0, slew_s=0.1)
    _play(modulation, voice, frame, 10)
    modulation.set_external(MOD_INDEX["wheel"], 1.0)
    moved = [found[len(PARAMS)] for found in _play(modulation, voice, frame, round(0.1 / FRAME_S))]
    assert abs(moved[-1] - (1.0 - np.exp(-1.0))) < 0.01
    assert max(np.diff(moved)) < 0.03
    # A voice that starts with the route in place starts at its target.
    other = VoiceModulation(FRAME_S)
    _play(modulation, other, frame, 1)
    assert other.travels[0] == 1.0


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_matrix_stays_in_range_and_goes_on_alike_when_restored(data):
    frame = ControlFrame()
    for slot in range(ROUTES):
        target = data.draw(
            st.one_of(INDICES, st.integers(CONTROL_TARGET, CONTROL_TARGET + 4), st.integers(-5, 2000))
        )
        source = data.draw(st.integers(-2, len(MOD_SOURCES) + 1))
        frame.route_source[slot], frame.route_target[slot] = source, target
        frame.route_amount[slot] = data.draw(st.floats(-1.0, 1.0, width=32))
        frame.route_offset[slot] = data.draw(st.floats(-1.0, 1.0, width=32))
        frame.route_curve[slot] = data.draw(st.integers(-1, 5))
        frame.route_slew_s[slot] = data.draw(st.sampled_from([0.0, 0.01, 1.0]))
    one, voice = Modulation(FRAME_S, 3), VoiceModulation(FRAME_S)
    voice.start(0.7, 440.0)
    for found in _play(one, voice, frame, 60):
        for spec, value in zip(PARAMS, found, strict=False):
            assert spec.low <= value <= spec.high
    two, second = Modulation(FRAME_S), VoiceModulation(FRAME_S)
    two.restore(one.state())
    second.restore(voice.state())
    assert _play(one, voice, frame, 60) == _play(two, second, frame, 60)
