"""What an instrument costs on this machine: real-time factors of its streams and of a whole live transfer.

The real-time factor of a block is the time to compute it over the time it lasts; below 1 keeps up.
"""

import gc
import os
import platform
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort

from neurorack.core.noise import white
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.streams import DecoderStream, DescriptorStream, EncoderStream

BLOCKS = (128, 256, 512, 2048)
MIN_BLOCKS = 50


def real_time_factors(
    instrument: Instrument, block: int, audio_s: float = 10.0
) -> dict[str, dict[str, float]]:
    """{"encoder" | "descriptors" | "decoder" | "both": {"median", "p99", "p999", "cpu"}} at `block` samples
    a call.

    The percentiles are of elapsed time, other programs' interruptions included; "cpu" is the mean of the
    thread's own processor time, which a busy machine scarcely changes.

    "both" is the whole chain of a live transfer: input, encoder, descriptors (slow ones too), control
    mapping, decoder.
    """
    m = instrument.manifest
    frames = block // m.hop
    count = max(int(audio_s * m.sample_rate / block), MIN_BLOCKS)
    sound = 0.1 * white(1, 0, 64 * block).reshape(64, 1, block)
    encoder = EncoderStream(instrument.graphs, warm=(frames,))
    descriptors = DescriptorStream(instrument.graphs, warm=(frames,))
    decoder = DecoderStream(instrument.graphs, warm=(frames,))
    live = instrument.stream_transfer(m.sample_rate, lookahead=False)
    z = encoder.process(np.concatenate(list(sound), axis=1)).reshape(1, m.latent_size, 64, frames)
    controls = np.repeat(instrument.map.default_controls[None, :, None], frames, axis=2)
    level = np.full((1, frames), -20.0, np.float32)
    f0 = np.full((1, frames), 220.0, np.float32)
    jobs: dict[str, Callable[[int], object]] = {
        "encoder": lambda i: encoder.process(sound[i % 64]),
        "descriptors": lambda i: descriptors.process(sound[i % 64]),
        "decoder": lambda i: decoder.process(z[:, :, i % 64], controls, level, f0),
        "both": lambda i: live.process(sound[i % 64, 0]),
    }
    duration = block / m.sample_rate
    return {name: figures(*time_calls(job, count), duration) for name, job in jobs.items()}


def time_calls(job: Callable[[int], object], count: int) -> tuple[np.ndarray, float]:
    """(elapsed seconds of each of `count` calls, mean processor seconds), the garbage collector at rest."""
    for i in range(16):
        job(i)
    seconds = np.empty(count)
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        cpu = time.thread_time()
        for i in range(count):
            start = time.perf_counter()
            job(i)
            seconds[i] = time.perf_counter() - start
        cpu = (time.thread_time() - cpu) / count
    finally:
        if enabled:
            gc.enable()
    return seconds, cpu


def figures(seconds: np.ndarray, cpu_s: float, duration_s: float) -> dict[str, float]:
    """{"median", "p99", "p999", "cpu"}: real-time factors of calls that each give `duration_s` of sound."""
    median, p99, p999 = np.percentile(seconds / duration_s, (50.0, 99.0, 99.9))
    return {"median": float(median), "p99": float(p99), "p999": float(p999), "cpu": cpu_s / duration_s}


def machine() -> dict[str, object]:
    """What the figures were measured on; `load_average` tells how busy it was (None where unknown)."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "onnxruntime": ort.__version__,
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        # x86 has "model name"; a Raspberry Pi only says "Model" for the whole board.
        if name := facts.get("model name") or facts.get("Model"):
            return name
    except OSError:
        pass
    if platform.system() == "Darwin":
        try:
            return subprocess.check_output(["sysctl", "-n", "machdep.cpu.brand_string"], text=True).strip()
        except (OSError, subprocess.SubprocessError):
            pass
    return platform.processor() or platform.machine()
