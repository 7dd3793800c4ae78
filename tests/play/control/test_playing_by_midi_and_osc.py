"""The real player played by another program: OSC over UDP, MIDI through JACK; what sounds is told back."""

import os
import shutil
import socket
import sys
import time
from pathlib import Path

import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from neurorack.play.control.osc import packets

sys.path.insert(0, str(Path(__file__).parents[1] / "panel"))
sys.path.insert(0, str(Path(__file__).parent / "midi"))

from playing import playing

PATIENCE_S = 20.0


class Peer:
    """An OSC program that subscribes and keeps the newest value of every address."""

    def __init__(self, port):
        self.port, self.values = port, {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)

    def say(self, path, *arguments):
        builder = OscMessageBuilder("/neurorack" + path)
        for argument in arguments:
            builder.add_arg(argument)
        self.socket.sendto(builder.build().dgram, ("127.0.0.1", self.port))

    def until(self, path, accept, again=lambda: None):
        """The value of `path` that is accepted; `again` is called about ten times a second until then."""
        end, due = time.monotonic() + PATIENCE_S, 0.0
        while True:
            if time.monotonic() >= due:
                again()
                due = time.monotonic() + 0.1
            try:
                for address, arguments in packets.messages(self.socket.recv(65536)):
                    self.values[address.removeprefix("/neurorack")] = arguments
            except TimeoutError:
                pass
            if path in self.values and accept(*self.values[path]):
                return self.values[path]
            assert time.monotonic() < end, f"never so: {path} {self.values.get(path)}"

    def until_pitch(self, f0_hz, again=lambda: None):
        """Within a quarter of a semitone: held tones live a little."""
        self.until("/f0_hz", lambda heard: abs(heard / f0_hz - 1) < 0.015, again)


def test_osc_plays_tunes_and_learns_what_sounds(tmp_path, tiny_nrk):
    with playing(tmp_path, str(tiny_nrk), "--backend", "null", "--osc", "0", "--midi", "none") as player:
        peer = Peer(player.told["osc"])
        peer.say("/subscribe")
        peer.until("/param/life", lambda value: True)
        peer.say("/param/life", 0.0)
        peer.until("/param/life", lambda value: value == 0.0)
        peer.say("/note", 69, 1.0)
        peer.until_pitch(440.0)
        peer.until("/voices", lambda count: count == 1)
        peer.say("/tuning", "bohlen-pierce")
        peer.say("/note", 69, 0.0)
        peer.say("/note", 73, 1.0)
        peer.until_pitch(3 * 261.6256)  # thirteen keys up: a tritave
        peer.say("/note", 73, 0.0)
        peer.until("/gate", lambda on: not on)
        peer.say("/transport", 1)
        peer.until("/beat", lambda beat: beat > 0.5)
        peer.socket.close()


@pytest.mark.skipif(shutil.which("jackd") is None, reason="no JACK here: install jackd2")
def test_midi_through_jack_plays_bends_and_turns_a_learned_knob(tmp_path, tiny_nrk, monkeypatch):
    from test_ports_over_jack import Keyboard, jack_server

    server = f"nr-play-{os.getpid()}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", server)
    with (
        jack_server(server),
        Keyboard(server, "keys") as keyboard,
        playing(tmp_path, str(tiny_nrk), "--backend", "null", "--osc", "0") as player,
    ):
        peer = Peer(player.told["osc"])
        peer.say("/subscribe")
        peer.say("/param/life", 0.0)
        end = time.monotonic() + PATIENCE_S
        while not any(port.name == "keys:out" for port in _heard(keyboard)) and time.monotonic() < end:
            time.sleep(0.05)
        # JACK makes a connection in one of its next cycles; what is sent before that nobody hears.
        peer.until_pitch(440.0, lambda: keyboard.waiting.append(b"\x90\x45\x7f"))
        keyboard.waiting = [b"\xe0\x7f\x7f"]
        peer.until_pitch(440.0 * 2 ** (2 / 12))
        keyboard.waiting = [b"\xe0\x00\x40", b"\x80\x45\x00"]
        peer.until("/gate", lambda on: not on)
        peer.say("/learn", "width")
        turned = (b"\xb0\x14\x00", b"\xb0\x14\x7f")
        peer.until("/param/width", lambda value: value == 1.0, lambda: keyboard.waiting.extend(turned))
        peer.socket.close()
    assert "width" in (tmp_path / "midi.json").read_text()


def _heard(keyboard):
    """JACK ports that the player's inputs are connected to."""
    inputs = keyboard.client.get_ports("Neurorack", is_midi=True, is_input=True)
    return [other for port in inputs for other in keyboard.client.get_all_connections(port)]
