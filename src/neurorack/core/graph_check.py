"""Refuses ONNX graphs that are hostile, that ONNX Runtime >= 1.20 cannot run, or that break the contract.

Nothing is executed and no other file is opened: the protobuf is parsed from memory and walked.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from neurorack.core.errors import NeurorackError
from neurorack.core.manifest import Manifest
from neurorack.core.manifest_io import PRIOR_GRAPHS

MIN_OPSET, MAX_OPSET = 18, 21
MAX_IR_VERSION = 10
MAX_NODES = 20_000
MAX_ELEMENTS = 2**26
"""Elements of one tensor: 256 MB of float32."""

LOOPS = {"Loop", "If", "Scan", "SequenceMap"}
IMPURE = {
    *("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"),
    *("ImageDecoder", "StringConcat", "StringNormalizer", "StringSplit", "RegexFullMatch", "TfIdfVectorizer"),
}
"""Operators whose output is not a function of their inputs, or that parse foreign data."""

SIZED_BY_INPUT = {
    "ConstantOfShape": 0,
    "Expand": 1,
    "Tile": 1,
    "Resize": 3,
    "OneHot": 1,
    "Pad": 1,
    "Reshape": 1,
}
"""Operators that allocate what a (constant) input says, and which input it is."""

_ITEM_BYTES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8}
"""Bytes of one element of the ONNX types allowed: float32, u8, i8, i32, i64, bool, f16, f64."""

Shape = tuple[int | None, ...]
"""Expected dimensions; None where batch or time must be free."""


@dataclass(frozen=True)
class Signature:
    """Inputs and outputs of a graph, by name, in the order of the specification."""

    inputs: dict[str, Shape]
    outputs: dict[str, Shape]


def signature(manifest: Manifest, name: str) -> Signature:
    """What graph `name` of this instrument takes and gives (docs/nrk-format.md, "Graphs")."""
    audio: Shape = (None, None)
    state: Shape = (None, manifest.graphs[name].state_size)
    latent: Shape = (None, manifest.latent_size, None)
    if name == "encoder":
        return Signature({"audio": audio, "state": state}, {"z": latent, "state_out": state})
    if name in ("descriptors", "descriptors_slow"):
        columns = sum(d.slow == (name == "descriptors_slow") for d in manifest.measured)
        return Signature(
            {"audio": audio, "state": state}, {"values": (None, columns, None), "state_out": state}
        )
    if name in PRIOR_GRAPHS:
        return _prior_signature(manifest, name)
    inputs: dict[str, Shape] = {"z": latent, "controls": (None, len(manifest.controls), None)}
    if manifest.gained:
        inputs["level_db"] = (None, 1, None)
    if manifest.pitched:
        inputs["f0_hz"] = (None, 1, None)
    inputs |= {"noise": audio, "state": state}
    return Signature(inputs, {"audio": audio, "state_out": state})


def _prior_signature(manifest: Manifest, name: str) -> Signature:
    """One step a call: the time axis is 1."""
    assert manifest.prior is not None
    controls: Shape = (None, len(manifest.controls), 1)
    latent: Shape = (None, manifest.latent_size, 1)
    state: Shape = (None, manifest.graphs[name].state_size)
    chance: dict[str, Shape] = {
        "noise": (None, manifest.prior.noise[PRIOR_GRAPHS[name]], 1),
        "temperature": (None, 1, 1),
        "state": state,
    }
    if name == "prior_latent":
        return Signature(
            {"previous": latent, "controls": controls} | chance, {"z": latent, "state_out": state}
        )
    heard = {"previous": controls, "held": controls, "mask": controls, "clock": (None, 4, 1)}
    return Signature(heard | chance, {"controls": controls, "state_out": state})


def check_graph(data: bytes, expected: Signature) -> None:
    """Raise NeurorackError (a clause without the file's name) unless `data` is a graph of that signature."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        _walk(onnx.load_model_from_string(data), expected)
    except (DecodeError, ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise NeurorackError("it is not an ONNX model; export the instrument again") from error


def _walk(model, expected: Signature) -> None:
    _check_model(model)
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for tensor in graph.initializer:
        _check_tensor(tensor)
    for node in graph.node:
        _check_node(node, constants)
    _check_ports("input", graph.input, expected.inputs, strict=True)
    _check_ports("output", graph.output, expected.outputs, strict=False)


def _check_model(model) -> None:
    if not model.HasField("graph") or not model.graph.node:
        raise NeurorackError("it holds no graph; export the instrument again")
    domains = {item.domain: item.version for item in model.opset_import}
    if not set(domains) <= {"", "ai.onnx"} or len(model.opset_import) != 1:
        raise NeurorackError(
            f"it uses operators outside standard ONNX ({', '.join(sorted(map(repr, domains)))}); "
            f"export it with the standard domain alone"
        )
    opset = next(iter(domains.values()))
    if not MIN_OPSET <= opset <= MAX_OPSET or not 1 <= model.ir_version <= MAX_IR_VERSION:
        raise NeurorackError(
            f"it is opset {opset}, IR {model.ir_version}; export it with opset {MIN_OPSET} to {MAX_OPSET} "
            f"and IR version at most {MAX_IR_VERSION}"
        )
    if model.functions or model.training_info or model.graph.sparse_initializer:
        raise NeurorackError("it holds functions, training steps or sparse tensors; export it plain")
    if len(model.graph.node) > MAX_NODES:
        raise NeurorackError(f"it has more than {MAX_NODES} nodes; export a smaller model")


def _check_node(node, constants: dict) -> None:
    if node.domain not in ("", "ai.onnx"):
        raise NeurorackError(
            f"it uses the custom operator {node.domain}::{node.op_type}; export it with standard ones"
        )
    if node.op_type in LOOPS:
        raise NeurorackError(f"it contains a {node.op_type}; export it without loops or branches")
    if node.op_type in IMPURE or node.op_type.startswith("Sequence") or node.op_type.startswith("Optional"):
        raise NeurorackError(f"it contains {node.op_type}, which instruments may not use; export it without")
    for attribute in node.attribute:
        if attribute.HasField("g") or attribute.graphs:
            raise NeurorackError(
                f"{node.op_type} holds a graph of its own; export it without loops or branches"
            )
        if attribute.HasField("sparse_tensor") or attribute.sparse_tensors or attribute.ref_attr_name:
            raise NeurorackError(f"{node.op_type} holds a sparse tensor or a reference; export it plain")
        for tensor in _attribute_tensors(attribute):
            _check_tensor(tensor)
            if node.op_type == "Constant" and node.output:
                constants[node.output[0]] = tensor
    position = SIZED_BY_INPUT.get(node.op_type)
    if position is not None and len(node.input) > position:
        _check_size_input(node.op_type, constants.get(node.input[position]))


def _attribute_tensors(attribute) -> Iterator:
    if attribute.HasField("t"):
        yield attribute.t
    yield from attribute.tensors


def _check_size_input(operator: str, tensor) -> None:
    """A constant that says how large an output becomes must not ask for gigabytes."""
    if tensor is None or tensor.data_type not in (6, 7) or math.prod(tensor.dims) > 64:
        return
    from onnx import numpy_helper

    sizes = [abs(int(size)) for size in numpy_helper.to_array(tensor).ravel()]
    asked = max(sizes, default=0) if operator == "Pad" else math.prod(size for size in sizes if size > 0)
    if asked > MAX_ELEMENTS:
        raise NeurorackError(f"{operator} would make a tensor of {asked} elements; export a smaller model")


def _check_tensor(tensor) -> None:
    if tensor.data_location == 1 or tensor.external_data:
        raise NeurorackError(
            f"tensor {tensor.name!r} keeps its data in another file; export it with data inside"
        )
    item = _ITEM_BYTES.get(tensor.data_type)
    if item is None:
        raise NeurorackError(f"tensor {tensor.name!r} has element type {tensor.data_type}; use plain numbers")
    if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > MAX_ELEMENTS:
        raise NeurorackError(
            f"tensor {tensor.name!r} is larger than {MAX_ELEMENTS} elements; export a smaller model"
        )
    count = math.prod(tensor.dims)
    if tensor.HasField("raw_data"):
        fits = len(tensor.raw_data) == count * item
    else:
        fits = (
            len(tensor.float_data) + len(tensor.int32_data) + len(tensor.int64_data) + len(tensor.double_data)
            == count
        )
    if not fits or tensor.string_data or tensor.HasField("segment"):
        raise NeurorackError(
            f"tensor {tensor.name!r} does not hold the numbers its shape asks for; export it again"
        )


def _check_ports(kind: str, ports, expected: Mapping[str, Shape], strict: bool) -> None:
    """Names, types and ranks must match; channel sizes too (an output may leave its own unsaid)."""
    names = [port.name for port in ports]
    if sorted(names) != sorted(expected):
        raise NeurorackError(
            f"its {kind}s are {', '.join(names) or 'none'}; they must be {', '.join(expected)}"
        )
    for port in ports:
        if port.type.WhichOneof("value") != "tensor_type" or port.type.tensor_type.elem_type != 1:
            raise NeurorackError(f"its {kind} {port.name} must be a float32 tensor")
        want = expected[port.name]
        shown = "[" + ", ".join("free" if size is None else str(size) for size in want) + "]"
        if not port.type.tensor_type.HasField("shape") or len(port.type.tensor_type.shape.dim) != len(want):
            raise NeurorackError(f"its {kind} {port.name} must have the shape {shown}")
        for dim, size in zip(port.type.tensor_type.shape.dim, want, strict=True):
            fixed = dim.dim_value if dim.HasField("dim_value") else None
            if fixed != size and not (fixed is None and not strict):
                raise NeurorackError(
                    f"its {kind} {port.name} must have the shape {shown}, as the manifest says"
                )
