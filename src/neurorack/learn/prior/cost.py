"""What a step of the two graphs costs: ONNX Runtime, one thread, one stream, as the player runs them.

Processor time where the system counts it finely enough: a busy machine is not held against the graphs.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnxruntime

CALLS, WARM = 4000, 200
FINE_S = 1e-6


def _clock() -> Callable[[], float]:
    fine = time.get_clock_info("thread_time").resolution <= FINE_S
    return time.thread_time if fine else time.perf_counter


def step_cost(graphs: Mapping[str, bytes], step_s: float, calls: int = CALLS) -> dict[str, Any]:
    """Microseconds a step (median, p99, p99.9) of each of the `graphs`, and `real_time`: the share of a core
    that they take together, one step every `step_s`, by median and by p99.9.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    rows: dict[str, Any] = {}
    now = _clock()
    for name, graph in graphs.items():
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        feed = {
            port.name: np.full([1 if isinstance(n, str) else n for n in port.shape], 0.1, np.float32)
            for port in session.get_inputs()
        }
        taken = np.empty(calls)
        for i in range(-WARM, calls):
            begin = now()
            _, feed["state"] = session.run(None, feed)
            taken[max(i, 0)] = now() - begin
        quantiles = 1e6 * np.quantile(taken, [0.5, 0.99, 0.999])
        rows[name] = dict(zip(("median_us", "p99_us", "p999_us"), map(float, quantiles), strict=True))
    rows["real_time"] = {
        key: sum(rows[n][f"{key}_us"] for n in graphs) / 1e6 / step_s for key in ("median", "p999")
    }
    return rows
