"""What a graph costs on paper: multiply-adds a second, nodes, parameters. Counted on real tensor shapes.

Shapes are observed, not inferred: the graph runs once on one step with the tensors around every weighty node
exposed. Multiply-adds (MACs) are counted for Conv, ConvTranspose, Gemm, MatMul and DFT; an FFT of N complex
points counts 2.5 N log2 N, a real one half of that. Element-wise work is not counted.
"""

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from neurorack.core.manifest import Manifest
from neurorack.core.manifest_io import PRIOR_GRAPHS
from neurorack.core.timebase import SLOW_EVERY
from neurorack.play.engine.graphs import Members
from neurorack.play.engine.sessions import PROVIDERS, session_options

WEIGHTY = {"Conv", "ConvTranspose", "Gemm", "MatMul", "DFT"}
UNCOUNTED_NODES = {"Constant", "Identity"}


@dataclass(frozen=True)
class GraphCost:
    """One graph: MACs a second of sound; nodes in the file and after ONNX Runtime's fusion; float weights."""

    macs_per_s: float
    nodes: int
    nodes_run: int
    params: int


def graph_cost(archive: Members, name: str) -> GraphCost:
    """Cost of graph `name` of an instrument at batch 1, one step at a time."""
    manifest = archive.manifest
    data = archive.member(manifest.graphs[name].path)
    model = onnx.load_model_from_string(data)
    step_s = manifest.hop / manifest.sample_rate * _frames_a_step(manifest, name)
    shapes = _shapes(model, manifest, name)
    macs = sum(_macs(node, shapes) for node in model.graph.node if node.op_type in WEIGHTY)
    return GraphCost(
        macs_per_s=macs / step_s,
        nodes=sum(n.op_type not in UNCOUNTED_NODES for n in model.graph.node),
        nodes_run=_nodes_after_fusion(data),
        params=_params(model),
    )


def _frames_a_step(manifest: Manifest, name: str) -> int:
    if name in PRIOR_GRAPHS and manifest.prior is not None:
        return manifest.prior.every
    return SLOW_EVERY if name == "descriptors_slow" else 1


def _shapes(model: onnx.ModelProto, manifest: Manifest, name: str) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor that touches a weighty node, at one step."""
    wanted = {t for n in model.graph.node if n.op_type in WEIGHTY for t in (*n.input, *n.output) if t}
    constants = {i.name: tuple(i.dims) for i in model.graph.initializer}
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    feeds = _feeds(manifest, name, model)
    present = {o.name for o in model.graph.output}
    produced = {t for n in model.graph.node for t in n.output}
    fresh = sorted((wanted & produced) - present)
    probe.graph.output.extend(onnx.ValueInfoProto(name=t) for t in fresh)
    options = session_options()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(probe.SerializeToString(), options, providers=PROVIDERS)
    names = sorted(wanted & (produced | present))
    values = session.run(names, feeds) if names else []
    shapes = {n: np.shape(v) for n, v in zip(names, values, strict=True)}
    return constants | {n: v.shape for n, v in feeds.items()} | shapes


def _feeds(manifest: Manifest, name: str, model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """One step of quiet noise for every input, zeros for the state."""
    hop = manifest.hop
    random = np.random.default_rng(0)
    sizes = {
        "audio": (1, hop * (SLOW_EVERY if name == "descriptors_slow" else 1)),
        "noise": (1, hop),
        "z": (1, manifest.latent_size, 1),
        "controls": (1, len(manifest.controls), 1),
        "level_db": (1, 1, 1),
        "f0_hz": (1, 1, 1),
        "state": (1, manifest.graphs[name].state_size),
    }
    feeds = {}
    for entry in model.graph.input:
        if name in PRIOR_GRAPHS:
            shape = tuple(d.dim_value or 1 for d in entry.type.tensor_type.shape.dim)
        else:
            shape = sizes[entry.name]
        value = 0.1 * random.standard_normal(shape)
        if entry.name == "f0_hz":
            value = np.full(sizes["f0_hz"], 220.0)
        elif entry.name == "state":
            value = np.zeros(sizes["state"])
        feeds[entry.name] = value.astype(np.float32)
    return feeds


def _macs(node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> float:
    ins = [shapes.get(i, ()) for i in node.input]
    out = shapes[node.output[0]]
    if node.op_type == "Conv":
        return math.prod(out) * math.prod(ins[1][1:])
    if node.op_type == "ConvTranspose":
        return math.prod(ins[0]) * math.prod(ins[1][1:])
    if node.op_type == "MatMul":
        return math.prod(out) * ins[0][-1]
    if node.op_type == "Gemm":
        transposed = any(a.name == "transA" and a.i for a in node.attribute)
        return math.prod(out) * ins[0][0 if transposed else 1]
    # DFT: the input is [..., points, 1 or 2]; the long axis is the one transformed.
    points = max(ins[0][:-1])
    real = ins[0][-1] == 1
    transforms = math.prod(ins[0][:-1]) / points
    return transforms * 2.5 * points * math.log2(points) * (0.5 if real else 1.0)


def _nodes_after_fusion(data: bytes) -> int:
    """Nodes that ONNX Runtime executes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fused.onnx"
        options = session_options()
        options.optimized_model_filepath = str(path)
        ort.InferenceSession(data, options, providers=PROVIDERS)
        fused = onnx.load(path)
    return sum(n.op_type not in UNCOUNTED_NODES for n in fused.graph.node)


def _params(model: onnx.ModelProto) -> int:
    """Float numbers in initialisers and Constant nodes of more than one element."""
    tensors = list(model.graph.initializer)
    tensors += [
        a.t for n in model.graph.node if n.op_type == "Constant" for a in n.attribute if a.name == "value"
    ]
    floats = [t for t in tensors if t.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)]
    return sum(size for t in floats if (size := math.prod(t.dims)) > 1)
