"""Hand-made priors for tests: with_priors(path, out) gives a tiny instrument graphs that play by themselves.

Each is a pull towards zero, a step of chance and a memory of one vector: 0.9 previous + 0.1 t n + 0.01 s.
"""

import dataclasses
from pathlib import Path

from tiny_graphs import Net

from neurorack.core.manifest import FORMAT_MINOR, GraphSpec, Prior
from neurorack.core.nrk import read_nrk, write_nrk


def _walk(net: Net, size: int, out: str) -> str:
    """Next vector of `size` from previous, noise, temperature and state; state_out remembers it."""
    step = net.Mul(net.Mul("noise", "temperature"), net.const(0.1))
    pulled = net.Add(net.Mul("previous", net.const(0.9)), step)
    remembered = net.Mul(net.Reshape("state", net.ints(0, size, 1)), net.const(0.01))
    drawn = net.Clip(net.Add(pulled, remembered), net.const(-1.25), net.const(1.25), out=out)
    net.Reshape(drawn, net.ints(0, size), out="state_out")
    return drawn


def prior_controls(controls: int) -> bytes:
    net, column = Net(), ("B", controls, 1)
    drawn = _walk(net, controls, "drawn")
    # The clock is heard, faintly: a gate that opens lifts everything a little.
    gate = net.Mul(net.cut("clock", 0, 1, 1), net.const(0.001))
    net.Where(net.Greater("mask", net.const(0.5)), "held", net.Add(drawn, gate), out="controls")
    heard = {name: column for name in ("previous", "held", "mask")} | {"clock": ("B", 4, 1)}
    chance = {"noise": column, "temperature": ("B", 1, 1), "state": ("B", controls)}
    return net.model(heard | chance, {"controls": column, "state_out": ("B", controls)})


def prior_latent(latent: int, controls: int) -> bytes:
    net, column = Net(), ("B", latent, 1)
    drawn = _walk(net, latent, "drawn")
    net.Add(drawn, net.Mul(net.ReduceMean("controls", net.ints(1)), net.const(0.01)), out="z")
    heard = {"previous": column, "controls": ("B", controls, 1)}
    chance = {"noise": column, "temperature": ("B", 1, 1), "state": ("B", latent)}
    return net.model(heard | chance, {"z": column, "state_out": ("B", latent)})


def with_priors(path: Path, out: Path) -> Path:
    """A copy at `out` of the instrument at `path`, with both priors, every 8 frames."""
    archive = read_nrk(path)
    m = archive.manifest
    sizes = {"prior_controls": len(m.controls), "prior_latent": m.latent_size}
    members = {name: archive.member(name) for name in m.files}
    members["prior_controls.onnx"] = prior_controls(len(m.controls))
    members["prior_latent.onnx"] = prior_latent(m.latent_size, len(m.controls))
    manifest = dataclasses.replace(
        m,
        graphs=m.graphs | {n: GraphSpec(f"{n}.onnx", "", s) for n, s in sizes.items()},
        prior=Prior(8, {"controls": len(m.controls), "latent": m.latent_size}, "hand-made"),
        format_minor=FORMAT_MINOR,
    )
    write_nrk(out, manifest, members)
    return out
