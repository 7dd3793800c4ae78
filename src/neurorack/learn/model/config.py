"""What shapes a model: sizes, arms, and the controls it obeys."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from neurorack.core.timebase import DEFAULT_SAMPLE_RATE

Arm = Literal["conditional", "fader", "counterfactual", "rave", "c-rave", "f-rave"]
PUBLISHED_ARMS: tuple[Arm, ...] = ("rave", "c-rave", "f-rave")
"""The method as published, for comparison (learn/train/published.py)."""

ARMS: tuple[Arm, ...] = ("conditional", "fader", "counterfactual", *PUBLISHED_ARMS)
CRITIC_ARMS: tuple[Arm, ...] = ("fader", "counterfactual", "f-rave")
"""Arms that train a latent critic."""

DECODERS = ("source-filter", "published")
"""`published` brings its encoder along (learn/model/published)."""

CRITICS = ("dilated", "published")


@dataclass(frozen=True)
class ModelConfig:
    """Shape of a model. `controls` are descriptor columns in order; `encoder_widths` grow over three
    halvings. `decoder` and `critic`: ours or the published kind; `conditioned`: whether the decoder is told
    the controls at all; `published_widths`: channels of the published encoder and decoder at their narrowest.
    """

    controls: tuple[str, ...]
    sample_rate: int = DEFAULT_SAMPLE_RATE
    latent_size: int = 8
    encoder_widths: tuple[int, int, int, int] = (32, 64, 96, 128)
    encoder_blocks: int = 2
    control_width: int = 128
    control_dilations: tuple[int, ...] = (1, 2, 4)
    stack_width: int = 40
    stack_dilations: tuple[int, ...] = (1, 2, 4, 8, 16)
    stack_slope: float = 0.2
    latency_frames: int = 2
    decoder: str = "source-filter"
    critic: str = "dilated"
    conditioned: bool = True
    published_widths: tuple[int, int] = (28, 20)
    response_frames: int = 3
    """Frames that a timbre may take to follow its controls, declared with their lag. Filterbank, filter and
    interpolation take two; what is asked to follow sooner has to guess, and trembles."""

    @property
    def pitched(self) -> bool:
        return "pitch" in self.controls

    @property
    def gained(self) -> bool:
        return "loudness" in self.controls

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ModelConfig":
        """What `to_dict` gave; models from before there was a response were trained to have none."""
        values = {"response_frames": 0, **values}
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


SIZES: dict[str, dict[str, Any]] = {
    "rack": {},
    "studio": {
        "latent_size": 16,
        "encoder_widths": (48, 96, 160, 256),
        "control_width": 256,
        "stack_width": 80,
        "published_widths": (52, 38),
    },
}
"""What each named size changes against the defaults, which are `rack`."""


def make_config(size: str, controls: tuple[str, ...], sample_rate: int, **changes: Any) -> ModelConfig:
    """The configuration of a named size for these controls."""
    return ModelConfig(controls=controls, sample_rate=sample_rate, **{**SIZES[size], **changes})
