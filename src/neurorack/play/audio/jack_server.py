"""A JACK server (JACK 1 and 2, PipeWire): named ports for sound and control voltages.

The server is never started here. Its block size and rate count; if it stops, `failure` says so.
"""

import contextlib
import time
from typing import Any

from neurorack.core.errors import NeurorackError
from neurorack.play.audio.backend import Drops, Render
from neurorack.play.audio.calibration import Calibration
from neurorack.play.audio.cv import INPUTS, CvInput
from neurorack.play.audio.priority import raise_thread_priority
from neurorack.play.audio.resampler import ResampledRender
from neurorack.play.audio.tell_volts import Listening, Voltages
from neurorack.play.audio.wiring import GATE, Plug, default_outputs

CLIENT = "neurorack"
OUT = ("out_left", "out_right")
CV_OUTS = 4
GATE_CHANNEL = 0
"""Of the port gate_out, beside cv_out_1 …"""
_WRAP = 1 << 32
"""JACK's frame clock counts modulo this."""


class JackBackend:
    """Client "neurorack": ports out_left, out_right, in, cv_pitch, cv_gate, cv_1..4, cv_out_1..4, gate_out.

    Raises NeurorackError when JACK's library is missing or no server runs.
    """

    name = "jack"

    def __init__(
        self,
        sample_rate: int,
        drops: Drops,
        listening: Listening,
        cv_out: tuple[Plug, ...] = (),
        calibrations: dict[str, Calibration] | None = None,
    ) -> None:
        self._jack = import_jack()
        kept = calibrations or {}
        self._drops = drops
        self._sample_rate = sample_rate
        self.failure: BaseException | None = None
        try:
            self._client: Any = self._jack.Client(CLIENT, no_start_server=True)
        except self._jack.JackError as error:
            raise NeurorackError("No JACK server runs: start one, or choose another --backend.") from error
        self.device = "JACK"
        self.device_rate = int(self._client.samplerate)
        self.block = int(self._client.blocksize)
        self.latency_s = self.block / self.device_rate  # JACK hands a client's sound on one block later
        ins, outs = self._client.inports, self._client.outports
        self._outs = [outs.register(name) for name in OUT]
        self._in = ins.register("in")
        self._cv_ins = {name: ins.register(port_name(name)) for name in INPUTS}
        self._cv = CvInput({name: kept[port_name(name)] for name in INPUTS if port_name(name) in kept})
        self._cv_outs = {n: outs.register(f"cv_out_{n}") for n in range(1, CV_OUTS + 1)}
        self._cv_outs[GATE_CHANNEL] = outs.register("gate_out")
        plugs = [p for p in cv_out if p.name != GATE and p.channel <= CV_OUTS]
        plugs = plugs or list(default_outputs(listening.controls, CV_OUTS))
        volts = {n: kept[f"cv_out_{n}"] for n in range(1, CV_OUTS + 1) if f"cv_out_{n}" in kept}
        self._voltages = Voltages([*plugs, Plug(GATE, GATE_CHANNEL)], listening, volts)
        self.inputs = ",".join(["in", *(port_name(name) for name in INPUTS)])
        self.outputs = ",".join([*OUT, *(f"cv_out_{n}" for n in range(1, CV_OUTS + 1)), "gate_out"])
        self._render: Render | None = None
        self._expected: int | None = None
        self._freewheeling = False
        self._xruns = 0
        self._render_s = 0.0
        self._raised = False

    def start(self, render: Render) -> None:
        """Begin to answer the server, and connect to its first two outputs."""
        client = self._client
        if self.device_rate != self._sample_rate:
            resampled = ResampledRender(render, self._sample_rate, self.device_rate, self.block)
            self.latency_s += resampled.latency_s
            render = resampled
        self._render = render
        client.set_process_callback(self._process)
        client.set_xrun_callback(self._on_xrun)
        client.set_shutdown_callback(self._on_shutdown)
        client.set_blocksize_callback(self._on_block_size)
        client.set_freewheel_callback(self._on_freewheel)
        try:
            client.activate()
            self._connect()
        except self._jack.JackError as error:
            self.stop()
            raise NeurorackError("The JACK server refuses to run Neurorack: start it again.") from error

    def stop(self) -> None:
        """Leave the server."""
        with contextlib.suppress(Exception):
            self._client.deactivate()
        with contextlib.suppress(Exception):
            self._client.close()

    def _connect(self) -> None:
        speakers = self._client.get_ports(is_physical=True, is_input=True, is_audio=True)[:2]
        for i, out in enumerate(self._outs if speakers else []):
            with contextlib.suppress(self._jack.JackError):
                self._client.connect(out, speakers[min(i, len(speakers) - 1)])

    def _on_xrun(self, _delay_s: float) -> None:
        self._xruns += 1

    def _on_block_size(self, block: int) -> None:
        self.block = int(block)

    def _on_freewheel(self, starting: bool) -> None:
        """Faster than time, as for a bounce: the clock means nothing then, nor just after."""
        self._freewheeling, self._expected = bool(starting), None

    def _on_shutdown(self, _status: Any, _reason: str) -> None:
        self.failure = NeurorackError("The JACK server stopped.")

    def _process(self, count: int) -> None:
        """One block, in JACK's thread."""
        assert self._render is not None
        try:
            if not self._raised:  # a server that does not run in real time gives its clients no priority
                self._raised = True
                raise_thread_priority()
            self._count_lost(count)
            began = time.perf_counter()
            heard = self._in.get_array().copy() if self._in.number_of_connections else None
            cables = {n: p.get_array() for n, p in self._cv_ins.items() if p.number_of_connections}
            audio = self._render(count, heard, self._cv.read(cables))
            for channel, port in enumerate(self._outs):
                port.get_array()[:] = audio[channel]
            patched = {n: p.get_array() for n, p in self._cv_outs.items() if p.number_of_connections}
            self._voltages.write(patched)
            self._render_s = time.perf_counter() - began
        except BaseException as error:  # JACK would only print it; the process must learn of it
            self.failure = error
            for port in (*self._outs, *self._cv_outs.values()):
                with contextlib.suppress(Exception):
                    port.get_array().fill(0.0)

    def _count_lost(self, count: int) -> None:
        """Blocks lost since the last one: those the clock jumped over, or the server's complaints."""
        if self._freewheeling:
            self._xruns = 0
            return
        now = self._client.last_frame_time
        jumped = 0
        if self._expected is not None:
            late = (now - self._expected + _WRAP // 2) % _WRAP - _WRAP // 2
            jumped = max(late, 0) // count
        self._expected = (now + count) % _WRAP
        xruns, self._xruns = self._xruns, 0
        if jumped or xruns:
            self._drops.lose(max(jumped, xruns), self._render_s, count / self.device_rate, "The JACK server")


def port_name(name: str) -> str:
    """The JACK port of an input voltage: pitch -> cv_pitch, cv1 -> cv_1."""
    return f"cv_{name.removeprefix('cv')}"


def import_jack() -> Any:
    """The module `jack`, told to keep quiet. Raises NeurorackError when the library is missing."""
    try:
        import jack
    except (ImportError, OSError) as error:
        raise NeurorackError(
            "JACK is missing: install it (Debian, Raspberry Pi: sudo apt install libjack-jackd2-0), "
            "or choose another --backend."
        ) from error
    jack.set_error_function(_ignore)
    jack.set_info_function(_ignore)
    return jack


def _ignore(_message: str) -> None:
    """What the library would print: the performer reads `failure` instead."""
