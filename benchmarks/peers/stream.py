"""How any sound-to-sound stream is timed: the same clock, bursts and memory figures for every arm.

A stream is a function that takes a block of samples, float32 [B], and gives as many back. Needs numpy alone,
so that it runs in every arm's own environment.
"""

import gc
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

Stream = Callable[[np.ndarray], np.ndarray]

LEAST_BLOCKS = 50
WARM_BLOCKS = 16
BURST_S = 0.01
SETTLE_S = 1.5
LISTEN_S = 1.0
PLACES = 4
"""Places within a block at which the burst begins: a stream that works in blocks answers each differently."""

AUDIBLE = 1e-3
"""Share of the response's peak that counts as its beginning."""


def noise(count: int, amplitude: float, seed: int = 1) -> np.ndarray:
    """Uniform white noise, float32 [count]."""
    return np.random.default_rng(seed).uniform(-amplitude, amplitude, count).astype(np.float32)


def why_not_at(stream: Stream, block: int) -> str | None:
    """What keeps a stream from running in blocks of this size, None where it runs: four answers must be as
    long as the blocks, and finite."""
    try:
        for i in range(4):
            answer = stream(noise(block, 0.1, i))
            if answer.shape != (block,):
                return f"answers {block} samples with {answer.shape[-1]}"
            if not np.isfinite(answer).all():
                return "answers with numbers that are not finite"
    except Exception as error:  # whatever a peer's code raises is an answer here
        return str(error).strip().splitlines()[-1][:200] if str(error).strip() else type(error).__name__
    return None


def factors(stream: Stream, block: int, sample_rate: float, seconds: float) -> dict[str, float]:
    """{"median", "p99", "cpu", "calls"}: real-time factors, computing over sounding time, of at least 50
    blocks.

    The percentiles are of elapsed time, other programs' interruptions included; "cpu" is the mean of the
    process's own processor time, which a busy machine changes less.
    """
    sounds = noise(64 * block, 0.1).reshape(64, block)
    count = max(int(seconds * sample_rate / block), LEAST_BLOCKS)
    for i in range(WARM_BLOCKS):
        stream(sounds[i % 64])
    took = np.empty(count)
    gc.collect()
    gc.disable()
    try:
        cpu = time.process_time()
        for i in range(count):
            start = time.perf_counter()
            stream(sounds[i % 64])
            took[i] = time.perf_counter() - start
        cpu = (time.process_time() - cpu) / count
    finally:
        gc.enable()
    lasts = block / sample_rate
    median, p99 = np.percentile(took / lasts, (50.0, 99.0))
    return {"median": float(median), "p99": float(p99), "cpu": cpu / lasts, "calls": count}


def run(stream: Stream, audio: np.ndarray, block: int) -> np.ndarray:
    """The answer to a sound [N] given block by block, as long as the sound; silence fills the last block."""
    padded = np.pad(audio, (0, -len(audio) % block))
    parts = [stream(piece) for piece in padded.reshape(-1, block)]
    return np.concatenate(parts)[: len(audio)]


def latency(make: Callable[[], Stream], block: int, sample_rate: float) -> dict[str, float]:
    """When a burst of noise of 10 ms out of silence is answered, in samples after it went in.

    The answer to silence is taken off (`make` must give the same random numbers each time). "first": the
    earliest sample over 1/1000 of the response's peak, the least over four places within a block; "middle":
    half the response's energy after half the burst's, mean over them. A host collects a block before it can
    give it: what is heard is later by one block than either, and "first" may be negative.
    """
    settle = math.ceil(SETTLE_S * sample_rate / block) * block
    length = settle + math.ceil(LISTEN_S * sample_rate / block) * block
    burst = noise(round(BURST_S * sample_rate), 0.5)
    quiet = run(make(), np.zeros(length, np.float32), block)
    firsts, middles = [], []
    for place in range(PLACES):
        begin = settle + place * block // PLACES
        audio = np.zeros(length, np.float32)
        audio[begin : begin + len(burst)] = burst
        response = run(make(), audio, block) - quiet
        found = response_times(response)
        if found is None:
            raise ValueError("a burst is not answered at all")
        firsts.append(found[0] - begin)
        middles.append(found[1] - begin - len(burst) / 2)
    return {"first": float(min(firsts)), "middle": float(np.mean(middles))}


def response_times(response: np.ndarray) -> tuple[int, int] | None:
    """(first audible sample, sample by which half the energy has come) of a response [N]; None for
    silence."""
    size = np.abs(response.astype(np.float64))
    if not size.max() > 1e-9:
        return None
    energy = np.cumsum(size**2)
    return int(np.argmax(size > AUDIBLE * size.max())), int(np.searchsorted(energy, 0.5 * energy[-1]))


def memory_mb() -> dict[str, float]:
    """{"now", "peak"}: resident memory of this process, MB (10^6 bytes); {} where the system does not
    tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    kb = {key: value.split()[0] for key, _, value in (line.partition(":") for line in lines) if value.split()}
    return {"now": int(kb["VmRSS"]) * 1.024e-3, "peak": int(kb["VmHWM"]) * 1.024e-3}


def load_average() -> float | None:
    """How busy the machine is, all programs counted; None where unknown."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
