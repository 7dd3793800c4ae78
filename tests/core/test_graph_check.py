"""Hostile, unrunnable and non-conforming ONNX graphs are refused by what they are."""

import numpy as np
import onnx
import pytest
import tiny_graphs
from onnx import TensorProto, helper, numpy_helper

from neurorack.core.errors import NeurorackError
from neurorack.core.graph_check import MAX_OPSET, Signature, check_graph, signature
from neurorack.core.nrk import read_nrk

EXPECTED = Signature(
    {"audio": (None, None), "state": (None, 8)}, {"z": (None, 4, None), "state_out": (None, 8)}
)


@pytest.fixture
def model() -> onnx.ModelProto:
    return onnx.load_model_from_string(tiny_graphs.encoder())


def complaint(model: onnx.ModelProto) -> str:
    with pytest.raises(NeurorackError) as caught:
        check_graph(model.SerializeToString(), EXPECTED)
    return str(caught.value)


def test_signatures_follow_the_manifest(tiny_nrk, tiny_unpitched_nrk):
    pitched, plain = read_nrk(tiny_nrk).manifest, read_nrk(tiny_unpitched_nrk).manifest
    assert list(signature(pitched, "decoder").inputs) == [
        "z",
        "controls",
        "level_db",
        "f0_hz",
        "noise",
        "state",
    ]
    assert list(signature(plain, "decoder").inputs) == ["z", "controls", "level_db", "noise", "state"]
    assert signature(pitched, "descriptors_slow").outputs["values"] == (None, 2, None)
    assert signature(pitched, "encoder") == EXPECTED


def test_a_good_graph_passes(model):
    check_graph(model.SerializeToString(), EXPECTED)


def test_not_a_model():
    for data in (b"", b"hello", bytes(1000)):
        with pytest.raises(NeurorackError):
            check_graph(data, EXPECTED)


def test_external_data(model):
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    assert "another file" in complaint(model)


def test_external_data_inside_an_attribute(model):
    tensor = numpy_helper.from_array(np.zeros(1, np.float32), "inner")
    tensor.data_location = TensorProto.EXTERNAL
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=tensor))
    assert "another file" in complaint(model)


def test_foreign_operators_functions_and_training(model):
    custom = onnx.ModelProto()
    custom.CopyFrom(model)
    custom.graph.node[0].domain = "com.evil"
    assert "com.evil" in complaint(custom)
    custom.CopyFrom(model)
    custom.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    assert "standard" in complaint(custom)
    custom.CopyFrom(model)
    custom.functions.add().name = "f"
    assert "functions" in complaint(custom)
    custom.CopyFrom(model)
    custom.training_info.add()
    assert "training" in complaint(custom)


@pytest.mark.parametrize("operator", ["Loop", "If", "Scan", "SequenceMap"])
def test_loops(model, operator):
    model.graph.node.append(helper.make_node(operator, [], ["out"]))
    assert f"contains a {operator}" in complaint(model)


def test_hidden_graphs_and_chance(model):
    other = onnx.ModelProto()
    other.CopyFrom(model)
    other.graph.node[0].attribute.append(helper.make_attribute("body", model.graph))
    assert "graph of its own" in complaint(other)
    for operator in (
        "RandomNormal",
        "Multinomial",
        "SequenceConstruct",
        "OptionalGetElement",
        "ImageDecoder",
    ):
        other.CopyFrom(model)
        other.graph.node.append(helper.make_node(operator, [], ["out"]))
        assert operator in complaint(other)


def test_versions(model):
    for opset in (17, MAX_OPSET + 1):
        model.opset_import[0].version = opset
        assert f"it is opset {opset}" in complaint(model)
    model.opset_import[0].version = 20
    model.ir_version = 99
    assert "IR 99" in complaint(model)


def test_tensors_that_lie_or_overflow(model):
    tensor = model.graph.initializer[0]
    dims = list(tensor.dims)
    tensor.dims[0] = 2**40
    assert "larger than" in complaint(model)
    tensor.dims[0] = -1
    assert "larger than" in complaint(model)
    tensor.dims[0] = dims[0] + 1 if dims else 2
    assert "does not hold" in complaint(model)
    del tensor.dims[:]
    tensor.dims.extend(dims)
    tensor.data_type = TensorProto.STRING
    assert "element type" in complaint(model)


@pytest.mark.parametrize("through", ["initializer", "constant"])
def test_small_graphs_that_make_giant_tensors(model, through):
    sizes = numpy_helper.from_array(np.array([2**20, 2**20], np.int64), "sizes")
    if through == "initializer":
        model.graph.initializer.append(sizes)
    else:
        model.graph.node.append(helper.make_node("Constant", [], ["sizes"], value=sizes))
    model.graph.node.append(helper.make_node("ConstantOfShape", ["sizes"], ["giant"]))
    assert "ConstantOfShape would make a tensor" in complaint(model)


def test_ports(model):
    other = onnx.ModelProto()
    other.CopyFrom(model)
    other.graph.input[0].name = "sound"
    assert "its inputs are sound, state; they must be audio, state" in complaint(other)
    other.CopyFrom(model)
    del other.graph.output[1]
    assert "its outputs are z; they must be z, state_out" in complaint(other)
    other.CopyFrom(model)
    other.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    assert "input audio must be a float32 tensor" in complaint(other)
    other.CopyFrom(model)
    other.graph.input[1].type.tensor_type.shape.dim[1].dim_value = 9
    assert "input state must have the shape [free, 8]" in complaint(other)
    other.CopyFrom(model)
    other.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 128
    assert "input audio must have the shape [free, free]" in complaint(other)
    other.CopyFrom(model)
    del other.graph.output[0].type.tensor_type.shape.dim[2]
    assert "output z must have the shape" in complaint(other)
    other.CopyFrom(model)
    other.graph.input[0].type.Clear()
    assert "input audio must be" in complaint(other)
