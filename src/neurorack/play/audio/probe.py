"""One channel of an interface, read or driven by hand: what calibration needs of a device."""

import contextlib
import threading
from typing import Any, Protocol

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.play.audio.card import import_sounddevice, quiet
from neurorack.play.audio.jack_server import CLIENT, import_jack

SETTLE_S = 0.1
"""Let go by before a reading counts: the cable was just patched."""
PATIENCE_S = 5.0
STEADY = 0.002
"""Largest spread of a steady voltage's 10 ms means, of full scale (20 mV of 10 V)."""


class Probe(Protocol):
    """A channel that is open. `device` and `channel` are the names its calibration is kept under."""

    device: str
    channel: str

    def read(self, seconds: float) -> float:
        """Mean sample of the next `seconds`. Raises NeurorackError if it is not steady."""

    def write(self, sample: float) -> None:
        """From now on the channel gives this sample."""

    def close(self) -> None:
        """Let go of the device."""


class _Window:
    """Collects samples until there are enough; filled by a device's thread."""

    def __init__(self, rate: int, seconds: float) -> None:
        self._rate = rate
        self._skip = int(SETTLE_S * rate)
        self._samples = np.zeros(max(int(seconds * rate), 10), np.float64)
        self._count = -self._skip
        self.full = threading.Event()

    def take(self, samples: np.ndarray) -> None:
        """The next block."""
        if self._count < 0:
            left = samples[-self._count :]
            self._count = min(0, self._count + len(samples))
            samples = left
        place = self._samples[self._count : self._count + len(samples)]
        place[:] = samples[: len(place)]
        self._count += len(place)
        if self._count == len(self._samples):
            self.full.set()

    def mean(self) -> float:
        """Raises NeurorackError if no sound came or it moved."""
        if not self.full.wait(PATIENCE_S + len(self._samples) / self._rate):
            raise NeurorackError("The device gives no sound: check that it runs, and try again.")
        parts = np.array_split(self._samples, max(1, len(self._samples) // max(1, self._rate // 100)))
        means = np.array([part.mean() for part in parts])
        if not np.isfinite(means).all() or np.ptp(means) > STEADY:
            raise NeurorackError("The voltage is not steady: wait until it is, and try again.")
        return float(means.mean())


class JackProbe:
    """A port of one's own, connected to whatever feeds the player's port of the same name."""

    device = "JACK"

    def __init__(self, port: str, source: str | None = None, output: bool = False) -> None:
        jack = import_jack()
        self.channel = port
        self._window: _Window | None = None
        self._sample = 0.0
        try:
            self._client: Any = jack.Client(f"{CLIENT}-calibrate", no_start_server=True)
        except jack.JackError as error:
            raise NeurorackError("No JACK server runs: start one, or give --device.") from error
        self._output = output
        ports = self._client.outports if output else self._client.inports
        self._port = ports.register(port)
        self._client.set_process_callback(self._process)
        self._client.activate()
        try:
            self._connect(source)
        except jack.JackError as error:
            self.close()
            raise NeurorackError(f"JACK has no port {source}: see jack_lsp for what there is.") from error

    def _connect(self, other: str | None) -> None:
        others = [other] if other else []
        if not others:
            known = self._client.get_ports(f"^{CLIENT}:{self.channel}$")
            others = [p.name for port in known for p in self._client.get_all_connections(port)]
        for name in others:
            self._client.connect(*((self._port, name) if self._output else (name, self._port)))

    def _process(self, _count: int) -> None:
        block = self._port.get_array()
        if self._output:
            block.fill(self._sample)
        elif self._window is not None:
            self._window.take(block)

    def read(self, seconds: float) -> float:
        """Mean sample of the next `seconds`."""
        self._window = window = _Window(int(self._client.samplerate), seconds)
        return window.mean()

    def write(self, sample: float) -> None:
        """From now on the port gives this sample."""
        self._sample = sample

    def close(self) -> None:
        """Leave the server."""
        with contextlib.suppress(Exception):
            self._client.deactivate()
        with contextlib.suppress(Exception):
            self._client.close()


class CardProbe:
    """One channel (from 1) of a sound card."""

    def __init__(self, device: str | None, channel: int, output: bool = False) -> None:
        sd = import_sounddevice()
        kind = "output" if output else "input"
        self.channel = f"{'out' if output else 'in'} {channel}"
        self._index = channel - 1
        self._window: _Window | None = None
        self._sample = 0.0
        wanted: int | str | None = int(device) if device and device.isdigit() else device
        try:
            with quiet():
                info = sd.query_devices(wanted, kind)
                self.device = str(info["name"])
                if info[f"max_{kind}_channels"] < channel:
                    raise NeurorackError(f"{self.device} has no {kind} channel {channel}.")
                stream = sd.OutputStream if output else sd.InputStream
                self._stream: Any = stream(
                    device=info["index"],
                    channels=channel,
                    dtype="float32",
                    callback=self._drive if output else self._listen,
                )
                self._stream.start()
        except (ValueError, sd.PortAudioError) as error:
            name = device or "by default"
            raise NeurorackError(f"The sound device {name} does not open ({error}).") from error

    def _listen(self, block: np.ndarray, _count: int, _time: object, _status: object) -> None:
        if self._window is not None:
            self._window.take(block[:, self._index])

    def _drive(self, out: np.ndarray, _count: int, _time: object, _status: object) -> None:
        out.fill(0.0)
        out[:, self._index] = self._sample

    def read(self, seconds: float) -> float:
        """Mean sample of the next `seconds`."""
        self._window = window = _Window(int(self._stream.samplerate), seconds)
        return window.mean()

    def write(self, sample: float) -> None:
        """From now on the channel gives this sample."""
        self._sample = sample

    def close(self) -> None:
        """Close the device."""
        with contextlib.suppress(Exception):
            self._stream.close()
