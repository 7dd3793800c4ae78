"""Multiply-adds, nodes and parameters are counted right on a graph whose costs are known."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from neurorack.core.manifest import GraphSpec
from neurorack.play.engine.cost import graph_cost


class _Archive:
    """One encoder at a hundred frames a second: Conv 128 -> 4, MatMul 4 -> 6, real DFT of 128 points."""

    def __init__(self) -> None:
        weight = np.zeros((4, 128, 1), np.float32)
        matrix = np.zeros((4, 6), np.float32)
        nodes = [
            helper.make_node("Reshape", ["audio", "frames"], ["x"]),
            helper.make_node("Conv", ["x", "weight"], ["y"]),
            helper.make_node("Transpose", ["y"], ["yt"], perm=[0, 2, 1]),
            helper.make_node("MatMul", ["yt", "matrix"], ["zt"]),
            helper.make_node("Transpose", ["zt"], ["z"], perm=[0, 2, 1]),
            helper.make_node("Reshape", ["audio", "points"], ["p"]),
            helper.make_node("DFT", ["p", "", "axis"], ["spectrum"], onesided=1),
            helper.make_node("ReduceMean", ["spectrum"], ["mean"], keepdims=0),
            helper.make_node("Mul", ["state", "mean"], ["state_out"]),
        ]
        constants = {
            "weight": weight,
            "matrix": matrix,
            "frames": np.array([1, 128, -1]),
            "points": np.array([1, -1, 1]),
            "axis": np.array(1),
        }
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            nodes,
            "encoder",
            [value("audio", TensorProto.FLOAT, [1, "n"]), value("state", TensorProto.FLOAT, [1, 3])],
            [value("z", TensorProto.FLOAT, [1, 6, "t"]), value("state_out", TensorProto.FLOAT, [1, 3])],
            [numpy_helper.from_array(v, k) for k, v in constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        self._data = model.SerializeToString()
        graphs = {"encoder": GraphSpec("encoder.onnx", "", 3)}
        self.manifest = type(
            "M", (), {"hop": 128, "sample_rate": 12_800, "latent_size": 6, "controls": (), "graphs": graphs}
        )

    def member(self, _path: str) -> bytes:
        return self._data

    def array(self, _path: str) -> np.ndarray:
        return np.zeros(0)


def test_known_costs():
    cost = graph_cost(_Archive(), "encoder")
    fft = 0.5 * 2.5 * 128 * np.log2(128)
    assert cost.macs_per_s == pytest.approx(100 * (4 * 128 + 4 * 6 + fft))
    assert cost.nodes == 9 and 0 < cost.nodes_run <= 9
    assert cost.params == 4 * 128 + 4 * 6
