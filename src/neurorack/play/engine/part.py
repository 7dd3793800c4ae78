"""Part: an instrument with its voices, live input and map: everything that changes when another is chosen."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.play.engine.frame import MAX_CONTROLS, MAX_PATH, ControlFrame, Origin, Source
from neurorack.play.engine.ghost import FRAMES, Ghost
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.latent_map import LatentMap
from neurorack.play.engine.live import LiveSource
from neurorack.play.engine.modulation.matrix import Modulation
from neurorack.play.engine.params import PARAM_INDEX, PARAMS
from neurorack.play.engine.plain_state import State, gather, scatter, under
from neurorack.play.engine.proposing import Proposing
from neurorack.play.engine.rows import MAX_FRAMES, DecoderRows, Row
from neurorack.play.engine.shared import Shared
from neurorack.play.engine.sources.motion import MapMotion
from neurorack.play.engine.tail import Tail
from neurorack.play.engine.tone import Clips
from neurorack.play.engine.voice import Voice

MAX_VOICES = 4
MOST_GHOSTS = 8
"""Notes that fade at once; the oldest give way."""
_WIDTH, _MOTION, _X, _Y, _RADIUS, _RATE = (
    PARAM_INDEX[name] for name in ("width", "map_motion", "map_x", "map_y", "map_radius", "map_rate_hz")
)


class Part:
    """Renders frames. Made off the audio thread (it warms its graphs), then used on it."""

    def __init__(
        self, instrument: Instrument, clips: Sequence[np.ndarray] | None, modulation: Modulation
    ) -> None:
        if instrument.map.size > MAX_CONTROLS:
            raise NeurorackError(
                f"The instrument {instrument.name} has {instrument.map.size} controls: "
                f"the player takes at most {MAX_CONTROLS}."
            )
        self.instrument = instrument
        self.hop = instrument.manifest.hop
        self.shared = Shared(instrument, modulation)
        self.shared.flush, self.shared.before_start = self._flush, self._before_start
        self._decoder = DecoderRows(instrument.graphs, instrument.lead_in)
        made = Clips(instrument.clips if clips is None else clips)
        self.voices = [Voice(self.shared, made, self._decoder) for _ in range(MAX_VOICES)]
        self.live = LiveSource(instrument.graphs, instrument.map)
        self._live_runs = False
        self.proposing = Proposing(self.shared)
        self.map = LatentMap(self.shared.anchors)
        self.motion = MapMotion(self.shared.frame_s)
        self._ghosts: list[Ghost] = []
        self._clips: Clips | None = None
        self._first = self._column = 0
        self._playing: list[Voice] = []
        """Voices whose rows the frames since the last flush are decoded in."""
        self._mix = np.zeros((2, MAX_FRAMES * self.hop), np.float32)
        self.stereo = False
        """Whether left and right have differed in the last frames rendered."""
        self.non_finite = 0
        self.rows: list[tuple[np.ndarray, float]] = []
        """(row [Z + C] as decoded, amplitude) of the newest voice, every frame since last cleared."""

    @property
    def newest(self) -> Voice:
        """The voice started last."""
        return max(self.voices, key=lambda voice: voice.serial)

    def set_clips(self, clips: Sequence[np.ndarray]) -> None:
        """Read these from the next frame on. May be called by another thread."""
        self._clips = Clips(clips)

    def silence(self) -> None:
        """Everything off at once."""
        self._decoder.take_out()
        self._ghosts.clear()
        for voice in self.voices:
            voice.silence()
        self.shared.hand.reset()
        self.live.reset()
        self.proposing.reset()

    def reseed(self, seed: int, home: int) -> None:
        """Start everything random afresh."""
        self.shared.variation.restart(seed)
        self.proposing.restart(seed)
        for n, voice in enumerate(self.voices):
            voice.tone.reseed(abs(seed) * MAX_VOICES + n, home)

    def aim(self, frame: ControlFrame, base: list[float]) -> None:
        """The frame and its parameters, within their ranges, for the frames to come."""
        self.shared.frame, self.shared.base = frame, base
        self.shared.hand.aim(frame)
        self.shared.asking.aim(frame)

    def begin(self) -> np.ndarray:
        """Start a run of up to MAX_FRAMES frames. Returns where they are mixed: [2, MAX_FRAMES * hop]."""
        if self._clips is not None:
            clips, self._clips = self._clips, None
            for voice in self.voices:
                voice.tone.set_clips(clips)
        self._first = self._column = 0
        self._mix.fill(0.0)
        self.stereo = False
        return self._mix

    def step(self, sound_in: np.ndarray | None) -> None:
        """Advance all that is not decoded by a frame; events of the frame have been obeyed before."""
        shared = self.shared
        newest = self.newest
        shared.hand.step()
        shared.step_width(newest.modulation.values[_WIDTH])
        self._listen(sound_in)
        self.proposing.step(self.voices, newest, self.live.power)
        self._move_on_map(newest.modulation.values)
        self._fit_width()
        if self._column == 0:
            self._playing = [voice for voice in self.voices if voice.on]
        for voice in self._playing:
            voice.step(self._column)
        if newest not in self._playing:
            # Silent, but its needles move.
            newest.step(self._column)
        latent = shared.latent
        row = np.empty(latent + shared.size, np.float32)
        row[:latent] = newest.left.z[:, self._column]
        row[latent:] = newest.asked
        self.rows.append((row, newest.amplitude))
        self._column += 1

    def _fit_width(self) -> None:
        """Give sounding voices a second row when left and right are to differ, and take it away after."""
        wide = self.shared.width > 0.0
        if any(voice.on and voice.stereo != wide for voice in self.voices):
            self._flush()
            self._decoder.take_out()
            for voice in self.voices:
                if wide and voice.on and not voice.stereo:
                    voice.widen()
                elif not wide:
                    voice.stereo = False

    def _listen(self, sound_in: np.ndarray | None) -> None:
        """Encode and measure the live input, if anything reads it."""
        shared = self.shared
        wanted = sound_in is not None and (
            shared.frame.source == Source.LIVE or shared.asking.wants(Origin.LIVE) or self.proposing.hears
        )
        if wanted and not self._live_runs:
            self.live.reset()
        self._live_runs = wanted
        if wanted:
            assert sound_in is not None
            starts = any(voice.on and voice.left.fresh for voice in self.voices)
            shared.live = self.live.step(sound_in, starts)
            shared.live_controls = shared.live[shared.latent :].tolist()
            shared.live_physical = self.live.physical.tolist()
        else:
            shared.live = shared.live_controls = shared.live_physical = None

    def _move_on_map(self, values: list[float]) -> None:
        """Move the place on the map, while it is played."""
        shared, frame = self.shared, self.shared.frame
        if frame.source != Source.MAP:
            shared.place = None
            return
        x, y = self.motion.step(
            int(values[_MOTION]),
            values[_X],
            values[_Y],
            values[_RADIUS],
            values[_RATE],
            frame.path,
            int(min(max(frame.path_points, 0), MAX_PATH)),
        )
        shared.place = self.map.row_at(x, y)
        shared.place_anchor = self.map.nearest(x, y)

    def place(self, voice: Voice) -> tuple[float, float]:
        """Where a voice stands on the map; for a tone that is held, that of its anchor."""
        if self.shared.frame.source == Source.MAP:
            return self.motion.x, self.motion.y
        if self.shared.frame.source in (Source.PRIOR, Source.CLIP, Source.LIVE):
            x, y = self.map.place_of(voice.tone.row)[0].tolist()
            return x, y
        x, y = self.map.points[voice.tone.nearest()].tolist()
        return x, y

    def end(self) -> None:
        """Decode what has been stepped since `begin`."""
        self._flush()

    def _flush(self) -> None:
        """Decode the columns filled so far into the mix."""
        count, hop = self._column, self.hop
        if count == 0:
            return
        voices = self._playing
        rows = [row for voice in voices for row in voice.rows]
        if rows:
            audio = self._decoder.process(rows, count, self.shared.likeness)
            for t in range(count):
                at = slice((self._first + t) * hop, (self._first + t + 1) * hop)
                place = 0
                for voice in voices:
                    gate = voice.gains[t]
                    for channel, row in enumerate(voice.rows):
                        both = not voice.stereo
                        self._finish(
                            row, voice.tails[channel], audio[place], t, gate, at, 2 if both else channel
                        )
                        place += 1
        for t in range(min(count, FRAMES) if self._ghosts else 0):
            self._haunt(slice((self._first + t) * hop, (self._first + t + 1) * hop))
        self._first += count
        self._column = 0

    def _finish(
        self, row: Row, tail: Tail, audio: np.ndarray, t: int, gate: float, at: slice, channel: int
    ) -> None:
        sound = tail.finish(audio[t * self.hop : (t + 1) * self.hop], gate)
        if tail.failed:
            self._decoder.take_out()
            row.memory.fill(0.0)
            self.non_finite += 1
        self._add(sound, at, channel)

    def _add(self, sound: np.ndarray, at: slice, channel: int) -> None:
        if channel == 2:
            self._mix[0, at] += sound
            self._mix[1, at] += sound
        else:
            self.stereo = True
            self._mix[channel, at] += sound

    def _haunt(self, at: slice) -> None:
        """Add a frame of every ghost, and let go of those that have ended."""
        for ghost in self._ghosts:
            self._add(ghost.next(), at, ghost.channel)
        self._ghosts = [ghost for ghost in self._ghosts if not ghost.gone]

    def _before_start(self, voice: object, sample: int) -> None:
        """What still sounds of a voice that starts again fades from `sample` on."""
        assert isinstance(voice, Voice)
        self._flush()
        self._decoder.take_out()
        if not voice.on or voice.left.fresh:
            return  # nothing of it has been heard: a note replaced within its first frame is left out
        channels = (0, 1) if voice.stereo else (2,)
        for channel, tail in zip(channels, voice.tails, strict=False):
            ghost = Ghost(self.hop, channel)
            ghost.haunt(tail.heard, sample)
            self._ghosts.append(ghost)
        del self._ghosts[:-MOST_GHOSTS]

    def state(self) -> State:
        """Everything later frames depend on."""
        self._decoder.take_out()
        voices = {f"voice{n}": voice for n, voice in enumerate(self.voices)}
        ghosts = {f"ghost{n}": ghost for n, ghost in enumerate(self._ghosts)}
        return {
            "ghosts": len(self._ghosts),
            "live_runs": int(self._live_runs),
            **gather({"shared": self.shared, "live": self.live, "motion": self.motion, **voices, **ghosts}),
            **gather({"proposing": self.proposing}),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self._decoder.take_out()
        voices = {f"voice{n}": voice for n, voice in enumerate(self.voices)}
        scatter({"shared": self.shared, "live": self.live, "motion": self.motion, **voices}, state)
        self.proposing.restore(under("proposing", state))
        for voice in self.voices:
            # A take of before a parameter was there: it stands at its default.
            values = voice.modulation.values
            values += [spec.default for spec in PARAMS[len(values) :]]
        self._live_runs = bool(state["live_runs"])
        self._ghosts = []
        for n in range(int(state["ghosts"])):
            ghost = Ghost(self.hop)
            ghost.restore(under(f"ghost{n}", state))
            self._ghosts.append(ghost)
