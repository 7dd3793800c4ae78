"""MIDI through a JACK server: another client's bytes become notes; ports come and go; the server, too."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress

import pytest

from neurorack.play.control import messages as m
from neurorack.play.control.inputs import InputOptions, start_inputs

rtmidi = pytest.importorskip("rtmidi")
if shutil.which("jackd") is None:
    pytest.skip("needs jackd", allow_module_level=True)
import jack  # noqa: E402

PATIENCE_S = 15.0


@contextmanager
def jack_server(name):
    server = subprocess.Popen(
        ["jackd", "--no-realtime", "-n", name, "-d", "dummy", "-r", "44100", "-p", "256"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "JACK_NO_AUDIO_RESERVATION": "1"},
    )
    try:
        until = time.monotonic() + PATIENCE_S
        while not os.path.exists(f"/dev/shm/jack_{name}_{os.getuid()}_0"):
            assert server.poll() is None and time.monotonic() < until, "jackd did not start"
            time.sleep(0.05)
        while not _answers(name):
            assert server.poll() is None and time.monotonic() < until, "jackd does not answer"
            time.sleep(0.05)
        yield server
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _answers(name):
    """Whether a client can join."""
    with suppress(jack.JackError):
        jack.Client("knock", servername=name, no_start_server=True).close()
        return True
    return False


class Keyboard:
    """A JACK client with a MIDI output: a player's gear."""

    def __init__(self, server, name):
        self.client = jack.Client(name, servername=server, no_start_server=True)
        self.port = self.client.midi_outports.register("out")
        self.waiting = []
        self.client.set_process_callback(self._process)
        self.client.activate()

    def _process(self, _frames):
        self.port.clear_buffer()
        for _ in range(min(len(self.waiting), 60)):  # as many as a block has room for
            self.port.write_midi_event(0, self.waiting.pop(0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.deactivate()
        self.client.close()


async def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.02)


async def connected(keyboard, hub, inputs):
    """Until what the keyboard sends arrives: JACK makes a connection in one of its next cycles."""
    await until(lambda: "keys:out" in inputs.midi)
    end = time.monotonic() + PATIENCE_S
    while m.Clock("pulse") not in hub.messages and time.monotonic() < end:
        keyboard.waiting.append(b"\xf8")
        await asyncio.sleep(0.05)
    await until(lambda: not keyboard.waiting)
    await asyncio.sleep(0.1)
    hub.take()


@pytest.fixture
def server(monkeypatch):
    name = f"nr-midi-{os.getpid()}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    monkeypatch.setattr(
        "neurorack.play.control.midi.ports.Path.exists", lambda path: str(path) != "/dev/snd/seq"
    )
    return name


def test_notes_from_another_client_hot_plug_and_a_server_that_is_started_again(hub, server, monkeypatch):
    monkeypatch.setattr("neurorack.play.control.inputs.SCAN_S", 0.2)

    async def play():
        async with start_inputs(hub, InputOptions(osc=0)) as inputs:
            assert inputs.midi == [] and inputs.osc > 0  # no server yet: the rest works
            with jack_server(server):
                await until(lambda: inputs.midi == ["Neurorack"])
                with Keyboard(server, "keys") as keyboard:
                    await connected(keyboard, hub, inputs)  # plugged in later
                    assert hub.inputs["midi"] == inputs.midi
                    keyboard.waiting = [b"\x90\x3c\x7f", b"\xf8", b"\x90\x40\x40", b"\x80\x3c\x00"]
                    await until(lambda: len(hub.said) == 4)
                    assert hub.messages == [
                        m.Note(True, 60, 1.0),
                        m.Clock("pulse"),
                        m.Note(True, 64, 64 / 127),
                        m.Note(False, 60, 0.0),
                    ]
                    ports = keyboard.client.get_ports("Neurorack:in", is_midi=True, is_input=True)
                    assert len(ports) == 1  # the virtual port, to be connected to by hand
                    hub.left.clear()
                await until(lambda: inputs.midi == ["Neurorack"])
                assert hub.left  # unplugged: its keys are let go
            await until(lambda: inputs.midi == [])
            hub.take()
            with jack_server(server), Keyboard(server, "keys") as keyboard:
                await connected(keyboard, hub, inputs)
                keyboard.waiting = [b"\x90\x3c\x7f"]
                await until(lambda: m.Note(True, 60, 1.0) in hub.messages)
        assert hub.inputs == {"midi": [], "osc": 0}

    asyncio.run(play())


def test_a_flood_leaves_no_key_hanging(hub, server):
    async def play():
        with jack_server(server):
            async with start_inputs(hub, InputOptions(osc=None)) as inputs:
                with Keyboard(server, "keys") as keyboard:
                    await connected(keyboard, hub, inputs)
                    for n in range(3000):
                        keyboard.waiting.append(bytes([0xB0, n % 120, n % 100]))
                        keyboard.waiting.append(bytes([0x90 if n % 2 else 0x80, n // 2 % 100, 64]))
                    await until(lambda: not keyboard.waiting)
                    await asyncio.sleep(0.3)
            down = set()
            for hand, message in hub.said:
                if isinstance(message, m.Note):
                    (down.add if message.on else down.discard)((hand, message.midi))
            assert len(hub.said) > 1000 and {hand for hand, _ in down} <= set(hub.left)

    asyncio.run(play())
