"""Where weights come from: fresh ones, or those of a run or an instrument (fine-tuning)."""

from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from neurorack.core.errors import NeurorackError
from neurorack.core.nrk import Archive, read_nrk
from neurorack.learn.model.autoencoder import Autoencoder
from neurorack.learn.model.config import PUBLISHED_ARMS, ModelConfig
from neurorack.learn.model.latent import standardise
from neurorack.learn.train.checkpoint import NAME, load_checkpoint
from neurorack.learn.train.loop import Trainer

WEIGHTS = "weights.safetensors"


def begin(trainer: Trainer) -> None:
    """Give a new run its first weights: those of `config.origin` if named, a code of unit scale.

    With `config.new_code` the encoder, the critic and what the decoder makes of z start afresh, and only
    the rest of the decoder goes on: for runs whose code has collapsed or is to be learned another way.
    """
    config = trainer.config
    fresh = {key: value.clone() for key, value in trainer.model.state_dict().items()}
    if config.origin:
        try:
            _load(Path(config.origin), trainer.ema)
        except RuntimeError as error:
            raise NeurorackError(
                f"{config.origin} is a model of another shape: train from one of the same size, descriptors "
                "and --model settings."
            ) from error
        state = trainer.ema.state_dict()
        if config.new_code:
            size = config.model.latent_size
            state |= {k: v for k, v in fresh.items() if k.startswith(("encoder.", "critic."))}
            entry = "decoder.control.entry.weight"
            state[entry] = torch.cat([fresh[entry][:, :size], state[entry][:, size:]], dim=1)
        trainer.model.load_state_dict(state)
    if config.arm not in PUBLISHED_ARMS and config.model.decoder != "published":
        if not config.origin or config.new_code:
            standardise(trainer.model.encoder, trainer.validation.audio)
    trainer.ema.load_state_dict(trainer.model.state_dict())


def _load(origin: Path, model: nn.Module) -> None:
    """The averaged weights of a run's folder, or the weights of a .nrk, into `model`."""
    if origin.is_dir():
        load_checkpoint(origin / NAME, {"ema": model})
        return
    archive = read_nrk(origin)
    model.load_state_dict(safetensors.torch.load(archive.member(WEIGHTS)))


def load_model(archive: Archive) -> Autoencoder:
    """The model of an instrument, in evaluation mode, from what its .nrk says of it and its weights."""
    known = ModelConfig.__dataclass_fields__
    shape = {k: v for k, v in archive.manifest.architecture.items() if k in known}
    model = Autoencoder(ModelConfig.from_dict(shape))
    model.load_state_dict(safetensors.torch.load(archive.member(WEIGHTS)))
    return model.eval()
