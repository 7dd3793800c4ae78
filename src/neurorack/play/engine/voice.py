"""Voice: one note being played. Tone, hand, modulation, note and gate become a decoder row's inputs.

Everything advances once a frame, so that the sound does not depend on how frames are grouped into blocks.
What happens at a sample within a frame: see tail.py.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.core.level import FLOOR_DB
from neurorack.core.normaliser import OVERSHOOT
from neurorack.play.engine.controlling import F0_RANGE_HZ
from neurorack.play.engine.crossing import Crossing
from neurorack.play.engine.envelope import Ebb, Envelope, Glide, velocity_db
from neurorack.play.engine.frame import Origin, Source
from neurorack.play.engine.modulation.voice import VoiceModulation
from neurorack.play.engine.notes import Key
from neurorack.play.engine.params import PARAM_INDEX
from neurorack.play.engine.plain_state import State, attributes, gather, scatter, set_attributes, under
from neurorack.play.engine.rows import MAX_FRAMES, DecoderRows, Row
from neurorack.play.engine.shared import Shared
from neurorack.play.engine.tail import NEVER, Tail
from neurorack.play.engine.tone import Clips, Tone

(_INSIST, _LIFE, _DYNAMICS, _GLIDE, _ATTACK, _RELEASE, _TUNE) = (
    PARAM_INDEX[name]
    for name in ("insist", "life", "dynamics", "glide_s", "attack_s", "release_s", "tune_cents")
)
DYNAMICS_FRAMES = 3.0
"""Time constant with which a held voice takes another velocity."""
TONE_DB_PER_S, TONE_MOST_DB = 30.0, 40.0
"""How far below its loudness a note's tone begins, by the length of its attack, and at most."""
LEAN_S = 0.05
"""Time constant with which the pitch leaves a key for what no key gives."""
_NUMBERS = (
    "gate",
    "serial",
    "f0_hz",
    "_dynamics_db",
    "_trigger",
    "_release_due",
    "stereo",
    "ended",
    "_varies",
    "_cents",
    "_variation",
    "_noted",
    "_leant",
)


class Voice:
    """Plays one key at a time; `left` and, in stereo, `right` are its rows."""

    def __init__(self, shared: Shared, clips: Clips, decoder: DecoderRows) -> None:
        self._shared = shared
        self.modulation = VoiceModulation(shared.frame_s)
        self.tone = Tone(shared.anchors, clips, 1.0 / shared.frame_s)
        self._envelope, self._glide = Envelope(shared.frame_s), Glide(shared.frame_s)
        self._ebb = Ebb(shared.frame_s)
        self._crossing = Crossing(shared.size, shared.frame_s)
        self.left, self.right = decoder.new_row(), decoder.new_row()
        self.tails = (Tail(shared.hop), Tail(shared.hop))
        self.stereo = False
        self.key: Key | None = None
        self.gate = False
        self.serial = 0
        """Which note of the engine this is: the larger, the newer."""
        self._next_key: Key | None = None
        self._release_due = False
        self._trigger = False
        self.ended = True
        """Whether the sound has ended (its row may be dropped)."""
        self._dynamics_db = 0.0
        self._varies = False
        self._cents = 0.0
        self._variation = np.zeros(shared.latent + shared.size, np.float32)
        self._row = self._variation.copy()
        self.gains = np.zeros(MAX_FRAMES)
        self.amplitude = 0.0
        self.asked = [0.0] * shared.size
        """Normalised controls last given to the decoder."""
        self.asked_physical = [0.0] * shared.size
        self.source_controls = [0.0] * shared.size
        self.played = [0.0] * shared.size
        """Normalised controls before the envelope: what a prior goes on from."""
        self._noted = False
        """Whether a key gave the last pitch."""
        self._leant = 0.0
        """Octaves that are left of the way from a key's pitch to one that no key gives."""
        self._keep = math.exp(-shared.frame_s / LEAN_S)
        self.f0_hz = 0.0

    @property
    def on(self) -> bool:
        """Whether the gate is open or the release still rings."""
        return not self.ended

    @property
    def rows(self) -> list[Row]:
        """Its decoder rows."""
        return [self.left, self.right] if self.stereo else [self.left]

    def silence(self) -> None:
        """At once, keeping nothing."""
        self.key = self._next_key = None
        self.gate = self._release_due = False
        self.ended = True
        self.stereo = False
        self._envelope.reset()
        self._glide.reset()
        self._ebb.reset()
        self._crossing.reset()
        self._noted, self._leant = False, 0.0
        self.amplitude = 0.0

    def start(self, key: Key, sample: int) -> None:
        """Begin `key` from silence at `sample` of the frame to come."""
        shared = self._shared
        shared.before_start(self, sample)
        shared.triggers += 1
        values, source = shared.base, shared.frame.source
        self.silence()
        self.key, self.gate, self.ended = key, True, False
        seed = self._seed(key, values[_LIFE])
        live = source == Source.LIVE
        for row, tail in zip((self.left, self.right), self.tails, strict=True):
            row.start(seed)
            # A live sound is under way already: a delay would only make it later.
            tail.start(0 if live else sample, sample if live and sample else NEVER)
        if shared.width > 0.0:
            self.widen()
        self._vary(values[_LIFE])
        self.tone.start(seed, source, bool(shared.frame.retrigger), values[_LIFE] == 0.0)
        self.modulation.reset()
        self.modulation.start(key.velocity, key.f0_hz)
        self._trigger = True
        self._dynamics_db = velocity_db(key.velocity, values[_DYNAMICS])

    def _seed(self, key: Key, life: float) -> int:
        """Of everything random in this trigger. Without life the same note always has the same."""
        number = self._shared.frame.seed * 1_000_003 + round(key.f0_hz * 16.0) * 7919
        if life > 0.0:
            number += self._shared.triggers * 104_729
        return abs(number) % (1 << 31)

    def _vary(self, life: float) -> None:
        """What makes this trigger its own."""
        shared = self._shared
        self._varies = life > 0.0
        if self._varies:
            self._variation[:] = shared.variation.next(int(shared.frame.anchor) % len(shared.anchors), life)
            self._cents = shared.variation.cents
        else:
            self._variation.fill(0.0)
            self._cents = 0.0

    def widen(self) -> None:
        """Become stereo: the right goes on as the left does (rows taken out of the stream)."""
        self.right.copy_from(self.left)
        self.right.seed = self.left.seed ^ 0x2545F491
        self.right.like_left = True
        self.tails[1].copy_from(self.tails[0])
        self.stereo = True

    def change(self, key: Key, sample: int) -> None:
        """Go over to another key without a new attack."""
        if sample <= self.tails[0].delay:
            self._take(key)
        else:
            self._next_key = key

    def _take(self, key: Key) -> None:
        self.key = key
        self.modulation.velocity = key.velocity
        self.modulation.set_note(key.f0_hz)

    def release(self, sample: int) -> None:
        """Close the gate: the sound falls from `sample` on, the decoder follows from its next frame on."""
        self._shared.flush()
        until = self.tails[0].delay
        if sample <= until:
            self.gate = False
        else:
            until += self._shared.hop
            self._release_due = True
        for tail in self.tails:
            tail.fall(sample, until, self.modulation.values[_RELEASE], self._shared.sample_rate)

    def step(self, column: int) -> None:
        """Advance everything by one frame and fill a column of the rows' inputs."""
        shared = self._shared
        frame, asking = shared.frame, shared.asking
        modulation, key = self.modulation, self.key
        if key is not None:
            modulation.pressure, modulation.timbre = key.pressure, key.timbre
        modulation.step(self.gate, modulation.values, self._trigger)
        self._trigger = False
        shared.modulation.apply(modulation, shared.base)
        values = modulation.values
        amplitude = self._envelope.step(self.gate, values[_ATTACK], values[_RELEASE])
        home = frame.anchor if key is None or key.tone < 0 else key.tone
        row = self.tone.step(
            frame, values, home, shared.live, shared.place, shared.place_anchor, shared.proposed
        )
        dynamics_db = self._dynamics(values)
        if frame.source != Source.LIVE and (self._varies or dynamics_db):
            row = self._shaded(row, dynamics_db)
        own = row[shared.latent :].tolist()
        other = self.tone.other(frame, values) if asking.wants(Origin.OTHER) else None
        other_controls = None if other is None else other[shared.latent :].tolist()
        base = asking.base(own, other_controls, shared.live_controls, shared.proposed_controls)
        self._crossing.step(base, asking.origins)
        note = self._note_hz(values)
        pitch, loudness = asking.pitch, asking.loudness
        to_control, to_physical = asking.map.to_control, asking.map.to_physical
        controls = asking.asked(
            base, to_control[pitch](note) if note > 0.0 else None, values[_INSIST], dynamics_db
        )
        travels = modulation.travels
        if shared.modulation.active:
            for i in range(shared.size):
                if i != pitch and travels[i]:
                    controls[i] = min(max(controls[i] + 2.0 * travels[i], -OVERSHOOT), OVERSHOOT)
        self.played = controls[:]
        physical = [to_physical[i](controls[i]) for i in range(shared.size)]
        if frame.source == Source.LIVE and shared.live_physical is not None and not self.tone.blending:
            # A live sound may be quieter, higher or lower than the corpus: keep it exact where no hand is.
            for i in (loudness, pitch):
                if i >= 0:
                    physical[i] += shared.live_physical[i] - to_physical[i](own[i])
        elif loudness >= 0:
            physical[loudness] += self._ebb.step(controls[loudness])
        if loudness >= 0:
            # The decoder falls by itself, but it is opened from outside: its gain stage lets through more
            # than is asked while a level rises. Its tone follows where the attack is slow enough.
            opened = self._envelope.opened
            full = physical[loudness] + dynamics_db + self._envelope.fallen_db()
            tone = full - (1.0 - opened) * min(TONE_DB_PER_S * values[_ATTACK], TONE_MOST_DB)
            physical[loudness] = tone = max(tone, FLOOR_DB)
            controls[loudness] = to_control[loudness](tone)
            gain = opened if amplitude > 0.0 else 0.0
            self.left.level_db[column] = max(full, FLOOR_DB)
        else:
            gain = amplitude * 10.0 ** (dynamics_db / 20.0)
        if pitch >= 0:
            f0 = (note if note > 0.0 else physical[pitch]) * 2.0 ** travels[pitch]
            f0 = min(max(self._lean_away(f0, note > 0.0), F0_RANGE_HZ[0]), F0_RANGE_HZ[1])
            physical[pitch] = self.f0_hz = f0
            controls[pitch] = to_control[pitch](f0)
            self.left.f0_hz[column] = f0
        self.left.z[:, column] = row[: shared.latent]
        self.left.controls[:, column] = controls
        if self.stereo:
            self._fill_right(column)
        self.gains[column] = gain
        self.amplitude = amplitude
        self.asked, self.asked_physical, self.source_controls = controls, physical, own
        self.ended = amplitude == 0.0 and not self.gate
        if self._next_key is not None:
            self._take(self._next_key)
            self._next_key = None
        if self._release_due:
            self.gate = self._release_due = False

    def _shaded(self, row: np.ndarray, dynamics_db: float) -> np.ndarray:
        """The tone's row with this trigger's variation, leaning towards its dynamic layer."""
        shared = self._shared
        np.add(row, self._variation, out=self._row)
        source = shared.frame.source
        if source == Source.PRIOR:  # which may have gone to the end by itself
            np.clip(self._row[shared.latent :], -OVERSHOOT, OVERSHOOT, out=self._row[shared.latent :])
        if dynamics_db and shared.layer is not None and source not in (Source.CLIP, Source.PRIOR):
            anchor = shared.place_anchor if source == Source.MAP else self.tone.nearest()
            self._row[: shared.latent] += shared.layer.lean(anchor, -dynamics_db)
        return self._row

    def _fill_right(self, column: int) -> None:
        left, right, apart = self.left, self.right, self._shared.apart
        right.z[:, column] = left.z[:, column] - apart
        left.z[:, column] += apart
        right.controls[:, column] = left.controls[:, column]
        right.level_db[column] = left.level_db[column]
        right.f0_hz[column] = left.f0_hz[column]

    def _lean_away(self, f0_hz: float, noted: bool) -> float:
        """Where the prior takes the pitch over from a key, it leaves the key's without a step."""
        if noted or self._shared.proposed is None:
            self._leant = 0.0
        elif self._noted and self.f0_hz > 0.0:
            self._leant = math.log2(self.f0_hz / f0_hz)
        else:
            self._leant *= self._keep
        self._noted = noted
        return f0_hz * 2.0**self._leant if self._leant else f0_hz

    def _note_hz(self, values: list[float]) -> float:
        """The note's pitch in this frame; 0 without one."""
        key = self.key
        if key is None or self._shared.asking.pitch < 0:
            return 0.0
        if key.jump:
            self._glide.jump()
            key.jump = False
        f0_hz = self._glide.step(key.f0_hz, values[_GLIDE])
        if f0_hz > 0.0:
            octaves = key.bend + self._shared.bend + (values[_TUNE] + self._cents) / 1200.0
            if octaves:
                f0_hz *= 2.0 ** min(max(octaves, -8.0), 8.0)
        return f0_hz

    def _dynamics(self, values: list[float]) -> float:
        """By how much velocity lowers the loudness now, dB."""
        target = 0.0 if self.key is None else velocity_db(self.key.velocity, values[_DYNAMICS])
        if target != self._dynamics_db:
            self._dynamics_db += (target - self._dynamics_db) / DYNAMICS_FRAMES
            if math.fabs(target - self._dynamics_db) < 0.01:
                self._dynamics_db = target
        return self._dynamics_db

    def _parts(self) -> dict:
        return {
            "crossing": self._crossing,
            "modulation": self.modulation,
            "tone": self.tone,
            "envelope": self._envelope,
            "glide": self._glide,
            "ebb": self._ebb,
            "left": self.left,
            "right": self.right,
            "tail1": self.tails[0],
            "tail2": self.tails[1],
        }

    def state(self) -> State:
        """Everything later frames depend on (its rows taken out of the stream before)."""
        keys = [Key(-1, 0.0, 0.0) if key is None else key for key in (self.key, self._next_key)]
        there = [self.key is not None, self._next_key is not None]
        return {
            **attributes(self, _NUMBERS),
            "amplitude": self.amplitude,
            "played": np.array(self.played),
            "keys": np.array([key.state() for key in keys]),
            "there": np.array(there),
            **gather(self._parts()),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave (older takes lack what came later)."""
        state = {"_noted": 0, "_leant": 0.0, "played": np.array(self.played), **state}
        set_attributes(self, _NUMBERS, state)
        self.played = state["played"].tolist()
        self.amplitude = float(state["amplitude"])
        keys = [Key.restore(row) for row in state["keys"]]
        self.key, self._next_key = (k if t else None for k, t in zip(keys, state["there"], strict=True))
        parts = self._parts()
        for name in ("crossing", "ebb"):
            if not under(name, state):
                parts.pop(name).reset()
        scatter(parts, state)
