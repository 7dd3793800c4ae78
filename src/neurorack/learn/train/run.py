"""A run: a folder with run.json (everything needed to rebuild the model), metrics.jsonl and a checkpoint."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.library import find
from neurorack.core.normaliser import Normaliser
from neurorack.learn.model.autoencoder import Autoencoder
from neurorack.learn.model.config import Arm, ModelConfig
from neurorack.learn.model.published.corpus_facts import tell_corpus
from neurorack.learn.train.schedule import ADVERSARIAL_FROM

RUN_FILE = "run.json"
VERSION = 1


def find_origin(text: str) -> Path:
    """What weights are taken from: a run's folder, or an instrument's file by path or name.

    NeurorackError that says what there is.
    """
    path = Path(text)
    return path if path.is_dir() else find(text)


@dataclass(frozen=True)
class RunConfig:
    """What was asked of a run. `minutes` or `steps` bounds it; the other is None. `published`: what the
    published method needs to know of the corpus (learn/train/published.py).
    """

    corpus: str
    model: ModelConfig
    size: str
    arm: Arm
    descriptors: list[str]
    descriptor_files: list[str]
    normalisers: dict[str, list[float]]
    minutes: float | None = None
    steps: int | None = None
    batch: int = 8
    crop_frames: int = 256
    splices: float = 0.3
    learning_rate: float = 1.5e-3
    adversarial: bool = False
    seed: int = 0
    weights: dict[str, float] = field(default_factory=dict)
    published: dict[str, Any] = field(default_factory=dict)
    origin: str = ""
    """Folder of the run whose weights this one began with; empty: fresh ones."""
    new_code: bool = False
    """Whether only the decoder's weights were taken from there (learn/train/origin.py)."""
    keep_code: bool = False
    """Whether its latent code stays as it is and only the decoder learns."""
    balance: bool = False
    """Whether every folder of the corpus is heard as often as any other."""
    version: int = VERSION

    @property
    def spectral_end(self) -> float:
        """Share of the budget at which the spectral stages end."""
        return ADVERSARIAL_FROM if self.adversarial else 1.0

    def write(self, run: Path) -> None:
        with atomic_write(run / RUN_FILE, "w") as file:
            json.dump({**asdict(self), "model": self.model.to_dict()}, file, indent=1)

    @classmethod
    def read(cls, run: Path) -> "RunConfig":
        try:
            values: dict[str, Any] = json.loads((run / RUN_FILE).read_text("utf-8"))
            if values["version"] > VERSION:
                raise NeurorackError(f"{run} was made by a newer Neurorack; upgrade to read it.")
            values["model"] = ModelConfig.from_dict(values["model"])
            return cls(**values)
        except FileNotFoundError as error:
            raise NeurorackError(
                f"{run} is not a training run (no {RUN_FILE}); make one with `neurorack train`."
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise NeurorackError(
                f"{run / RUN_FILE} is damaged; train again or restore it from a copy."
            ) from error

    def fitted(self) -> dict[str, Normaliser]:
        return {name: Normaliser(tuple(knots)) for name, knots in self.normalisers.items()}

    def build(self) -> Autoencoder:
        model = Autoencoder(self.model)
        if self.published:
            tell_corpus(model, self.published, [self.fitted()[name] for name in self.model.controls])
        return model
