"""Engine: pure rendering of sound from ControlFrames. No devices, no files, no logging, no locks.

`render(n, frame)` gives n samples for any n; whole latent frames are rendered and what is left over waits
in a small queue, so that the sound does not depend on the block size. The control values of a frame are
those of the block in which its first sample is asked for.
"""

import math
import time

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.play.engine.frame import MAX_CONTROLS, ControlFrame, Source, Telemetry
from neurorack.play.engine.instrument import Instrument, load_instrument
from neurorack.play.engine.live import InputQueue
from neurorack.play.engine.meter import Meter
from neurorack.play.engine.output import DcBlocker, Ramp, soft_limit
from neurorack.play.engine.voice import MAX_FRAMES, Voice

__all__ = ["Engine", "load_instrument"]

SWAP_FRAMES = 32
"""Crossfade when the instrument changes (93 ms)."""
BUSY, RELAXED = 0.8, 0.55
"""Load above which the engine stops measuring itself, and below which it resumes."""
REACHABLE_EVERY = 8
LONGEST = 8192
"""Samples rendered in one piece; longer blocks are cut."""


class _Part:
    """A voice with the meter that listens to it: everything that changes with the instrument."""

    def __init__(self, instrument: Instrument) -> None:
        if instrument.map.size > MAX_CONTROLS:
            raise NeurorackError(
                f"The instrument {instrument.name} has {instrument.map.size} controls: "
                f"the player takes at most {MAX_CONTROLS}."
            )
        self.instrument = instrument
        self.voice = Voice(instrument)
        self.meter = Meter(instrument.graphs, instrument.map.columns, instrument.map.defaults)
        self.frame = ControlFrame()


class Engine:
    """Plays one instrument; `swap` changes it by a crossfade. `telemetry` tells what the last block was.

    `render` is called by one thread; `swap` may be called by another: it prepares there and hands over whole.
    """

    channels = 1

    def __init__(self, instrument: Instrument) -> None:
        self.sample_rate = instrument.sample_rate
        self.hop = instrument.manifest.hop
        self.telemetry = Telemetry()
        self._part = _Part(instrument)
        self._incoming: _Part | None = None
        self._old: _Part | None = None
        self._fade_left = 0
        self._left = np.zeros(MAX_FRAMES * self.hop, np.float32)
        self._left_count = 0
        self._mono_in = np.zeros(MAX_FRAMES * self.hop, np.float32)
        self._input = InputQueue(self.hop)
        self._was_live = False
        self._blocker = DcBlocker(self.sample_rate, self.hop)
        self._level = Ramp(self.hop, 1.0)
        self._frames = 0
        self._measuring = True
        self._load = self._load_peak = 0.0

    @property
    def instrument(self) -> Instrument:
        """The instrument being played (during a swap, the new one)."""
        return self._part.instrument

    @property
    def latency_samples(self) -> int:
        """Control to sound, beyond the device's block: a gesture waits at most for the next frame."""
        return self.hop

    @property
    def live_latency_samples(self) -> int:
        """Audio in to audio out, beyond the device's block, at the block size in use."""
        return self.instrument.latency_samples + self._input.delay_samples

    def swap(self, instrument: Instrument) -> None:
        """Cross-fade to another instrument. Its graphs are warmed here, in the caller's thread.

        Raises NeurorackError if its rate or hop differs from the engine's.
        """
        if (instrument.sample_rate, instrument.manifest.hop) != (self.sample_rate, self.hop):
            raise NeurorackError(
                f"{instrument.name} runs at {instrument.sample_rate} Hz and the player at "
                f"{self.sample_rate} Hz: start the player again with that instrument."
            )
        self._incoming = _Part(instrument)

    def render(self, n: int, frame: ControlFrame, audio_in: np.ndarray | None = None) -> np.ndarray:
        """The next n samples: a new array, float32 [1, n].

        audio_in: [n] or [channels, n] for Source.LIVE, else ignored.
        """
        if n > LONGEST:
            whole = None if audio_in is None else np.atleast_2d(audio_in)
            cuts = [slice(i, min(i + LONGEST, n)) for i in range(0, n, LONGEST)]
            parts = [
                self.render(c.stop - c.start, frame, None if whole is None else whole[:, c]) for c in cuts
            ]
            return np.concatenate(parts, axis=1)
        started = time.perf_counter()
        out = np.empty((1, n), np.float32)
        self._take_input(n, frame, audio_in)
        done = min(n, self._left_count)
        out[0, :done] = self._left[:done]
        self._left[: self._left_count - done] = self._left[done : self._left_count].copy()
        self._left_count -= done
        while done < n:
            count = min(-(-(n - done) // self.hop), MAX_FRAMES)
            sound = self._render_frames(count, frame)
            take = min(len(sound), n - done)
            out[0, done : done + take] = sound[:take]
            done += take
            rest = len(sound) - take
            if rest:
                self._left[:rest] = sound[take:]
                self._left_count = rest
        self._tell(out[0], frame, time.perf_counter() - started)
        return out

    def _take_input(self, n: int, frame: ControlFrame, audio_in: np.ndarray | None) -> None:
        live = int(frame.source) == Source.LIVE
        if live:
            if not self._was_live:
                self._input.reset()
            if audio_in is None:
                audio_in = np.zeros(n, np.float32)
            elif audio_in.ndim == 2:
                audio_in = audio_in.mean(axis=0)
            self._input.push(audio_in)
        self._was_live = live

    def _render_frames(self, count: int, frame: ControlFrame) -> np.ndarray:
        """`count` whole frames of finished sound [count * hop]."""
        if self._incoming is not None:
            # A swap during a crossfade cuts the older voice short: the newer two are the ones that matter.
            self._old, self._part, self._incoming = self._part, self._incoming, None
            self._fade_left = SWAP_FRAMES
        live = None
        if self._was_live:
            live = self._mono_in[: count * self.hop]
            self._input.take(live)
        part = self._part
        sound = part.voice.render(count, frame, live)
        part.frame = frame
        if self._old is not None:
            self._crossfade(sound, count, live)
        level = (
            10.0 ** (min(max(frame.level_db, -120.0), 24.0) / 20.0)
            if frame.level_db == frame.level_db
            else 1.0
        )
        level = 0.0 if frame.level_db <= -60.0 else level
        busy = live is not None and part.voice.live.slow_ran
        for t in range(count):
            one = sound[t * self.hop : (t + 1) * self.hop]
            self._blocker.process(one)
            if self._measuring and part.meter.feed(one, busy):
                self._publish_measured(part)
            self._level.apply(one, level)
            self._frames += 1
            if self._frames % REACHABLE_EVERY == 0:
                self._publish_reachable(part)
        soft_limit(sound)
        return sound

    def _crossfade(self, sound: np.ndarray, count: int, live: np.ndarray | None) -> None:
        """Mix the old instrument, still playing its last frame, out of `sound`; in place."""
        assert self._old is not None
        before = self._old.voice.render(count, self._old.frame, live)
        for t in range(count):
            one = slice(t * self.hop, (t + 1) * self.hop)
            left = max(self._fade_left, 0)
            start, end = left / SWAP_FRAMES, max(left - 1, 0) / SWAP_FRAMES
            old_share = np.linspace(start, end, self.hop, endpoint=False, dtype=np.float32)
            # Equal power: two different sounds add in power, not in amplitude.
            sound[one] = sound[one] * np.cos(0.5 * np.pi * old_share) + before[one] * np.sin(
                0.5 * np.pi * old_share
            )
            self._fade_left -= 1
        if self._fade_left <= 0:
            self._old = None

    def _publish_measured(self, part: _Part) -> None:
        n, tell = part.voice.size, self.telemetry
        tell.measured_physical[:n] = part.meter.physical
        part.instrument.map.all_to_control(part.meter.physical, out=tell.measured[:n])

    def _publish_reachable(self, part: _Part) -> None:
        n, tell = part.voice.size, self.telemetry
        tell.reachable_low[:n], tell.reachable_high[:n] = part.instrument.coupling.reachable(part.voice.asked)

    def _tell(self, audio: np.ndarray, frame: ControlFrame, seconds: float) -> None:
        """Fill the telemetry of this block; suspend measuring while the load is high."""
        tell, voice, n = self.telemetry, self._part.voice, self._part.voice.size
        duration = max(len(audio), 1) / self.sample_rate
        load = seconds / duration
        share = 1.0 - math.exp(-duration / 0.5)
        self._load += share * (load - self._load)
        self._load_peak = max(load, self._load_peak * math.exp(-duration / 2.0))
        if self._measuring and self._load > BUSY:
            self._measuring = False
        elif not self._measuring and self._load < RELAXED:
            self._measuring = True
            self._part.meter.reset()
        tell.controls, tell.frames = n, self._frames
        tell.asked[:n], tell.asked_physical[:n] = voice.asked, voice.asked_physical
        tell.measuring = self._measuring and self._part.meter.ready
        power = float(np.dot(audio, audio)) / max(len(audio), 1)
        tell.level_db = 10.0 * math.log10(power + 1e-12)
        tell.peak = float(np.abs(audio).max(initial=0.0))
        tell.load, tell.load_peak = self._load, self._load_peak
        tell.sounding, tell.non_finite = voice.sounding, voice.non_finite
        tell.source, tell.position = int(frame.source), voice.position
        tell.input_level_db = 10.0 * math.log10(voice.live.power + 1e-12)
        tell.f0_hz = voice.f0_hz
