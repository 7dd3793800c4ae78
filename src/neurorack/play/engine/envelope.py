"""Gate, velocity and note: the envelope that opens and closes the sound, and the glide between pitches."""

import math

SILENT = 10.0 ** (-90.0 / 20.0)
"""Amplitude under which a released sound has ended."""


class Envelope:
    """Amplitude 0..1 a frame at a time: straight attack, exponential release. `release_s` falls 60 dB."""

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self.amplitude = 0.0
        self.gain = 1.0
        self._gate = False
        self.rose = False
        """Whether the gate rose at this frame."""

    def reset(self) -> None:
        """Closed and silent at once."""
        self.amplitude, self._gate, self.rose = 0.0, False, False

    def step(self, gate: bool, velocity: float, attack_s: float, release_s: float) -> float:
        """The next frame's amplitude (without velocity, which `gain` holds since the gate rose)."""
        self.rose = gate and not self._gate
        if self.rose:
            # 40 log10(velocity) dB: amplitude grows with velocity squared, as MIDI instruments do.
            self.gain = max(min(velocity, 1.0), 0.05) ** 2
        self._gate = gate
        if gate:
            rise = self._frame_s / max(attack_s, self._frame_s)
            self.amplitude = min(1.0, self.amplitude + rise)
        elif self.amplitude > 0.0:
            self.amplitude *= 10.0 ** (-3.0 * self._frame_s / max(release_s, 0.005))
            if self.amplitude < SILENT:
                self.amplitude = 0.0
        return self.amplitude

    def level_db(self) -> float:
        """Envelope and velocity together, dB, at least -90."""
        return 20.0 * math.log10(max(self.amplitude * self.gain, SILENT))


class Glide:
    """Pitch of the note, moving in a straight line in octaves from note to note."""

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self._octave: float | None = None
        self._target = 0.0
        self._step = 0.0

    def step(self, f0_hz: float, glide_s: float) -> float:
        """f0 of the next frame, Hz; 0 while there is no note."""
        if not f0_hz > 0.0 or f0_hz == math.inf:
            self._octave = None
            return 0.0
        target = math.log2(f0_hz)
        if self._octave is None:
            self._octave = self._target = target
            self._step = 0.0
        elif target != self._target:
            self._target = target
            frames = max(glide_s / self._frame_s, 1.0)
            self._step = (target - self._octave) / frames
        if self._octave != self._target:
            left = self._target - self._octave
            self._octave = self._target if abs(left) <= abs(self._step) else self._octave + self._step
        # Exactly the note once there: log2 and back would be off by a rounding.
        return f0_hz if self._octave == self._target else 2.0**self._octave
