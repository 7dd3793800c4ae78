"""The player as a JACK client, measured by a second one: voltages, exact gates, a server that goes away."""

import sys
from pathlib import Path

import click
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from jack_rig import BLOCK, RATE, Patchbay, jack_server, sounding, wait_for, write_frame

from neurorack.cli.main import cli
from neurorack.core.library import find
from neurorack.play.audio import calibration
from neurorack.play.audio.jack_server import import_jack
from neurorack.play.engine.frame import ControlFrame

VOLT = np.float32(0.1)
"""One volt as an uncalibrated port gives it."""


def _f0_hz(sound: np.ndarray, near_hz: float) -> float:
    """Pitch of a steady harmonic sound, from the phase that its strongest partial gains in half the time."""
    half = len(sound) // 2
    window = np.hanning(half)
    first, second = (np.fft.rfft(sound[at : at + half] * window) for at in (0, half))
    bins = np.arange(len(first)) * RATE / half
    number = max(range(1, 9), key=lambda k: np.abs(first[np.argmin(np.abs(bins - k * near_hz))]))
    at = int(np.argmin(np.abs(bins - number * near_hz)))
    at += int(np.argmax(np.abs(first[at - 3 : at + 4]))) - 3
    turned = np.angle(second[at] / first[at]) - 2 * np.pi * bins[at] * half / RATE
    turned -= 2 * np.pi * np.round(turned / (2 * np.pi))
    return (bins[at] + turned * RATE / (2 * np.pi * half)) / number


def test_one_volt_is_an_octave(monkeypatch):
    seconds = 3
    pitch = np.zeros(seconds * RATE, np.float32)
    pitch[RATE : 2 * RATE] = VOLT
    pitch[2 * RATE :] = -VOLT
    gate = np.full(seconds * RATE, 5 * VOLT, np.float32)
    gate[:BLOCK] = 0
    with jack_server(monkeypatch) as server, sounding(find("winds"), backend="jack") as supervisor:
        assert supervisor.status.backend == "jack" and not supervisor.status.voltages
        write_frame(supervisor.bridge, ControlFrame(life=0.0))
        heard = Patchbay(server).play({"cv_pitch": pitch, "cv_gate": gate}, ("out_left", "gate_out"))
    sound = heard["out_left"]
    c4_hz = 440.0 * 2.0 ** (-9 / 12)
    for start_s, octave in ((0, 0), (1, 1), (2, -1)):
        steady = sound[start_s * RATE + RATE // 4 : (start_s + 1) * RATE - 1000]
        measured = _f0_hz(steady, c4_hz * 2.0**octave)
        assert 1200 * np.log2(measured / (c4_hz * 2.0**octave)) == pytest.approx(0.0, abs=5.0)
    assert heard["gate_out"][-1] == pytest.approx(5 * VOLT) and heard["gate_out"][0] == 0.0


def test_a_gate_sounds_at_its_sample(monkeypatch):
    offsets = (0, 1, 17, 63, 64, 100, 127)
    places = [(i + 1) * 100 * BLOCK + offset for i, offset in enumerate(offsets)]
    gate = np.zeros((len(offsets) + 1) * 100 * BLOCK, np.float32)
    for place in places:
        gate[place : place + 20 * BLOCK] = 5 * VOLT
    with jack_server(monkeypatch) as server, sounding(find("winds"), backend="jack") as supervisor:
        write_frame(supervisor.bridge, ControlFrame(life=0.0, release_s=0.01))
        sound = Patchbay(server).play({"cv_gate": gate}, ("out_left",))["out_left"]
    # Two clients in a loop: JACK hands on what closes the loop one block later. The player itself adds none.
    assert np.abs(sound[: places[0] + BLOCK]).max() == 0.0 and sound[places[0] + BLOCK] != 0.0
    triggers = [sound[place + BLOCK :][: 30 * BLOCK] for place in places]
    assert np.abs(triggers[0]).max() > 0.01
    for trigger in triggers[1:]:
        np.testing.assert_allclose(trigger, triggers[0], atol=1e-4)


def test_the_sound_outlives_its_server_and_goes_back_to_it(monkeypatch, tiny_nrk):
    with jack_server(monkeypatch) as server, sounding(tiny_nrk, backend="jack") as supervisor:
        write_frame(supervisor.bridge, ControlFrame(gate=True, f0_hz=220.0))
        output = supervisor.bridge.output
        server.stop()
        wait_for(lambda: supervisor.status.backend == "browser", "the page's sound")
        assert "JACK" in supervisor.status.note
        written = output.written
        wait_for(lambda: output.written > written + RATE // 4, "more sound")
        assert np.abs(output.copy(output.written - 4000, 4000)).max() > 1e-3
        server.start(rate=48_000)
        wait_for(lambda: supervisor.status.backend == "jack", "JACK again")
        wait_for(lambda: supervisor.status.device_rate == 48_000, "its rate")
        heard = Patchbay(server).play({"cv_1": np.zeros(24_000, np.float32)}, ("out_left", "out_right"))
        assert np.abs(heard["out_left"][-4000:]).max() > 1e-3
        assert not supervisor.status.note and supervisor.restarts == 0


def test_a_cards_channels_carry_voltages(monkeypatch, tiny_nrk):
    options = {"backend": "sounddevice", "device": "system", "input": "system"}
    options |= {"cv_in": "gate=1,cv1=2", "cv_out": "gate=2"}
    with jack_server(monkeypatch) as server, sounding(tiny_nrk, **options) as supervisor:
        assert supervisor.status.backend == "sounddevice", supervisor.status.note
        hand = import_jack().Client("hand", no_start_server=True, servername=server.name)
        cable, ear = hand.outports.register("volts"), hand.inports.register("ear")
        given, told = [0.0], [0.0]

        def process(_count: int) -> None:
            cable.get_array().fill(given[0])
            told[0] = float(ear.get_array()[-1])

        hand.set_process_callback(process)
        output = supervisor.bridge.output

        def level() -> float:
            return float(np.abs(output.copy(output.written - 2000, 2000)).max())

        with hand:
            hand.connect(cable, "PortAudio:in_0")
            hand.connect("PortAudio:out_1", ear)
            wait_for(lambda: output.written > 4000, "silence")
            assert level() == 0.0
            given[0] = 5 * VOLT
            wait_for(lambda: level() > 1e-3, "sound")
            wait_for(lambda: told[0] == pytest.approx(5 * VOLT), "the gate at the output")


def test_a_card_that_comes_later_is_found(monkeypatch, tiny_nrk):
    with jack_server(monkeypatch) as server:
        server.stop()  # PortAudio calls JACK's dummy the card "system"
        with sounding(tiny_nrk, backend="sounddevice", device="system") as supervisor:
            assert supervisor.status.backend == "browser" and "from this page" in supervisor.status.note
            server.start()
            wait_for(lambda: supervisor.status.backend == "sounddevice", "the card")
            written = supervisor.bridge.output.written
            wait_for(lambda: supervisor.bridge.output.written > written + RATE // 4, "sound through it")
            assert not supervisor.status.note


def test_a_calibrated_port_reads_true_volts(monkeypatch, tmp_path):
    monkeypatch.setenv("NEURORACK_HOME", str(tmp_path))
    per_unit, zero = -8.3, 0.02  # an inverting input, a little off
    with jack_server(monkeypatch) as server:
        calibrator = import_jack().Client("calibrator", no_start_server=True, servername=server.name)
        port = calibrator.outports.register("volts")
        given = [0.0]
        calibrator.set_process_callback(lambda _: port.get_array().fill((given[0] - zero) / per_unit))

        def patch(text, *_, **__) -> str:
            given[0] = float(text.split()[1])
            return ""

        monkeypatch.setattr(click, "prompt", patch)
        with calibrator:
            arguments = ["calibrate", "cv_pitch", "--source", "calibrator:volts", "--seconds", "0.1"]
            cli.main(arguments, standalone_mode=False)
    kept = calibration.load("JACK")["cv_pitch"]
    assert (kept.volts_per_unit, kept.offset_volts) == pytest.approx((per_unit, zero), abs=1e-3)


def test_measured_voltages_are_told_while_they_are_patched(monkeypatch):
    with jack_server(monkeypatch) as server, sounding(find("winds"), backend="jack") as supervisor:
        write_frame(supervisor.bridge, ControlFrame(gate=True))
        hand = import_jack().Client("hand", no_start_server=True, servername=server.name)
        ear, volts = hand.inports.register("ear"), [0.0]

        def process(_count: int) -> None:
            volts[0] = float(ear.get_array()[-1])

        hand.set_process_callback(process)
        with hand:
            assert not supervisor.status.voltages
            hand.connect("neurorack:cv_out_1", ear)
            wait_for(lambda: supervisor.status.voltages and volts[0] > 0.0, "a measured voltage")
            hand.disconnect("neurorack:cv_out_1", ear)
            wait_for(lambda: not supervisor.status.voltages, "that nobody takes it")
