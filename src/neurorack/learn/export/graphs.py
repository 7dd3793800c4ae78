"""Streaming modules -> ONNX graphs with one flat state, batch and time free, no loops.

Each wrapper fixes the names of the graph's inputs and outputs; docs/nrk-format.md lists them.
"""

import io
import logging
import warnings
from collections.abc import Mapping

import numpy as np
import onnx
import onnx_ir
import onnxruntime as ort
import torch
from torch import Tensor, nn

from neurorack.core.timebase import HOP
from neurorack.learn.descriptors import DescriptorSet
from neurorack.learn.model.decoder import Decoder
from neurorack.learn.model.encoder import Encoder

OPSET = 20


class EncoderGraph(nn.Module):
    """audio [B, 128 T], state -> posterior mean z [B, Z, T], state_out."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, audio: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        both, state_out = self.encoder.step(audio, state=state)
        return both[:, : self.encoder.latent_size], state_out


class DecoderGraph(nn.Module):
    """The decoder's inputs in manifest order and state -> audio [B, 128 T], state_out."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        return self.decoder.step(*inputs[:-1], state=inputs[-1])


def to_onnx(
    module: nn.Module, inputs: dict[str, Tensor], outputs: list[str], dynamic: dict[str, dict[int, str]]
) -> bytes:
    """Export `module` called with `inputs` (in order). `dynamic` names free axes: {"z": {0: "batch", 2:
    "frames"}}.

    Axes whose length is a multiple of the hop are written as "128*frames".
    """
    dims: dict[str, object] = {"batch": torch.export.Dim("batch", min=1, max=64)}
    dims["frames"] = torch.export.Dim("frames", min=1, max=65536)

    def axis(name: str) -> object:
        factor, _, base = name.rpartition("*")
        return int(factor) * dims[base] if factor else dims[base]  # type: ignore[operator]

    shapes = [{a: axis(n) for a, n in dynamic.get(name, {}).items()} for name in inputs]
    varargs = isinstance(module, DecoderGraph)
    module = module.eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            tuple(inputs.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_shapes=(tuple(shapes),) if varargs else tuple(shapes),
            verbose=False,
            external_data=False,
            optimize=False,
        )
    assert program is not None
    _keep_tiny_constants(program.model)
    program.optimize()
    buffer = io.BytesIO()
    program.save(buffer)
    model = onnx.load_model_from_string(buffer.getvalue())
    _strip(model)
    _name_free_axes(model)
    return model.SerializeToString(deterministic=True)


def _keep_tiny_constants(model: onnx_ir.Model) -> None:
    """Give scalar constants of 1e-8 or less the shape [1].

    The optimiser takes a scalar that near to zero for zero and drops what adds it, and with it the floors
    that
    keep logarithms and divisions finite in silence; it matches scalars only, and broadcasting is the same.
    """
    for node in model.graph:
        value = node.attributes.get("value") if node.op_type == "Constant" else None
        array = None if value is None else value.as_tensor().numpy()
        if (
            array is not None
            and array.ndim == 0
            and array.dtype.kind == "f"
            and 0 < abs(float(array)) <= 1e-8
        ):
            node.attributes["value"] = onnx_ir.AttrTensor("value", onnx_ir.tensor(array.reshape(1)))
            node.outputs[0].shape = onnx_ir.Shape([1])


def _strip(model: onnx.ModelProto) -> None:
    """Remove tracing notes (source paths of the machine that exported) that players have no use for."""
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    model.ClearField("metadata_props")
    model.graph.ClearField("metadata_props")
    model.graph.ClearField("value_info")
    model.graph.ClearField("doc_string")
    for value in [*model.graph.input, *model.graph.output]:
        value.ClearField("metadata_props")
    for tensor in model.graph.initializer:
        tensor.ClearField("metadata_props")
        tensor.ClearField("doc_string")


def _name_free_axes(model: onnx.ModelProto) -> None:
    """Give derived output axes the name of the input axis they follow, so that readers can match them."""
    for value in model.graph.output:
        dims = value.type.tensor_type.shape.dim
        if len(dims) == 3 and dims[2].dim_param not in ("", "frames"):
            dims[2].dim_param = "frames"


def run_from_rest(model: bytes, inputs: Mapping[str, np.ndarray | None], state_size: int) -> np.ndarray:
    """First output of a graph, as ONNX Runtime computes it from a state of zeros; inputs that are None are
    left out.
    """
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    given = {name: value for name, value in inputs.items() if value is not None}
    return session.run(None, {**given, "state": np.zeros((1, state_size), np.float32)})[0]


def encoder_graph(encoder: Encoder) -> bytes:
    """encoder.onnx."""
    frames = 3
    inputs = {"audio": torch.zeros(2, frames * HOP), "state": torch.zeros(2, encoder.state_size)}
    axes = {"audio": {0: "batch", 1: f"{HOP}*frames"}, "state": {0: "batch"}}
    return to_onnx(EncoderGraph(encoder), inputs, ["z", "state_out"], axes)


def descriptors_graph(part: DescriptorSet) -> bytes:
    """descriptors.onnx or descriptors_slow.onnx: one half of a descriptor bank."""
    inputs = {"audio": torch.zeros(2, 3 * part.hop), "state": torch.zeros(2, part.state_size)}
    axes = {"audio": {0: "batch", 1: f"{part.hop}*frames"}, "state": {0: "batch"}}
    return to_onnx(part, inputs, ["values", "state_out"], axes)


def decoder_graph(decoder: Decoder) -> bytes:
    """decoder.onnx."""
    frames = 3
    inputs: dict[str, Tensor] = {}
    axes: dict[str, dict[int, str]] = {}
    for name, example in zip(decoder.input_names, decoder.example_inputs(), strict=True):
        if name == "noise":
            inputs[name], axes[name] = torch.zeros(2, frames * HOP), {0: "batch", 1: f"{HOP}*frames"}
        else:
            inputs[name], axes[name] = example.repeat(2, 1, frames), {0: "batch", 2: "frames"}
    inputs["state"], axes["state"] = torch.zeros(2, decoder.state_size), {0: "batch"}
    return to_onnx(DecoderGraph(decoder), inputs, ["audio", "state_out"], axes)
