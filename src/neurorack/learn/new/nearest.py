"""The instrument whose sounds are distributed most like those of a corpus: what training best begins with.

Distance of a corpus to an instrument: for every control, the corpus' quantiles (65, from 0.2 % to 99.8 %, of
its sounding frames) are mapped by the instrument's own normaliser to its units, where its own corpus has them
at equal steps from -1 to 1; the mean absolute difference from those steps, over quantiles and controls. That
is the area between the two distributions: 0 where they are alike, 0.5 where one is shifted by a quarter of
the instrument's range, 1.25 at most where the corpus lies beyond its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.library import installed
from neurorack.core.manifest import Control, Manifest
from neurorack.core.normaliser import Normaliser
from neurorack.core.nrk import read_manifest
from neurorack.learn.model.config import ModelConfig

NO_SHAPE = ("controls", "response_frames")
"""Fields of a model's configuration that change no weight's shape. Controls are compared by name."""


@dataclass(frozen=True)
class Neighbour:
    """An instrument to begin with: its file, what people call it, the order of its controls, its distance."""

    path: Path
    title: str
    controls: tuple[str, ...]
    distance: float


def distance(normalisers: dict[str, Normaliser], controls: Sequence[Control]) -> float:
    """Distance of a corpus (its fitted `normalisers`) to the instrument with `controls`: in [0, 1.25]."""
    apart = []
    for control in controls:
        knots = np.asarray(normalisers[control.name].knots)
        heard = control.normaliser.to_control(knots)
        apart.append(float(np.abs(heard - np.linspace(-1.0, 1.0, len(knots))).mean()))
    return float(np.mean(apart))


def fits(manifest: Manifest, wanted: ModelConfig) -> bool:
    """Whether an instrument's weights fit the wanted model: same controls, sample rate, architecture."""
    architecture: dict[str, Any] = {
        key: value for key, value in manifest.architecture.items() if key not in ("family", "size")
    }
    try:
        theirs = ModelConfig.from_dict(architecture).to_dict()
    except TypeError:  # not one of our models
        return False
    mine = wanted.to_dict()
    if {c.name for c in manifest.controls} != set(wanted.controls):
        return False
    return all(theirs[key] == value for key, value in mine.items() if key not in NO_SHAPE)


def nearest(normalisers: dict[str, Normaliser], wanted: ModelConfig) -> Neighbour | None:
    """The installed instrument (bundled or the user's) nearest to a corpus, of those that fit; None: none."""
    found: list[Neighbour] = []
    for entry in installed():
        if entry.fault:
            continue
        try:
            manifest = read_manifest(entry.path)
        except NeurorackError:
            continue
        if fits(manifest, wanted):
            names = tuple(c.name for c in manifest.controls)
            apart = distance(normalisers, manifest.controls)
            found.append(Neighbour(entry.path, entry.title, names, apart))
    return min(found, key=lambda n: n.distance, default=None)
