"""ONNX graphs written by hand for the test instrument (tiny_instrument.py): real, small, exact when streamed.

The decoder is a phase-continuous additive tone plus coloured noise, set to the asked level in closed form;
the descriptors come from short-time autocorrelation. Chunked = offline holds exactly: the phase advances in
multiples of 2**-24 cycles, which float32 state carries without rounding.
"""

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from neurorack.core.level import level_weights

HOP, LATENT, HARMONICS = 128, 4, 16
FAST = ("loudness", "brightness", "noisiness", "boominess")
STATE_SIZES = {"encoder": 2 * LATENT, "descriptors": 62, "descriptors_slow": 1536, "decoder": 3}


class Net:
    """Writes an ONNX graph step by step: `net.Add(a, b)` adds a node, returns its output's name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def const(self, value, dtype=np.float32) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def ints(self, *values: int) -> str:
        return self.const(values, np.int64)

    def __getattr__(self, operator: str):
        def node(*inputs: str, out: str | None = None, **attributes) -> str:
            name = out or f"v{len(self.nodes)}"
            self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
            return name

        return node

    def cut(self, x: str, start: int, stop: int, axis: int) -> str:
        return self.Slice(x, self.ints(start), self.ints(stop), self.ints(axis))

    def model(self, inputs: dict[str, tuple], outputs: dict[str, tuple]) -> bytes:
        def ports(shapes: dict[str, tuple]) -> list[onnx.ValueInfoProto]:
            return [helper.make_tensor_value_info(n, TensorProto.FLOAT, list(s)) for n, s in shapes.items()]

        graph = helper.make_graph(self.nodes, "tiny", ports(inputs), ports(outputs), self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString()


END = 2**62


def encoder() -> bytes:
    """z of frame t: a random projection of frame t - 2, so that the chain has a latency of two frames."""
    net, rng = Net(), np.random.default_rng(1)
    frames = net.Reshape("audio", net.ints(0, -1, HOP))
    seen = net.Tanh(net.MatMul(frames, net.const(rng.normal(0, 0.4, (HOP, LATENT)))))
    line = net.Concat(net.Reshape("state", net.ints(0, 2, LATENT)), seen, axis=1)
    net.Transpose(net.cut(line, 0, -2, 1), perm=[0, 2, 1], out="z")
    net.Reshape(net.cut(line, -2, END, 1), net.ints(0, 2 * LATENT), out="state_out")
    size = STATE_SIZES["encoder"]
    return net.model(
        {"audio": ("B", "N"), "state": ("B", size)}, {"z": ("B", LATENT, "T"), "state_out": ("B", size)}
    )


def descriptors(sample_rate: int) -> bytes:
    """Loudness by the one level window; the rest from lags 0, 1, 2 of the autocorrelation under it."""
    net = Net()
    line = net.Concat(net.cut("state", 0, 2, 1), "audio", axis=1)
    lags = [net.cut(line, 2, END, 1), net.cut(line, 1, -1, 1), net.cut(line, 0, -2, 1)]

    def frame_mean(x: str) -> str:
        return net.ReduceMean(net.Reshape(x, net.ints(0, 1, -1, HOP)), net.ints(3), keepdims=0)

    slow_part = frame_mean("audio")
    means = [frame_mean(net.Mul(lags[0], lag)) for lag in lags] + [net.Mul(slow_part, slow_part)]
    history = net.Concat(
        net.Reshape(net.cut("state", 2, END, 1), net.ints(0, 4, 15)), net.Concat(*means, axis=1), axis=2
    )
    window = np.tile(level_weights(sample_rate)[::-1], (4, 1, 1))
    r = net.Conv(history, net.const(window), group=4)
    r0, r1, r2, low = (net.cut(r, i, i + 1, 1) for i in range(4))
    tiny, one, zero = net.const(1e-9), net.const(1.0), net.const(0.0)
    power = net.Add(r0, tiny)
    loudness = net.Mul(net.Log(power), net.const(10 / np.log(10)))
    k1 = net.Clip(net.Div(net.Add(r1, tiny), power), net.const(-1.0), one)
    brightness = net.Max(net.Mul(net.Acos(k1), net.const(sample_rate / 2 / np.pi)), net.const(20.0))
    first = net.Sub(one, net.Mul(k1, k1))
    k2 = net.Clip(
        net.Div(net.Sub(r2, net.Mul(k1, r1)), net.Add(net.Mul(power, first), net.const(1e-12))),
        net.const(-1.0),
        one,
    )
    noisiness = net.Sqrt(net.Clip(net.Mul(first, net.Sub(one, net.Mul(k2, k2))), zero, one))
    boominess = net.Mul(net.Div(low, power), net.const(100.0))
    net.Concat(loudness, brightness, noisiness, boominess, axis=1, out="values")
    net.Concat(
        net.cut(line, -2, END, 1),
        net.Reshape(net.cut(history, -15, END, 2), net.ints(0, 60)),
        axis=1,
        out="state_out",
    )
    size = STATE_SIZES["descriptors"]
    return net.model(
        {"audio": ("B", "N"), "state": ("B", size)}, {"values": ("B", 4, "T"), "state_out": ("B", size)}
    )


def descriptors_slow(sample_rate: int) -> bytes:
    """Pitch and periodicity every 512 samples: the peak of the autocorrelation of the last 2048 samples."""
    net = Net()
    line = net.Concat("state", "audio", axis=1)
    blocks = net.Reshape(line, net.ints(0, -1, 512))
    windows = net.Concat(*(net.cut(blocks, i, END if i == 3 else i - 3, 1) for i in range(4)), axis=2)
    axis = net.const(2, np.int64)
    spectrum = net.DFT(net.Unsqueeze(windows, net.ints(3)), net.const(4096, np.int64), axis)
    power = net.ReduceSum(net.Mul(spectrum, spectrum), net.ints(3), keepdims=1)
    correlation = net.Squeeze(net.cut(net.DFT(power, "", axis, inverse=1), 0, 1, 3), net.ints(3))
    energy = net.Add(net.cut(correlation, 0, 1, 2), net.const(1e-6))
    shortest, longest = sample_rate // 1100, sample_rate // 55
    searched = net.cut(correlation, shortest, longest, 2)
    peak = net.Add(net.ArgMax(searched, axis=2, keepdims=1), net.ints(shortest))
    unbias = net.const(2048 / (2048 - np.arange(4096).clip(max=2000)).reshape(1, 1, -1))
    straight = net.Mul(correlation, unbias)
    a, b, c = (net.GatherElements(straight, net.Add(peak, net.ints(step)), axis=2) for step in (-1, 0, 1))
    bend = net.Add(net.Sub(a, net.Mul(b, net.const(2.0))), c)
    shift = net.Div(net.Mul(net.Sub(a, c), net.const(0.5)), net.Sub(bend, net.const(1e-9)))
    period = net.Add(net.Cast(peak, to=TensorProto.FLOAT), net.Clip(shift, net.const(-0.5), net.const(0.5)))
    periodicity = net.Clip(net.Div(b, energy), net.const(0.0), net.const(1.0))
    voiced = net.Greater(periodicity, net.const(0.3))
    pitch = net.Where(voiced, net.Div(net.const(float(sample_rate)), period), net.const(220.0))
    net.Transpose(net.Concat(pitch, periodicity, axis=2), perm=[0, 2, 1], out="values")
    net.cut(line, -1536, END, 1)
    net.nodes[-1].output[0] = "state_out"
    size = STATE_SIZES["descriptors_slow"]
    return net.model(
        {"audio": ("B", "N"), "state": ("B", size)}, {"values": ("B", 2, "K"), "state_out": ("B", size)}
    )


def decoder(sample_rate: int, pitched: bool) -> bytes:
    """Additive tone (16 harmonics, slope by brightness, mix by z) and coloured noise, at the asked level."""
    net, rng = Net(), np.random.default_rng(2)
    row = {name: i for i, name in enumerate(FAST)}

    def per_frame(x: str) -> str:
        return net.Transpose(x, perm=[0, 2, 1])

    def control(name: str) -> str:
        return per_frame(net.cut("controls", row[name], row[name] + 1, 1))

    one = net.const(1.0)
    bright, noisy, boom = control("brightness"), control("noisiness"), control("boominess")
    f0 = per_frame("f0_hz") if pitched else net.Add(net.Mul(bright, net.const(0.0)), net.const(150.0))
    f0 = net.Clip(f0, net.const(1.0), net.const(5000.0))
    # Phase at each frame's start, in cycles, exact: multiples of 2**-24 summed in double.
    scaled = net.Mul(net.Cast(f0, to=TensorProto.DOUBLE), net.const(HOP / sample_rate * 2**24, np.float64))
    steps = net.Mul(net.Round(scaled), net.const(2.0**-24, np.float64))
    begin = net.Cast(net.Reshape(net.cut("state", 0, 1, 1), net.ints(0, 1, 1)), to=TensorProto.DOUBLE)
    summed = net.Add(net.CumSum(steps, net.const(1, np.int64)), begin)
    before = net.Sub(summed, steps)
    start = net.Cast(net.Sub(before, net.Floor(before)), to=TensorProto.FLOAT)
    last = net.cut(summed, -1, END, 1)
    phase_out = net.Cast(net.Sub(last, net.Floor(last)), to=TensorProto.FLOAT)
    within = net.Mul(f0, net.const(np.arange(HOP).reshape(1, 1, HOP) / sample_rate))
    phase = net.Unsqueeze(net.Add(start, within), net.ints(3))
    order = np.arange(1, HARMONICS + 1, dtype=np.float32)
    waves = net.Sin(net.Mul(phase, net.const(2 * np.pi * order)))
    # Weights of the harmonics.
    slope = net.Mul(net.Exp(net.Neg(bright)), net.const(0.35))
    mix = net.Mul(
        net.Tanh(net.MatMul(per_frame("z"), net.const(rng.normal(0, 1, (LATENT, HARMONICS))))), net.const(0.5)
    )
    tilt = net.Add(net.Mul(slope, net.const(1 - order)), net.Mul(boom, net.const(0.7 * (order == 1))))
    audible = net.Cast(
        net.Less(net.Mul(f0, net.const(order)), net.const(0.45 * sample_rate)), to=TensorProto.FLOAT
    )
    weights = net.Mul(net.Exp(net.Add(tilt, mix)), audible)
    power = net.Mul(net.ReduceSum(net.Mul(weights, weights), net.ints(2), keepdims=1), net.const(0.5))
    tone = net.Squeeze(net.MatMul(waves, net.Unsqueeze(weights, net.ints(3))), net.ints(3))
    tone = net.Div(tone, net.Sqrt(net.Add(power, net.const(1e-9))))
    # Noise through 1 - a / z, of unit power.
    a = net.Mul(net.Clip(bright, net.const(-1.0), one), net.const(0.9))
    late = net.cut(net.Concat(net.cut("state", 1, 2, 1), "noise", axis=1), 0, -1, 1)
    now, late = (net.Reshape(x, net.ints(0, -1, HOP)) for x in ("noise", late))
    hiss = net.Div(net.Sub(now, net.Mul(a, late)), net.Sqrt(net.Add(one, net.Mul(a, a))))
    share = net.Clip(net.Mul(net.Add(noisy, one), net.const(0.5)), net.const(0.0), one)
    share = net.Mul(share, share)
    sound = net.Add(net.Mul(tone, net.Sqrt(net.Sub(one, share))), net.Mul(hiss, net.Sqrt(share)))
    # Gain, ramped across each frame.
    gain = net.Exp(net.Mul(per_frame("level_db"), net.const(np.log(10) / 20)))
    line = net.Concat(net.Reshape(net.cut("state", 2, 3, 1), net.ints(0, 1, 1)), gain, axis=1)
    previous = net.cut(line, 0, -1, 1)
    ramp = net.const((np.arange(HOP).reshape(1, 1, HOP) + 1) / HOP)
    net.Reshape(
        net.Mul(sound, net.Add(previous, net.Mul(net.Sub(gain, previous), ramp))),
        net.ints(0, -1),
        out="audio",
    )
    net.Concat(
        net.Squeeze(phase_out, net.ints(2)),
        net.cut("noise", -1, END, 1),
        net.Squeeze(net.cut(line, -1, END, 1), net.ints(2)),
        axis=1,
        out="state_out",
    )
    size, count = STATE_SIZES["decoder"], len(FAST) + pitched
    inputs = {"z": ("B", LATENT, "T"), "controls": ("B", count, "T"), "level_db": ("B", 1, "T")}
    if pitched:
        inputs["f0_hz"] = ("B", 1, "T")
    inputs |= {"noise": ("B", "N"), "state": ("B", size)}
    return net.model(inputs, {"audio": ("B", "N"), "state_out": ("B", size)})


def run(model: bytes, state_size: int, **inputs: np.ndarray) -> np.ndarray:
    """First output of `model` over one stream from zeros."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    batch = next(iter(inputs.values())).shape[0]
    feeds = {name: np.ascontiguousarray(value, np.float32) for name, value in inputs.items()}
    return session.run(None, {**feeds, "state": np.zeros((batch, state_size), np.float32)})[0]
