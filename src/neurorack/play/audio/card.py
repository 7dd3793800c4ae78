"""A sound card through PortAudio (the `sounddevice` package): output, and on request the inputs of one."""

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.play.audio.backend import CHANNELS, AudioOptions, Drops, Render
from neurorack.play.audio.calibration import load
from neurorack.play.audio.cv import CvInput
from neurorack.play.audio.resampler import ResampledRender
from neurorack.play.audio.tell_volts import Listening, Voltages
from neurorack.play.audio.wiring import Plug, parse_inputs, parse_outputs


class CardBackend:
    """The default (or named) output device, at the instrument's rate where it can, else resampled.

    With `options.input` it also listens: to a microphone, and to control voltages as options.cv_in says.
    Raises NeurorackError when PortAudio is missing, no device exists, or it refuses to open.
    """

    name = "sounddevice"

    def __init__(self, sample_rate: int, options: AudioOptions, drops: Drops, listening: Listening) -> None:
        self._sounddevice = import_sounddevice()
        self.failure: BaseException | None = None
        self.block = options.block
        self._drops = drops
        self._sample_rate = sample_rate
        self._stream: Any = None
        self._index, info = self._find(options.device, "output")
        self.device = str(info["name"])
        plugs = parse_outputs(options.cv_out)
        self._outputs = _channels(plugs, min(CHANNELS, int(info["max_output_channels"])), info, "output")
        self._voltages = Voltages(plugs, listening, _calibrations(self.device, "out"))
        self._cv_channels = [p.channel for p in plugs]
        self._listen_to(options)
        self.device_rate = self._rate(sample_rate, int(info["default_samplerate"]))
        self.outputs = ",".join(["left,right", *(p.name for p in plugs)])
        self.latency_s = 0.0
        self._render_s = 0.0
        self._render: Render | None = None

    def start(self, render: Render) -> None:
        """Open the device and begin to ask for blocks."""
        held = 0.0
        if self.device_rate != self._sample_rate:
            render = resampled = ResampledRender(render, self._sample_rate, self.device_rate, self.block)
            held = resampled.latency_s
        self._render = render
        sd = self._sounddevice
        common = {
            "samplerate": self.device_rate, "blocksize": self.block, "dtype": "float32", "latency": "low",
        }  # fmt: skip
        with quiet():
            try:
                if self._input is None:
                    self._stream = sd.OutputStream(
                        device=self._index, channels=self._outputs, callback=self._speak, **common
                    )
                else:
                    self._stream = sd.Stream(
                        device=(self._input, self._index),
                        channels=(self._inputs, self._outputs),
                        callback=self._converse,
                        **common,
                    )
                self._stream.start()
            except sd.PortAudioError as error:
                raise NeurorackError(
                    f"The sound device {self.device} does not open ({error}): choose another with --device, "
                    "or --backend browser."
                ) from error
        latency = self._stream.latency
        self.latency_s = float(latency if self._input is None else latency[1]) + held

    def stop(self) -> None:
        """Close the device."""
        if self._stream is not None:
            with contextlib.suppress(Exception):
                self._stream.close()

    def _speak(self, out: np.ndarray, count: int, _time: object, status: Any) -> None:
        self._converse(None, out, count, _time, status)

    def _converse(
        self, heard: np.ndarray | None, out: np.ndarray, count: int, _time: object, status: Any
    ) -> None:
        """One block, in PortAudio's thread."""
        if status.output_underflow or status.input_overflow:
            whose = f"The sound device {self.device}"
            self._drops.lose(1, self._render_s, count / self.device_rate, whose)
        if self.failure is not None or self._render is None:
            out.fill(0)
            return
        try:
            began = time.perf_counter()
            audio_in, events = None, []
            if heard is not None:
                if self._audio_channel is not None:
                    audio_in = heard[:, self._audio_channel - 1].copy()
                if self._cables:
                    events = self._cv.read({p.name: heard[:, p.channel - 1] for p in self._cables})
            audio = self._render(count, audio_in, events)
            out.fill(0)
            if self._outputs < CHANNELS:
                out[:, 0] = 0.5 * (audio[0] + audio[1])
            else:
                out[:, :CHANNELS] = audio.T
            if self._cv_channels:
                self._voltages.write({n: out[:, n - 1] for n in self._cv_channels})
            self._render_s = time.perf_counter() - began
        except BaseException as error:  # PortAudio would only print it; the process must learn of it
            self.failure = error
            out.fill(0)

    def _listen_to(self, options: AudioOptions) -> None:
        self._input: int | None = None
        self._inputs = 0
        self._audio_channel: int | None = None
        self._cables: list[Plug] = []
        self._cv = CvInput()
        self.inputs = ""
        plugs = parse_inputs(options.cv_in)
        if options.input is None and not plugs:
            return
        wanted = None if options.input in (None, "default") else options.input
        index, info = self._find(wanted, "input")
        self._input = int(info["index"] if index is None else index)
        self._cables = [p for p in plugs if p.name != "audio"]
        self._audio_channel = next((p.channel for p in plugs if p.name == "audio"), None if plugs else 1)
        self._inputs = _channels(plugs, 1, info, "input")
        kept = _calibrations(str(info["name"]), "in")
        self._cv = CvInput({p.name: kept[p.channel] for p in self._cables if p.channel in kept})
        self.inputs = ",".join(p.name for p in plugs) or "audio"

    def _find(self, device: str | None, kind: str) -> tuple[int | None, Any]:
        sd = self._sounddevice
        wanted: int | str | None = int(device) if device and device.isdigit() else device
        try:
            with quiet():
                info = sd.query_devices(wanted, kind)
        except (ValueError, sd.PortAudioError) as error:
            there = [str(d["name"]) for d in sd.query_devices() if d[f"max_{kind}_channels"] > 0]
            if not there:
                what = "sound card" if kind == "output" else "sound input"
                raise NeurorackError(f"There is no {what}: play with --backend browser.") from error
            names = ", ".join(there)
            raise NeurorackError(
                f"There is no one {kind} device {device or 'by default'!r}: choose of {names}."
            ) from error
        return info["index"], info

    def _rate(self, sample_rate: int, default_rate: int) -> int:
        """The instrument's rate if the device takes it, else the device's own."""
        sd = self._sounddevice
        try:
            with quiet():
                sd.check_output_settings(self._index, self._outputs, "float32", samplerate=sample_rate)
                if self._input is not None:
                    sd.check_input_settings(self._input, self._inputs, "float32", samplerate=sample_rate)
        except (ValueError, sd.PortAudioError):
            return default_rate
        return sample_rate


def look_again() -> None:
    """Have PortAudio look for cards anew, which it does only when it starts. No stream may be open."""
    sounddevice = import_sounddevice()
    with quiet(), contextlib.suppress(Exception):
        sounddevice._terminate()
        sounddevice._initialize()


def _channels(plugs: tuple[Plug, ...], least: int, info: Any, kind: str) -> int:
    """How many channels to open, so that every plug has its own."""
    wanted, there = max([least, *(p.channel for p in plugs)]), int(info[f"max_{kind}_channels"])
    if wanted > there:
        raise NeurorackError(f"{info['name']} has {there} {kind} channels: none is number {wanted}.")
    return wanted


def _calibrations(device: str, way: str) -> dict[int, Any]:
    """Channel -> Calibration of a card; its channels are kept as "in 3", "out 4"."""
    kept = ((name.split(), value) for name, value in load(device).items())
    return {
        int(words[1]): value
        for words, value in kept
        if len(words) == 2 and words[0] == way and words[1].isdigit()
    }


def import_sounddevice() -> Any:
    try:
        with quiet():
            import sounddevice
    except (ImportError, OSError) as error:
        raise NeurorackError(
            "PortAudio is missing: install it (Debian, Raspberry Pi: sudo apt install libportaudio2), "
            "or play with --backend browser."
        ) from error
    return sounddevice


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide what ALSA's library writes to the error stream while it looks for cards that are not there."""
    saved, hole = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(hole, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(hole)
