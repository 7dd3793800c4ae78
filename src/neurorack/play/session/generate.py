"""Generating: the instrument plays by itself into blocks of sound, as fast as the machine can."""

from collections.abc import Iterator, Mapping

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.play.engine.engine import Engine
from neurorack.play.engine.frame import ControlFrame, Source
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.requests import Amount
from neurorack.play.engine.sources.breath import ENDLESS_S
from neurorack.play.session.variety import STEP

BLOCK = 2048
END_S = 0.4
"""The gate closes so long before the end: the file ends in silence."""


class Generation:
    """One performance of the priors. Iterate over `blocks()`; `rows` then holds what was played.

    held: controls that are held, by name. bpm: the clock's tempo, which the prior then hears. breath_s: the
    longest that a note lasts. The same seed and settings give the same sound. Raises NeurorackError for an
    instrument without priors.
    """

    def __init__(
        self,
        instrument: Instrument,
        seconds: float,
        seed: int = 0,
        held: Mapping[str, Amount] | None = None,
        surprise: float = 1.0,
        bpm: float | None = None,
        breath_s: float = ENDLESS_S,
    ) -> None:
        if instrument.manifest.prior is None:
            raise NeurorackError(
                f"{instrument.name} does not play by itself yet: "
                f"neurorack prior {instrument.name} CORPUS trains it to."
            )
        self.instrument = instrument
        self.samples = round(seconds * instrument.sample_rate)
        self.rows = np.zeros((0, instrument.manifest.latent_size + instrument.map.size), np.float32)
        """float32 [T, Z + C]: z and controls as played, every STEP frames."""
        # Whatever else varies is the prior's to vary.
        frame = ControlFrame(source=Source.PRIOR, seed=seed, surprise=surprise, life=0.0, gate=True)
        frame.release_s = END_S
        if bpm is not None:
            frame.tempo_bpm, frame.prior_clock = bpm, 1.0
        frame.prior_breath_s = breath_s
        controls = instrument.map
        for name, amount in (held or {}).items():
            row = controls.index(name)
            travel = amount.kind == "travel"
            value = 2.0 * amount.value - 1.0 if travel else float(controls.to_control(row, amount.value))
            frame.asked[row], frame.held[row] = value, True
        self._frame = frame

    def blocks(self) -> Iterator[np.ndarray]:
        """Mono sound, float32 [n] each, `samples` in all."""
        engine, frame = Engine(self.instrument), self._frame
        end = self.samples - round(END_S * engine.sample_rate)
        kept = [self.rows]
        done = 0
        while done < self.samples:
            frame.gate = done < end
            sound = engine.render(min(BLOCK, self.samples - done), frame)[0]
            done += len(sound)
            rows, _, first = engine.rows
            if frame.gate:
                kept.append(rows[-first % STEP :: STEP])
            yield sound
        self.rows = np.concatenate(kept)
