"""Renderer: one block of sound. Takes the newest frame, asks the engine, tells what happened. Never waits."""

from typing import Protocol

import numpy as np

from neurorack.play.audio.live_input import LiveInput
from neurorack.play.control.bridge import Bridge
from neurorack.play.engine.frame import TELEMETRY_DTYPE, ControlFrame, Source, Telemetry

TELEMETRY_EVERY_S = 0.015


class RendersBlocks(Protocol):
    """The engine, as far as the audio process knows it."""

    telemetry: Telemetry

    def render(self, n: int, frame: ControlFrame, audio_in: np.ndarray | None = None) -> np.ndarray:
        """float32 [channels, n]."""


class Renderer:
    """A Render (n -> float32 [1, n]) between the bridge and the engine."""

    def __init__(self, engine: RendersBlocks, bridge: Bridge, sample_rate: int) -> None:
        self._engine = engine
        self._bridge = bridge
        self._frame = ControlFrame()
        self._input = LiveInput(bridge.input, sample_rate)
        self._telemetry = np.zeros((), TELEMETRY_DTYPE)
        self._telemetry_every = int(TELEMETRY_EVERY_S * sample_rate)
        self._until_telemetry = 0
        self.blocks = 0

    def __call__(self, count: int) -> np.ndarray:
        """The next `count` samples."""
        record = self._bridge.frame.read()
        if record is not None:
            self._frame = ControlFrame.read_from(record)
        live = self._input.read(count) if self._frame.source == Source.LIVE else None
        audio = self._engine.render(count, self._frame, live)
        self._bridge.output.write(audio)
        self._until_telemetry -= count
        if self._until_telemetry <= 0:
            self._until_telemetry = self._telemetry_every
            self._engine.telemetry.write_to(self._telemetry)
            self._bridge.telemetry.write(self._telemetry)
        self.blocks += 1
        return audio
