"""Engine: pure rendering of sound from ControlFrames. No devices, no files, no logging, no locks.

`render(n, frame)` gives n samples for any n; whole latent frames are rendered and what is left over waits
in a small queue, so that the sound does not depend on the block size. The control values of a frame are
those of the block in which its first sample is asked for.
"""

import copy
import math
import time
from collections.abc import Sequence

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import MAX_CONTROLS, ControlFrame, Measured, Source, Telemetry
from neurorack.play.engine.instrument import Instrument, load_instrument
from neurorack.play.engine.live import InputQueue
from neurorack.play.engine.meter import Meter
from neurorack.play.engine.output import DcBlocker, Ramp, soft_limit
from neurorack.play.engine.voice import MAX_FRAMES, Voice

__all__ = ["Engine", "load_instrument"]

SWAP_FRAMES = 32
"""Crossfade when the instrument changes (93 ms)."""
REACHABLE_EVERY = 8
LONGEST = 8192
"""Samples rendered in one piece; longer blocks are cut."""


class _Part:
    """A voice with the meter that listens to it: everything that changes with the instrument."""

    def __init__(self, instrument: Instrument, clips: Sequence[np.ndarray] | None, meter: bool) -> None:
        if instrument.map.size > MAX_CONTROLS:
            raise NeurorackError(
                f"The instrument {instrument.name} has {instrument.map.size} controls: "
                f"the player takes at most {MAX_CONTROLS}."
            )
        self.instrument = instrument
        self.voice = Voice(instrument, clips)
        m = instrument.map
        self.meter = Meter(instrument.graphs, m.columns, m.defaults) if meter else None
        self.frame = ControlFrame()


class Engine:
    """Plays one instrument; `swap` changes it by a crossfade. `telemetry` tells what the last block was.

    `render` is called by one thread; `swap` may be called by another: it prepares there and hands over whole.
    """

    channels = 2

    def __init__(
        self, instrument: Instrument, clips: Sequence[np.ndarray] | None = None, meter: bool = False
    ) -> None:
        self.sample_rate = instrument.sample_rate
        self.hop = instrument.manifest.hop
        self.telemetry = Telemetry()
        self.measured = Measured()
        self._metered = meter
        self._part = _Part(instrument, clips, meter)
        self._keys: dict[int, tuple[float, float]] = {}
        self._bend = 0.0
        self._notes = 0
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
        self._load = self._load_peak = 0.0

    @property
    def instrument(self) -> Instrument:
        """The instrument being played (during a swap, the new one)."""
        return self._part.instrument

    @property
    def latency_samples(self) -> int:
        """Gate to sound, beyond the device's block."""
        return self._input.delay_samples

    @property
    def live_latency_samples(self) -> int:
        """Audio in to audio out, beyond the device's block, at the block size in use."""
        return self.instrument.latency_samples + self._input.delay_samples

    def set_clips(self, clips: Sequence[np.ndarray]) -> None:
        """Play these clips [Z + C, T] from the next frame on."""
        self._part.voice.set_clips(clips)

    def fit(self, frame: ControlFrame) -> bool:
        """Prepare as many decoder rows as `frame` needs. True if that changed anything."""
        return False

    @property
    def rows(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Latent frames of the last block: (rows [k, Z + C], envelopes [k], number of the first)."""
        voice = self._part.voice
        count = len(voice.rows_played)
        if not count:
            return np.zeros((0, voice.row_size), np.float32), np.zeros(0, np.float32), self._frames
        rows, gates = zip(*voice.rows_played, strict=True)
        return np.array(rows, np.float32), np.array(gates, np.float32), self._frames - count

    def snapshot(self) -> dict[str, np.ndarray]:
        """What the sound depends on, as plain arrays."""
        voice = self._part.voice
        return {"frames": np.array(self._frames), **voice.snapshot()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from a snapshot of an engine that plays the same instrument and clips."""
        self._frames = int(state["frames"])
        self._part.voice.restore(state)

    def swap(self, instrument: Instrument, clips: Sequence[np.ndarray] | None = None) -> None:
        """Cross-fade to another instrument. Its graphs are warmed here, in the caller's thread.

        Raises NeurorackError if its rate or hop differs from the engine's.
        """
        if (instrument.sample_rate, instrument.manifest.hop) != (self.sample_rate, self.hop):
            raise NeurorackError(
                f"{instrument.name} runs at {instrument.sample_rate} Hz and the player at "
                f"{self.sample_rate} Hz: start the player again with that instrument."
            )
        self._incoming = _Part(instrument, clips, self._metered)

    def _take_events(self, frame: ControlFrame, events: Sequence[Event]) -> ControlFrame:
        """Obey notes; the frame as it sounds with the last key held."""
        for event in events:
            if event.kind == Kind.NOTE_ON:
                self._keys.pop(event.note, None)
                self._keys[event.note] = (event.a, event.b)
                self._notes += 1
            elif event.kind == Kind.NOTE_OFF:
                self._keys.pop(event.note, None)
            elif event.kind == Kind.PITCH and event.note in self._keys:
                self._keys[event.note] = (event.a, self._keys[event.note][1])
            elif event.kind == Kind.BEND:
                self._bend = event.a
            elif event.kind == Kind.ALL_OFF:
                self._keys.clear()
        if not self._keys:
            return frame
        played = copy.copy(frame)
        f0_hz, played.velocity = next(reversed(self._keys.values()))
        played.gate = True
        if f0_hz > 0.0:
            played.f0_hz = f0_hz * 2.0**self._bend
        return played

    def render(
        self,
        n: int,
        frame: ControlFrame,
        audio_in: np.ndarray | None = None,
        events: Sequence[Event] = (),
    ) -> np.ndarray:
        """The next n samples: a new array, float32 [2, n].

        audio_in: [n] or [channels, n] for Source.LIVE, else ignored. events: what happens in this block.
        """
        self._part.voice.rows_played.clear()
        mono = self._render_mono(n, self._take_events(frame, events), audio_in)
        return np.concatenate([mono, mono])

    def _render_mono(self, n: int, frame: ControlFrame, audio_in: np.ndarray | None) -> np.ndarray:
        if n > LONGEST:
            whole = None if audio_in is None else np.atleast_2d(audio_in)
            cuts = [slice(i, min(i + LONGEST, n)) for i in range(0, n, LONGEST)]
            parts = [
                self._render_mono(c.stop - c.start, frame, None if whole is None else whole[:, c])
                for c in cuts
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
            if part.meter is not None and part.meter.feed(one, busy):
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
        n, tell = part.voice.size, self.measured
        assert part.meter is not None
        tell.controls, tell.measuring, tell.sample = n, part.meter.ready, self._frames * self.hop
        tell.physical[:n] = part.meter.physical
        part.instrument.map.all_to_control(part.meter.physical, out=tell.normalised[:n])

    def _publish_reachable(self, part: _Part) -> None:
        n, tell = part.voice.size, self.telemetry
        tell.reachable_low[:n], tell.reachable_high[:n] = part.instrument.coupling.reachable(part.voice.asked)

    def _tell(self, audio: np.ndarray, frame: ControlFrame, seconds: float) -> None:
        """Fill the telemetry of this block."""
        tell, voice, n = self.telemetry, self._part.voice, self._part.voice.size
        duration = max(len(audio), 1) / self.sample_rate
        load = seconds / duration
        share = 1.0 - math.exp(-duration / 0.5)
        self._load += share * (load - self._load)
        self._load_peak = max(load, self._load_peak * math.exp(-duration / 2.0))
        tell.controls, tell.frames = n, self._frames
        tell.asked[:n], tell.asked_physical[:n] = voice.asked, voice.asked_physical
        tell.notes, tell.gate, tell.voices = self._notes, frame.gate, int(voice.sounding)
        power = float(np.dot(audio, audio)) / max(len(audio), 1)
        tell.level_db = 10.0 * math.log10(power + 1e-12)
        tell.peak = float(np.abs(audio).max(initial=0.0))
        tell.load, tell.load_peak = self._load, self._load_peak
        tell.sounding, tell.non_finite = voice.sounding, voice.non_finite
        tell.source, tell.position = int(frame.source), voice.position
        tell.input_level_db = 10.0 * math.log10(voice.live.power + 1e-12)
        tell.f0_hz = voice.f0_hz
