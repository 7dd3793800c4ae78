"""The priors as ONNX graphs of one step, and into an instrument (docs/nrk-format.md, "Priors")."""

import dataclasses
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from neurorack.core.manifest import FORMAT_MINOR, GraphSpec, Manifest, Prior
from neurorack.core.nrk import Archive
from neurorack.learn.export.graphs import to_onnx
from neurorack.learn.prior.model import CLOCK, ControlsPrior, LatentPrior


class _OneStep(nn.Module):
    """Takes the time axis of 1 off what comes in and puts it on what goes out."""

    def __init__(self, prior: ControlsPrior | LatentPrior) -> None:
        super().__init__()
        self.prior = prior

    def step(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        drawn, state = self.prior.step(*(x.squeeze(-1) for x in inputs[:-1]), inputs[-1])
        return drawn.unsqueeze(-1), state


class ControlsGraph(_OneStep):
    def forward(
        self, previous: Tensor, held: Tensor, mask: Tensor, clock: Tensor, noise: Tensor,
        temperature: Tensor, state: Tensor,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        return self.step(previous, held, mask, clock, noise, temperature, state)


class LatentGraph(_OneStep):
    def forward(
        self, previous: Tensor, controls: Tensor, noise: Tensor, temperature: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        return self.step(previous, controls, noise, temperature, state)


def controls_graph(prior: ControlsPrior) -> bytes:
    """prior_controls.onnx."""
    shapes = {name: (2, prior.size, 1) for name in ("previous", "held", "mask")}
    shapes |= {"clock": (2, CLOCK, 1), **_chance(prior)}
    return _graph(ControlsGraph(prior), shapes, "controls")


def latent_graph(prior: LatentPrior, controls: int) -> bytes:
    """prior_latent.onnx."""
    shapes = {"previous": (2, prior.size, 1), "controls": (2, controls, 1), **_chance(prior)}
    return _graph(LatentGraph(prior), shapes, "z")


def _chance(prior: ControlsPrior | LatentPrior) -> dict[str, tuple[int, ...]]:
    return {
        "noise": (2, prior.head.noise_size, 1),
        "temperature": (2, 1, 1),
        "state": (2, prior.state_size),
    }


def _graph(module: nn.Module, shapes: dict[str, tuple[int, ...]], output: str) -> bytes:
    inputs = {name: torch.zeros(*shape) for name, shape in shapes.items()}
    return to_onnx(module, inputs, [output, "state_out"], {name: {0: "batch"} for name in inputs})


def prior_graphs(controls: ControlsPrior, latent: LatentPrior) -> dict[str, bytes]:
    """Both graphs by name."""
    return {"prior_controls": controls_graph(controls), "prior_latent": latent_graph(latent, controls.size)}


def with_priors(
    archive: Archive, controls: ControlsPrior, latent: LatentPrior, graphs: Mapping[str, bytes], prior: Prior
) -> tuple[Manifest, dict[str, bytes]]:
    """Manifest and members of `archive` with these priors; all its other members stay as they are."""
    m = archive.manifest
    members = {name: archive.member(name) for name in m.files}
    members |= {f"{name}.onnx": data for name, data in graphs.items()}
    sizes = {"prior_controls": controls.state_size, "prior_latent": latent.state_size}
    specs = {name: GraphSpec(f"{name}.onnx", "0" * 64, size) for name, size in sizes.items()}
    return dataclasses.replace(m, graphs=m.graphs | specs, prior=prior, format_minor=FORMAT_MINOR), members


def noise_sizes(controls: ControlsPrior, latent: LatentPrior) -> dict[str, int]:
    """`noise` of the manifest's field `prior`."""
    return {"controls": controls.head.noise_size, "latent": latent.head.noise_size}
