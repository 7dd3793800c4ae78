"""Voice: one instrument being played. Source, hand, note and gate become decoder inputs, frame by frame.

Everything advances once a frame, so that the sound does not depend on how frames are grouped into blocks.
"""

import math
from collections.abc import Sequence

import numpy as np

from neurorack.core.level import FLOOR_DB
from neurorack.core.normaliser import OVERSHOOT
from neurorack.play.engine.controlling import F0_RANGE_HZ
from neurorack.play.engine.envelope import Envelope, Glide
from neurorack.play.engine.frame import SMOOTHING_S, ControlFrame, Source
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.live import LiveSource
from neurorack.play.engine.output import Ramp, fade_out_from
from neurorack.play.engine.sources import Anchors, ClipReader, Wander
from neurorack.play.engine.streams import LIVE_FRAMES, DecoderStream

MAX_FRAMES = 16
"""Most frames rendered in one decoder call."""
BLEND_FRAMES = 24
"""Crossfade of source rows when the source jumps (70 ms)."""
HOLD_S = 0.02
"""Time constant with which the hand takes a control over from the source, and lets it go."""


class Voice:
    """Plays one instrument. Made off the audio thread (it warms its graphs), then rendered on it."""

    def __init__(self, instrument: Instrument, clips: Sequence[np.ndarray] | None = None) -> None:
        m = instrument.manifest
        self.instrument = instrument
        self._map = instrument.map
        self.size = self._map.size
        self._latent = m.latent_size
        self._hop = m.hop
        frame_s = m.hop / m.sample_rate
        self._decoder = DecoderStream(instrument.graphs, warm=LIVE_FRAMES)
        self.live = LiveSource(instrument.graphs, self._map)
        self._anchors = Anchors(instrument.anchors_z, instrument.anchors_controls)
        self._wander = Wander(self._anchors, 1.0 / frame_s)
        self.set_clips(instrument.clips if clips is None else clips)
        self._envelope, self._glide = Envelope(frame_s), Glide(frame_s)
        self._gate_ramp = Ramp(m.hop)
        taus = [SMOOTHING_S.get(n, HOLD_S) for n in self._map.names]
        self._follow = np.array([1.0 - math.exp(-frame_s / t) for t in taus], np.float32)
        self._hold_share = np.float32(1.0 - math.exp(-frame_s / HOLD_S))
        self._hand = np.zeros(self.size, np.float32)
        self._weight = np.zeros(self.size, np.float32)
        self._row = np.zeros(self._latent + self.size, np.float32)
        self._from = self._row.copy()
        self._blend = 0
        self._key: tuple[int, ...] = ()
        self._seed = 0
        self._panic = 0
        self._z = np.zeros((1, self._latent, MAX_FRAMES), np.float32)
        self._controls = np.zeros((1, self.size, MAX_FRAMES), np.float32)
        self._level = np.zeros((1, MAX_FRAMES), np.float32)
        self._f0 = np.zeros((1, MAX_FRAMES), np.float32)
        self._gate = np.zeros(MAX_FRAMES)
        self._last_sample = 0.0
        self.asked = self._map.default_controls.copy()
        """Normalised controls last given to the decoder, [C]."""
        self.asked_physical = self._map.defaults.copy()
        self.f0_hz = 0.0
        self.non_finite = 0
        self.position = 0.0
        self.row_size = self._latent + self.size
        self.rows_played: list[tuple[np.ndarray, float]] = []
        """Rows given to the decoder, and envelopes, since the list was last cleared."""
        self._wander.restart(0, 0)

    def set_clips(self, clips: Sequence[np.ndarray]) -> None:
        """Read these clips [Z + C, T]."""
        self._clips = [ClipReader(c) for c in clips]

    def snapshot(self) -> dict[str, np.ndarray]:
        """What the sound depends on."""
        return {"decoder": self._decoder.graph.state.copy(), "noise": np.array(self._decoder.frames)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from a snapshot."""
        self._decoder.graph.state[:] = state["decoder"]
        self._decoder.frames = int(state["noise"])

    @property
    def sounding(self) -> bool:
        """Whether the gate is open or the release still rings."""
        return self._envelope.amplitude > 0.0

    def reset(self) -> None:
        """Silence at once: every stream from zero."""
        self._decoder.reset()
        self.live.reset()
        self._envelope.reset()
        self._gate_ramp.value = 0.0
        self._weight.fill(0.0)
        self._last_sample = 0.0
        self._key = ()

    def render(self, count: int, frame: ControlFrame, audio_in: np.ndarray | None) -> np.ndarray:
        """The next `count` <= MAX_FRAMES frames: float32 [count * hop]. `audio_in` [count * hop] if live."""
        if frame.panic != self._panic:
            self._panic = frame.panic
            self.reset()
        if frame.seed != self._seed:
            self._seed = frame.seed
            self._decoder.seed = frame.seed
            self._wander.restart(abs(frame.seed), self._home(frame))
        gain = 10.0 ** (_number(frame.input_gain_db, 0.0, -60.0, 60.0) / 20.0)
        for t in range(count):
            live = None if audio_in is None else audio_in[t * self._hop : (t + 1) * self._hop]
            self._step(t, frame, live, gain)
        audio = self._decoder.process(
            self._z[:, :, :count], self._controls[:, :, :count], self._level[:, :count], self._f0[:, :count]
        )[0]
        for t in range(count):
            self._finish(audio[t * self._hop : (t + 1) * self._hop], self._gate[t])
        return audio

    def _finish(self, sound: np.ndarray, gate: float) -> None:
        """Guard one frame of sound and open or close it, in place."""
        if not math.isfinite(float(sound.sum())):
            fade_out_from(sound, self._last_sample)
            frames = self._decoder.frames
            self._decoder.reset()
            self._decoder.frames = frames
            self.non_finite += 1
        self._last_sample = float(sound[-1])
        self._gate_ramp.apply(sound, gate)

    def _step(self, t: int, frame: ControlFrame, live: np.ndarray | None, gain: float) -> None:
        """Advance everything by one frame and fill column t of the decoder's inputs."""
        amplitude = self._envelope.step(
            bool(frame.gate),
            _number(frame.velocity, 1.0, 0.0, 1.0),
            _number(frame.attack_s, 0.008, 0.0, 60.0),
            _number(frame.release_s, 0.15, 0.0, 60.0),
        )
        row, physical = self._source_row(frame, live, gain)
        own = row[self._latent :]
        note = (
            self._glide.step(frame.f0_hz, _number(frame.glide_s, 0.0, 0.0, 60.0))
            if self._map.pitch >= 0
            else 0.0
        )
        controls = self._with_hand(own, frame, note)
        values = self._map.all_to_physical(controls, out=self.asked_physical)
        if physical is not None:
            # A live sound may be quieter, higher or lower than the corpus: keep it exact where no hand is.
            for row_index in (self._map.loudness, self._map.pitch):
                if row_index >= 0:
                    shift = values[row_index] - self._map.to_physical(row_index, own[row_index])
                    values[row_index] = physical[row_index] + shift
        gate = 1.0 if amplitude > 0.0 else 0.0
        if self._map.loudness >= 0:
            level = max(values[self._map.loudness] + self._envelope.level_db(), FLOOR_DB)
            values[self._map.loudness] = self._level[0, t] = level
            controls[self._map.loudness] = self._map.to_control(self._map.loudness, level)
        else:
            gate = amplitude * self._envelope.gain
        if self._map.pitch >= 0:
            f0 = note if note > 0.0 else values[self._map.pitch]
            f0 = min(max(f0, F0_RANGE_HZ[0]), F0_RANGE_HZ[1])
            values[self._map.pitch] = self._f0[0, t] = self.f0_hz = f0
            controls[self._map.pitch] = self._map.to_control(self._map.pitch, f0)
        self._z[0, :, t] = row[: self._latent]
        self._controls[0, :, t] = self.asked = controls
        self._gate[t] = gate
        self.rows_played.append((np.concatenate([row[: self._latent], controls]), amplitude))

    def _home(self, frame: ControlFrame) -> int:
        return int(frame.anchor) % len(self._anchors)

    def _source_row(
        self, frame: ControlFrame, live: np.ndarray | None, gain: float
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """(z and own controls, own physical controls if they come from a live sound), one frame."""
        source = int(frame.source)
        if (source == Source.CLIP and not self._clips) or (source == Source.LIVE and live is None):
            source = int(Source.HOLD)
        place = int(frame.clip) % max(len(self._clips), 1) if source == Source.CLIP else self._home(frame)
        key = (source, 0 if source == Source.LIVE else place, self._seed)
        physical = None
        if key != self._key:
            if self._key:
                np.copyto(self._from, self._row)
                self._blend = BLEND_FRAMES
            if source == Source.LIVE and self._key[:1] != (source,):
                self.live.reset()
            self._key = key
        if source == Source.CLIP:
            clip = self._clips[place]
            if self._envelope.rose and frame.retrigger:
                clip.restart()
            speed = _number(frame.clip_speed, 1.0, -8.0, 8.0)
            row = clip.read(speed, _number(frame.clip_start, 0.0, 0, 1), _number(frame.clip_end, 1.0, 0, 1))
            self.position = clip.position
        elif source == Source.WANDER:
            rate = _number(frame.wander_rate_hz, 0.25, 0.0, 50.0)
            row = self._wander.wander(place, rate, _number(frame.wander_depth, 1.0, 0.0, 1.0))
            self.position = float(self._wander.nearest())
        elif source == Source.LIVE:
            row = self.live.step(live, gain)  # type: ignore[arg-type]
            physical = self.live.physical
        else:
            row = self._wander.hold(place, _number(frame.life, 0.0, 0.0, 1.0))
            self.position = float(place)
        if self._blend > 0:
            share = np.float32(self._blend / (BLEND_FRAMES + 1))
            np.copyto(self._row, row + share * (self._from - row))
            self._blend -= 1
            return self._row, None
        np.copyto(self._row, row)
        return self._row, physical

    def _with_hand(self, own: np.ndarray, frame: ControlFrame, note: float) -> np.ndarray:
        """Own controls [C] -> what is asked: the hand's where it holds, the others by insist. A new array."""
        n = self.size
        asked = np.clip(frame.asked[:n], -OVERSHOOT, OVERSHOOT)
        if not math.isfinite(float(asked.sum())):
            asked = np.where(np.isfinite(asked), asked, self._hand)
        held = frame.held[:n]
        # A control just taken starts at the hand's value and is faded in by its weight.
        idle = self._weight < 0.01
        self._hand += np.where(idle, 1.0, self._follow) * (asked - self._hand)
        self._weight += self._hold_share * (held - self._weight)
        self._weight[self._weight < 1e-3] = 0.0
        pitch = self._map.pitch
        delta = self._weight * (self._hand - own)
        if note > 0.0:
            delta[pitch] = self._map.to_control(pitch, note) - own[pitch]
        insist = _number(frame.insist, 1.0, 0.0, 1.0)
        moved = self._weight > 0.0
        if note > 0.0:
            moved[pitch] = True
        if insist < 1.0 and moved.any():
            rows = np.flatnonzero(moved)
            controls = self.instrument.coupling.move_others(own, tuple(rows), delta[rows], insist)
            if pitch >= 0 and not moved[pitch]:
                controls[pitch] = own[pitch]
            return controls
        return own + delta


def _number(value: float, default: float, low: float, high: float) -> float:
    """`value` within low..high; NaN becomes the default."""
    return min(max(value, low), high) if value == value else default
