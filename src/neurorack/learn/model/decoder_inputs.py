"""What every decoder is given, in order: z, controls [, level_db] [, f0_hz], noise."""

from torch import Tensor

from neurorack.core.timebase import HOP
from neurorack.learn.model.config import ModelConfig


def input_names(config: ModelConfig) -> list[str]:
    """Names of the inputs in order, without the state."""
    level, pitch = ["level_db"] if config.gained else [], ["f0_hz"] if config.pitched else []
    return ["z", "controls", *level, *pitch, "noise"]


def example_inputs(config: ModelConfig, like: Tensor) -> tuple[Tensor, ...]:
    """Zeros of one sound and one frame for each input, of the kind and on the device of `like`."""
    widths = {"z": config.latent_size, "controls": len(config.controls)}
    frames = [like.new_zeros(1, widths.get(name, 1), 1) for name in input_names(config)[:-1]]
    return (*frames, like.new_zeros(1, HOP))
