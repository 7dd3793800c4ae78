"""The exported graphs: standard operators only, and in ONNX Runtime the same numbers at any block size."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from descriptor_material import harmonic, noise

from neurorack.learn.export.graphs import descriptors_graph


@pytest.mark.parametrize("which", ["fast", "slow"])
def test_onnx_streams_like_torch(bank, which):
    part = getattr(bank, which)
    model = descriptors_graph(part)
    graph = onnx.load_from_string(model)
    kinds = {node.op_type for node in graph.graph.node}
    assert {o.domain for o in graph.opset_import} == {""}
    assert not graph.functions and not kinds & {"Loop", "If", "Scan", "SequenceMap"}
    assert len(graph.graph.node) < 290  # what a node costs beside its work, half a microsecond, adds up

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    tone, hiss = harmonic(110), noise(20, 20_000)
    sounds = np.stack([tone, np.where(np.arange(len(tone)) > 9000, hiss, 0.0)]).astype(np.float32)
    for rows, block in ((2, 1), (1, 3), (2, 64), (1, 65)):
        state = np.zeros((rows, part.state_size), np.float32)
        pieces, length = [], (80 if block > 3 else 15) * part.hop
        for start in range(0, length, block * part.hop):
            stop = min(start + block * part.hop, length)
            feed = {"audio": sounds[:rows, start:stop], "state": state}
            values, state = session.run(None, feed)
            pieces.append(values)
        with torch.no_grad():
            expected, _ = part(torch.from_numpy(sounds[:rows, :length]), torch.zeros(rows, part.state_size))
        streamed, expected = np.concatenate(pieces, axis=2), expected.numpy()
        assert streamed.shape == expected.shape
        assert (np.abs(streamed - expected) / (1 + np.abs(expected))).max() < 1e-4
