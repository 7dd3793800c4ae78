"""A sound card through PortAudio (the `sounddevice` package)."""

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.play.audio.backend import CHANNELS, Drops, Render
from neurorack.play.audio.resampler import ResampledRender


class CardBackend:
    """The default (or named) output device, at the instrument's rate where it can, else resampled.

    Raises NeurorackError when PortAudio is missing, no device exists, or it refuses to open.
    """

    name = "sounddevice"

    inputs = ""
    outputs = "left,right"

    def __init__(self, sample_rate: int, block: int, drops: Drops, device: str | None = None) -> None:
        self._sounddevice = _import_sounddevice()
        self.failure: BaseException | None = None
        self.block = block
        self._drops = drops
        self._sample_rate = sample_rate
        self._stream: Any = None
        self._index, info = self._find(device)
        self.device = str(info["name"])
        self._outputs = min(CHANNELS, int(info["max_output_channels"]))
        self.device_rate = self._rate(sample_rate, int(info["default_samplerate"]))
        self.latency_s = 0.0

    def start(self, render: Render) -> None:
        """Open the device and begin to ask for blocks."""
        held = 0.0
        if self.device_rate != self._sample_rate:
            render = resampled = ResampledRender(render, self._sample_rate, self.device_rate, self.block)
            held = resampled.latency_s
        render_s = 0.0

        def callback(out: np.ndarray, frames: int, _time: object, status: Any) -> None:
            nonlocal render_s
            if status.output_underflow:
                self._drops.lose(1, render_s, frames / self.device_rate, f"The sound device {self.device}")
            if self.failure is not None:
                out.fill(0)
                return
            try:
                began = time.perf_counter()
                audio = render(frames)
                render_s = time.perf_counter() - began
                if out.shape[1] == CHANNELS:
                    out[:] = audio.T
                else:
                    out[:, 0] = 0.5 * (audio[0] + audio[1])
            except BaseException as error:  # PortAudio would only print it; the process must learn of it
                self.failure = error
                out.fill(0)

        with _quiet():
            try:
                self._stream = self._sounddevice.OutputStream(
                    samplerate=self.device_rate,
                    blocksize=self.block,
                    device=self._index,
                    channels=self._outputs,
                    dtype="float32",
                    latency="low",
                    callback=callback,
                )
                self._stream.start()
            except self._sounddevice.PortAudioError as error:
                raise NeurorackError(
                    f"The sound device {self.device} does not open ({error}): choose another with --device, "
                    "or --backend browser."
                ) from error
        self.latency_s = float(self._stream.latency) + held

    def stop(self) -> None:
        """Close the device."""
        if self._stream is not None:
            with contextlib.suppress(Exception):
                self._stream.close()

    def _find(self, device: str | None) -> tuple[int | None, Any]:
        sd = self._sounddevice
        wanted: int | str | None = int(device) if device and device.isdigit() else device
        try:
            with _quiet():
                info = sd.query_devices(wanted, "output")
        except (ValueError, sd.PortAudioError) as error:
            outputs = [str(d["name"]) for d in sd.query_devices() if d["max_output_channels"] > 0]
            if not outputs:
                raise NeurorackError("There is no sound card: play with --backend browser.") from error
            names = ", ".join(outputs)
            raise NeurorackError(
                f"There is no one output device {device or 'by default'!r}: choose of {names}."
            ) from error
        return info["index"], info

    def _rate(self, sample_rate: int, default_rate: int) -> int:
        """The instrument's rate if the device takes it, else the device's own."""
        try:
            with _quiet():
                self._sounddevice.check_output_settings(
                    self._index, self._outputs, "float32", samplerate=sample_rate
                )
        except (ValueError, self._sounddevice.PortAudioError):
            return default_rate
        return sample_rate


def _import_sounddevice() -> Any:
    try:
        with _quiet():
            import sounddevice
    except (ImportError, OSError) as error:
        raise NeurorackError(
            "PortAudio is missing: install it (Debian, Raspberry Pi: sudo apt install libportaudio2), "
            "or play with --backend browser."
        ) from error
    return sounddevice


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide what ALSA's library writes to the error stream while it looks for cards that are not there."""
    saved, hole = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(hole, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(hole)
