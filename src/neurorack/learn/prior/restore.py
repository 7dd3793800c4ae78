"""Trained priors out of an instrument's graphs: every weight stands there under its own name.

So a sampler that has changed since, or scores that are counted otherwise, need no new training.
"""

import onnx
import torch
from onnx import numpy_helper

from neurorack.core.errors import NeurorackError
from neurorack.core.manifest_io import PRIOR_GRAPHS
from neurorack.core.nrk import Archive
from neurorack.learn.prior.model import ControlsPrior, LatentPrior, PriorConfig

PREFIX = "prior."
"""What the names begin with: the graphs are of modules that hold the prior under this name."""


def restored(archive: Archive) -> tuple[ControlsPrior, LatentPrior]:
    """Both priors of `archive`, as they were trained. NeurorackError where it has none that can be read."""
    m = archive.manifest
    if m.prior is None or not PRIOR_GRAPHS.keys() <= m.graphs.keys():
        raise NeurorackError(f"{m.name} does not play by itself yet: there are no priors to keep.")
    try:
        config = PriorConfig(m.prior.scores["training"]["family"])
        weights = {name: _weights(archive.graph(name)) for name in PRIOR_GRAPHS}
        floor = weights["prior_controls"]["head.floor"]
        controls = ControlsPrior(floor, config, m.control_index("pitch") if m.pitched else None)
        latent = LatentPrior(weights["prior_latent"]["scale"], len(m.controls), config)
        for prior, name in ((controls, "prior_controls"), (latent, "prior_latent")):
            prior.load_state_dict(_complete(prior, weights[name]))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise NeurorackError(
            f"The priors of {m.name} were made in another way and cannot be taken up: train new ones."
        ) from error
    return controls.eval(), latent.eval()


def _weights(graph: bytes) -> dict[str, torch.Tensor]:
    """Named weights of a graph."""
    found = onnx.load_from_string(graph).graph.initializer
    return {
        i.name.removeprefix(PREFIX): torch.from_numpy(numpy_helper.to_array(i).copy())
        for i in found
        if i.name.startswith(PREFIX)
    }


def _complete(prior: torch.nn.Module, found: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The state of `prior` with what was found. The floor may stand in the graph once, or not at all."""
    state = prior.state_dict()
    trained = {name for name, _ in prior.named_parameters()}
    if missing := trained - found.keys():
        raise KeyError(sorted(missing)[0])
    return {name: found.get(name, value) for name, value in state.items()}
