"""Engine: pure rendering of sound from ControlFrames and events. No devices, no files, no logging, no locks.

`render(n, frame)` gives n samples for any n; whole latent frames are rendered and what is left over waits
in a small queue, so that the sound does not depend on the block size. The control values of a frame are
those of the block in which its first sample is asked for; an event sounds at its own sample.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.play.engine.crossfade import Crossfade
from neurorack.play.engine.events import Event
from neurorack.play.engine.frame import ControlFrame, Measured, Telemetry
from neurorack.play.engine.instrument import Instrument, load_instrument
from neurorack.play.engine.modulation.matrix import Modulation
from neurorack.play.engine.output import DcBlocker, Ramp, soft_limit
from neurorack.play.engine.part import Part
from neurorack.play.engine.performer import Performer
from neurorack.play.engine.plain_state import State, gather, scatter
from neurorack.play.engine.rows import MAX_FRAMES
from neurorack.play.engine.sample_queue import Pace, SampleQueue
from neurorack.play.engine.sources.feedback import FeedbackGuard
from neurorack.play.engine.telling import Listening, Telling

__all__ = ["Engine", "load_instrument"]

LONGEST = 8192
"""Samples rendered in one piece; longer blocks are cut."""


class Engine:
    """Plays one instrument; `swap` changes it by a cross-fade. `telemetry` tells what the last block was.

    `render` is called by one thread; `swap` and `set_clips` may be called by another: they prepare there and
    hand over whole. clips: latent clips [Z + C, T] in playing order (None: the instrument's own). meter: the
    engine also measures its own sound (`measured`), which takes time in the sound's thread.
    """

    channels = 2

    def __init__(
        self, instrument: Instrument, clips: Sequence[np.ndarray] | None = None, meter: bool = False
    ) -> None:
        self.sample_rate = instrument.sample_rate
        self.hop = instrument.manifest.hop
        self._modulation = Modulation(self.hop / self.sample_rate)
        self._part = Part(instrument, clips, self._modulation)
        self._performer = Performer(self._modulation)
        self._incoming: Part | None = None
        self._crossfade = Crossfade(self.hop)
        self._pace = Pace(self.hop)
        self._left, self._input = SampleQueue(2), SampleQueue(1)
        self._sound_in = np.zeros((1, self.hop), np.float32)
        self._hears = False
        self._samples = self._frames = 0
        self._blockers = tuple(DcBlocker(self.sample_rate, self.hop) for _ in range(2))
        self._feedback = FeedbackGuard(self.sample_rate, self.hop)
        self._level = Ramp(self.hop, 1.0)
        self._telling = Telling(self.sample_rate)
        self._listening = Listening() if meter else None
        self._first_row = 0

    @property
    def instrument(self) -> Instrument:
        """The instrument being played (during a swap, the new one)."""
        return self._part.instrument

    @property
    def telemetry(self) -> Telemetry:
        """What the last block was; filled when it is asked for, by the thread that renders."""
        return self._telling.telemetry()

    @property
    def measured(self) -> Measured:
        """With `meter`: what the engine hears of itself."""
        return self._listening.measured if self._listening is not None else Measured()

    @property
    def latency_samples(self) -> int:
        """Gate to sound, beyond the device's block, at the block sizes used so far."""
        return self._pace.delay

    @property
    def live_latency_samples(self) -> int:
        """Audio in to audio out, beyond the device's block, at the block sizes used so far."""
        return self.instrument.latency_samples + self._pace.delay

    @property
    def rows(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Latent frames rendered in the last block: (rows [k, Z + C] and amplitudes [k] of the newest voice,
        number of the first).
        """
        played = self._part.rows
        size = self._part.shared.latent + self._part.shared.size
        rows = np.array([row for row, _ in played], np.float32).reshape(-1, size)
        return rows, np.array([gate for _, gate in played], np.float32), self._first_row

    def set_clips(self, clips: Sequence[np.ndarray]) -> None:
        """Play these clips [Z + C, T] from the next frame on."""
        self._part.set_clips(clips)

    def swap(self, instrument: Instrument, clips: Sequence[np.ndarray] | None = None) -> None:
        """Cross-fade to another instrument. Its graphs are warmed here, in the caller's thread.

        Raises NeurorackError if its rate or hop differs from the engine's.
        """
        if (instrument.sample_rate, instrument.manifest.hop) != (self.sample_rate, self.hop):
            raise NeurorackError(
                f"{instrument.name} runs at {instrument.sample_rate} Hz and the player at "
                f"{self.sample_rate} Hz: start the player again with that instrument."
            )
        self._incoming = Part(instrument, clips, self._modulation)

    def render(
        self,
        n: int,
        frame: ControlFrame,
        audio_in: np.ndarray | None = None,
        events: Sequence[Event] = (),
    ) -> np.ndarray:
        """The next n samples: a new array, float32 [2, n].

        audio_in: [n] or [channels, n], the live input. events: what happens in this block, in order.
        """
        started = time.perf_counter()
        out = np.empty((2, n), np.float32)
        if audio_in is not None and audio_in.ndim == 2:
            audio_in = audio_in.mean(axis=0)
        self._part.rows.clear()
        self._first_row = self._frames
        base = self._performer.aim(frame)
        for start in range(0, n, LONGEST):
            end = min(start + LONGEST, n)
            sound_in = None if audio_in is None else audio_in[start:end]
            self._take(end - start, sound_in, [e for e in events if start <= max(e.offset, 0) < end or
                                               (end == n and e.offset >= n)], start)  # fmt: skip
            self._fill(out[:, start:end], frame, base)
        self._telling.tell(out, frame, self._part, self._performer, time.perf_counter() - started)
        return out

    def _take(self, n: int, sound_in: np.ndarray | None, events: Sequence[Event], start: int) -> None:
        """Queue a block's input and events; both wait until the frames that hold them are rendered."""
        grown = self._pace.take(n)
        self._hears = sound_in is not None
        self._input.push_silence(grown)
        if sound_in is None:
            self._input.push_silence(n)
        else:
            self._input.push(sound_in)
        for event in events:
            offset = min(max(event.offset - start, 0), n - 1)
            self._performer.schedule(self._samples + offset + self._pace.delay, event)
        self._samples += n

    def _fill(self, out: np.ndarray, frame: ControlFrame, base: list[float]) -> None:
        """Fill `out` [2, n] with what waits and with as many new frames as it takes."""
        n = out.shape[1]
        done = self._left.pull(out)
        while done < n:
            # What is fed back must have been rendered: then every frame waits for the one before.
            most = 1 if self._performer.feeds_back(self._part) else MAX_FRAMES
            sound = self._render_frames(min(-(-(n - done) // self.hop), most), frame, base)
            take = min(sound.shape[1], n - done)
            out[:, done : done + take] = sound[:, :take]
            done += take
            if take < sound.shape[1]:
                self._left.push(sound[:, take:])

    def _render_frames(self, count: int, frame: ControlFrame, base: list[float]) -> np.ndarray:
        """`count` whole frames of finished sound [2, count * hop]; valid until the next call."""
        if self._incoming is not None:
            # A swap during a cross-fade cuts the older instrument short: the newer two are what matters.
            old, self._part, self._incoming = self._part, self._incoming, None
            if old.shared.base:
                self._crossfade.start(old)
            self._performer.move(old, self._part, frame, base)
        part, hop = self._part, self.hop
        mix = part.begin()
        for _ in range(count):
            self._input.pull(self._sound_in)
            sound_in = self._performer.listen(part, frame, self._sound_in[0], self._hears, self._feedback)
            self._performer.step(part, frame, base, self._frames * hop, sound_in)
            self._crossfade.step(sound_in)
            self._frames += 1
        part.end()
        sound = mix[:, : count * hop]
        stereo = self._crossfade.mix(sound) or part.stereo
        level = self._performer.level(part)
        for t in range(count):
            one = sound[:, t * hop : (t + 1) * hop]
            self._finish(one, stereo, level)
            if self._listening is not None:
                self._listening.feed(one, part, self._frames - count + t + 1)
        soft_limit(sound)
        if self._performer.feeds_back(part):
            self._feedback.write(0.5 * (sound[0] + sound[1]))
        return sound

    def _finish(self, one: np.ndarray, stereo: bool, level: float) -> None:
        """DC blocker and level on one frame [2, hop], in place."""
        left, right = self._blockers
        mono = not stereo and left.same_as(right)
        left.process(one[0])
        if mono:
            right.copy_from(left)
            one[1] = one[0]
        else:
            right.process(one[1])
        self._level.apply(one, level)

    def snapshot(self) -> dict[str, Any]:
        """Everything the sound depends on, between two calls of `render`: numbers and plain arrays.

        An engine that plays the same instrument and clips goes on from it with exactly the same sound. (An
        instrument that is just fading out is left out.)
        """
        numbers = {"samples": self._samples, "frames": self._frames, "level": self._level.value}
        return {name: np.asarray(v) for name, v in {**numbers, **gather(self._parts())}.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a snapshot."""
        numbers: State = {name: v.item() if np.ndim(v) == 0 else v for name, v in state.items()}
        self._samples, self._frames = int(numbers["samples"]), int(numbers["frames"])
        self._level.value = float(numbers["level"])
        self._crossfade.stop()
        scatter(self._parts(), numbers)

    def _parts(self) -> dict[str, Any]:
        return {
            "part": self._part,
            "performer": self._performer,
            "modulation": self._modulation,
            "pace": self._pace,
            "left": self._left,
            "input": self._input,
            "blocker1": self._blockers[0],
            "blocker2": self._blockers[1],
            "feedback": self._feedback,
        }
