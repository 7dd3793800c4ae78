"""Our decoder told nothing: the control network reads z alone. For plain RAVE with our decoder.

Level and pitch still reach the gain stage and the pulse train, which are its sources and cannot do without.
"""

import torch
from torch import Tensor

from neurorack.learn.model.decoder import Decoder
from neurorack.learn.model.streaming import Tape


class UnconditionedDecoder(Decoder):
    """`Decoder` whose controls are taken for zeros."""

    def run(self, z: Tensor, controls: Tensor, *rest: Tensor, tape: Tape) -> Tensor:
        return super().run(z, torch.zeros_like(controls), *rest, tape=tape)
