"""Whatever bytes come, the parser yields whole messages and never raises."""

import mido
from hypothesis import given
from hypothesis import strategies as st

from neurorack.play.control.midi.dispatch import Dispatcher
from neurorack.play.control.midi.parser import ByteParser

CHANNEL_MESSAGES = st.one_of(
    st.builds(lambda c, n, v: [0x90 | c, n, v], st.integers(0, 15), st.integers(0, 127), st.integers(0, 127)),
    st.builds(lambda c, n, v: [0xB0 | c, n, v], st.integers(0, 15), st.integers(0, 127), st.integers(0, 127)),
    st.builds(lambda c, n, v: [0xE0 | c, n, v], st.integers(0, 15), st.integers(0, 127), st.integers(0, 127)),
    st.builds(lambda c, n: [0xC0 | c, n], st.integers(0, 15), st.integers(0, 127)),
    st.builds(lambda c, n: [0xD0 | c, n], st.integers(0, 15), st.integers(0, 127)),
)


@given(st.lists(CHANNEL_MESSAGES), st.data())
def test_running_status_and_clocks_in_between_change_nothing(messages, data):
    """The same stream with repeated status bytes left out and clock pulses anywhere is the same messages."""
    stream, status = [], None
    for message in messages:
        body = message[1:] if message[0] == status and data.draw(st.booleans()) else message
        status = message[0]
        for byte in body:
            stream += [0xF8] * data.draw(st.integers(0, 1)) + [byte]
    parsed = [p for p in ByteParser().feed(stream) if p.type != "clock"]
    assert parsed == [mido.Message.from_bytes(message) for message in messages]


def test_sysex_active_sensing_and_stray_bytes_are_skipped():
    stream = [0x42, 0xF0, 0x7E, 0x90, 0x3C, 0x40, 0xF7, 0x11, 0xFE, 0xF4, 0x12, 0x90, 0x3D, 0xFE, 0x41]
    notes = [str(message) for message in ByteParser().feed(stream)]
    assert notes == [
        "note_on channel=0 note=60 velocity=64 time=0",  # a status byte ends an unfinished SysEx
        "note_on channel=0 note=61 velocity=65 time=0",
    ]
    assert list(ByteParser().feed([0xF0, 1, 2, 3, 0xF8, 4, 0xF7, 5])) == [mido.Message("clock")]
    assert list(ByteParser().feed([300, -1, "x", None])) == []


@given(st.lists(st.binary(max_size=64), max_size=20))
def test_random_bytes_never_raise_and_leave_no_note_hanging(hub_factory, chunks):
    hub = hub_factory()
    dispatcher, parser = Dispatcher(hub), ByteParser()
    for chunk in chunks:
        for message in parser.feed(chunk):
            dispatcher.receive(message)
    dispatcher.release()
    assert {hand for hand, message in hub.said if getattr(message, "on", False)} <= {*hub.left, 1}
