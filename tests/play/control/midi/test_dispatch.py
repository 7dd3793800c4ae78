"""What MIDI messages mean to the hub: keys and pedal, wheels, MPE, learned controllers, clock, panic."""

import json

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurorack.play.control import messages as m
from neurorack.play.control.midi.dispatch import Dispatcher
from neurorack.play.control.midi.learn import MidiMap


class Keyboard:
    """Plays a Dispatcher by messages' names; its clock stands still until told."""

    def __init__(self, hub, **options):
        self.hub, self.now_s = hub, 100.0
        self.dispatcher = Dispatcher(hub, clock=lambda: self.now_s, **options)

    def __call__(self, kind, channel=0, **values):
        named = kind in ("clock", "start", "stop", "continue", "reset")
        self.dispatcher.receive(mido.Message(kind, **({} if named else {"channel": channel}), **values))
        return self.hub.take()

    def cc(self, control, value, channel=0):
        return self("control_change", channel, control=control, value=value)


@pytest.fixture
def keys(hub):
    return Keyboard(hub)


def test_notes_velocity_and_both_ways_to_let_go(keys):
    assert keys("note_on", note=60, velocity=127) == [m.Note(True, 60, 1.0)]
    assert keys("note_on", note=60, velocity=0) == [m.Note(False, 60, 64 / 127)]
    assert keys("note_off", note=60) == []  # it is up already
    keys("note_on", note=61, velocity=1)
    assert keys("note_off", note=61, velocity=127) == [m.Note(False, 61, 1.0)]


def test_the_pedal_holds_what_is_let_go_and_a_key_struck_again_sounds_again(keys):
    keys("note_on", note=60, velocity=64)
    assert keys.cc(64, 127) == [m.External("pedal", 1.0)]
    assert keys("note_off", note=60) == []
    again = keys("note_on", note=60, velocity=127)
    assert again == [m.Note(False, 60, 0.0), m.Note(True, 60, 1.0)]
    keys("note_off", note=60)
    assert keys.cc(64, 0) == [m.External("pedal", 0.0), m.Note(False, 60, 64 / 127)]


def test_wheels_pressure_and_timbre(keys):
    assert keys("pitchwheel", pitch=8191) == [m.Bend(2.0)]
    assert keys("pitchwheel", pitch=-8192) == [m.Bend(-2.0)]
    for control, value in ((101, 0), (100, 0), (6, 12), (38, 50)):
        keys.cc(control, value)
    assert keys("pitchwheel", pitch=8191) == [m.Bend(12.5)]
    assert keys.cc(1, 127) == [m.External("wheel", 1.0)]
    assert keys("aftertouch", value=127) == [m.Pressure(1.0)]
    assert keys.cc(74, 0) == [m.Timbre(0.0)]
    keys("note_on", note=60, velocity=64)
    assert keys("polytouch", note=60, value=127) == [m.Pressure(1.0, 60)]
    assert keys("polytouch", note=61, value=127) == []


def test_a_program_change_recalls_a_preset_and_the_clock_is_passed_on(keys):
    assert keys("program_change", program=1) == [m.PresetLoad("Reed organ")]
    assert keys("program_change", program=99) == []
    said = [keys(kind)[0].kind for kind in ("start", "clock", "stop", "continue")]
    assert said == ["start", "pulse", "stop", "start"]


def test_all_notes_off_reset_and_one_panic_for_sixteen_channels(keys):
    for channel in (0, 1):
        keys("note_on", channel, note=60 + channel, velocity=64)
    assert keys.cc(123, 0) == [m.Note(False, 60, 64 / 127)]  # its own channel only
    assert [said for channel in range(16) for said in keys.cc(120, 0, channel)].count(m.Panic()) == 1
    keys("pitchwheel", pitch=8191)
    assert m.Bend(0.0) in keys.cc(121, 0) and m.External("wheel", 0.0) in keys.cc(121, 0)
    keys.now_s += 1.0
    assert keys("reset") == [m.Panic()]


def test_mpe_bends_one_note_and_the_master_all(hub):
    keys = Keyboard(hub, mpe=True)
    keys("pitchwheel", 1, pitch=4096)  # said before the note: it belongs to it
    began = keys("note_on", 1, note=60, velocity=64)
    assert began[0] == m.Note(True, 60, 64 / 127)
    assert m.Bend(pytest.approx(24.0, abs=0.01), 60) in began
    keys("note_on", 2, note=60, velocity=64)  # the same key on another channel is another note
    assert keys("pitchwheel", 2, pitch=-8192) == [m.Bend(-48.0, 60)]
    bends = keys("pitchwheel", 0, pitch=8191)
    assert sorted(bend.semitones for bend in bends) == pytest.approx([-46.0, 26.0], abs=0.01)
    assert keys("aftertouch", 1, value=127) == [m.Pressure(1.0, 60)]
    assert keys.cc(74, 127, 1) == [m.Timbre(1.0, 60)]
    keys.cc(64, 127, 0)  # the master's pedal holds everybody's notes
    assert keys("note_off", 1, note=60) == []
    assert [type(x) for x in keys.cc(64, 0, 0)] == [m.External, m.Note]


def test_zones_come_and_go_by_configuration_messages(keys):
    def configure(channel, members):
        for control, value in ((101, 0), (100, 6), (6, members)):
            keys.cc(control, value, channel)

    configure(0, 7)
    configure(15, 7)
    for channel, semitones in ((3, 48.0), (12, 48.0)):
        keys("note_on", channel, note=50, velocity=64)
        assert keys("pitchwheel", channel, pitch=8191) == [m.Bend(semitones, 50)]
    configure(0, 15)  # takes the other zone's channels
    keys("note_on", 12, note=51, velocity=64)
    assert len(keys("pitchwheel", 0, pitch=8191)) == 1
    for control, value in ((101, 0), (100, 0), (6, 24)):
        keys.cc(control, value, 5)  # a member's bend range is every member's
    assert keys("pitchwheel", 12, pitch=8191) == [m.Bend(24.0 + 2.0, 51)]
    configure(0, 0)
    assert keys("pitchwheel", 12, pitch=8191) == [m.Bend(2.0)]


def test_a_learned_knob_waits_until_it_has_come_to_the_value(keys, hub):
    hub.midi_map.arm("morph")
    assert keys.cc(20, 100) == []  # morph stands at 0: nothing jumps
    assert hub.midi_map.learned() == {"morph": "CC 20"} and hub.midi_map.armed == ""
    assert keys.cc(20, 50) == []
    assert keys.cc(20, 1) == [m.SetNumber("morph", 1 / 127)]
    assert keys.cc(20, 100) == [m.SetNumber("morph", 100 / 127)]
    hub.numbers["morph"] = 0.2  # another hand
    assert keys.cc(20, 99) == []
    assert keys.cc(20, 10) == [m.SetNumber("morph", 10 / 127)]  # passed it
    hub.midi_map.forget("morph")
    assert keys.cc(20, 60) == []


def test_learned_controls_switches_and_buttons(keys, hub):
    hub.midi_map.arm("brightness")
    hub.measured["asked"] = [0.0, 0.0, 0.5]
    assert keys.cc(21, 0) == []
    assert keys.cc(21, 127) == [m.SetControl("brightness", 1.0)]
    hub.midi_map.arm("voice_mode")
    assert keys.cc(22, 0) == [m.SetNumber("voice_mode", 0.0)]
    assert keys.cc(22, 127) == [m.SetNumber("voice_mode", 2.0)]
    hub.midi_map.arm("gate")
    assert keys.cc(64, 127) == [m.Gate(True)]  # learned, it is no sustain pedal any more
    assert keys.cc(64, 126) == [] and keys.cc(64, 0) == [m.Gate(False)]
    hub.midi_map.arm("not of this instrument")
    assert keys.cc(23, 64) == []


def test_fourteen_bits_and_encoders(keys, hub):
    hub.midi_map.arm("morph")
    keys.cc(16, 0)
    assert keys.cc(48, 0) == [m.SetNumber("morph", 0.0)]  # the LSB came with it: a pair
    keys.now_s += 1.0
    keys.cc(16, 64)
    assert keys.cc(48, 5) == [m.SetNumber("morph", pytest.approx((64 << 7 | 5) / 16383))]
    hub.midi_map.arm("life")
    keys.now_s += 1.0
    keys.cc(49, 38)  # with no MSB before it: a controller like any other
    assert hub.midi_map.learned()["life"] == "CC 49"

    hub.midi_map.relative = frozenset({30})
    hub.midi_map.arm("width")
    assert keys.cc(30, 1) == [m.SetNumber("width", pytest.approx(1 / 127))]
    assert keys.cc(30, 3) == [m.SetNumber("width", pytest.approx(4 / 127))]
    assert keys.cc(30, 126) == [m.SetNumber("width", pytest.approx(2 / 127))]
    hub.midi_map.arm("clip_mode")
    assert keys.cc(30, 1) == [m.SetNumber("clip_mode", 1.0)]  # a switch: a choice a step
    assert "width" not in hub.midi_map.learned()  # a controller moves one thing


@given(st.lists(st.tuples(st.integers(0, 127), st.floats(0, 1)), max_size=30))
def test_a_knob_moved_in_small_steps_never_makes_its_target_jump(hub_factory, moves):
    """Other hands may put the target anywhere; a slow knob only ever moves it by about its own step."""
    hub = hub_factory()
    keys = Keyboard(hub)
    hub.midi_map.arm("morph")
    at = 64
    keys.cc(20, at)
    for goal, elsewhere in moves:
        while at != goal:
            at += 1 if goal > at else -1
            before = hub.numbers["morph"]
            keys.cc(20, at)
            assert abs(hub.numbers["morph"] - before) <= 2.6 / 127
        hub.numbers["morph"] = elsewhere


def test_the_map_is_kept_and_a_torn_one_is_named(tmp_path):
    path = tmp_path / "midi.json"
    midi_map = MidiMap.load(path)
    for channel, target in ((1, "morph"), (3, "brightness")):
        midi_map.arm(target)
        midi_map.control_change(channel, 74, 5, 0.0)
    again = MidiMap.load(path)
    assert again.learned() == {"morph": "CC 74", "brightness": "CC 74 ch 3"} and not again.fault
    whole = path.read_bytes()
    for torn in (whole[: len(whole) // 2], b"[]", whole.replace(b'"7-bit"', b'"8-bit"', 1), b"\xff"):
        path.write_bytes(torn)
        broken = MidiMap.load(path)
        assert broken.learned() == {} and "midi.json" in broken.fault
    broken.arm("life")
    broken.control_change(1, 20, 5, 0.0)
    assert json.loads(path.read_text())["bindings"][0]["target"] == "life" and not broken.fault
