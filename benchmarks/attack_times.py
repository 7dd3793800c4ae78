"""Are attacks as sharp as the recordings'? Rise times of reconstructions beside those of their sources.

    python benchmarks/attack_times.py skins CORPUS [--limit 40]

For each held-out recording: the time from 10 % to 90 % of the peak of the amplitude envelope (root mean
square in 1 ms), up to the first sample at the peak. Prints the medians and quartiles as JSON.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import neurorack
from neurorack.learn.corpus import Corpus


def rise_ms(audio: np.ndarray, sample_rate: int) -> float:
    """10 % to 90 % rise time in ms of the strongest onset."""
    step = sample_rate // 4000
    power = np.convolve(audio**2, np.full(4 * step, 0.25 / step), "same")[::step]
    envelope = np.sqrt(np.maximum(power, 0.0))
    peak = int(np.argmax(envelope))
    before = envelope[: peak + 1]
    high = int(np.argmax(before >= 0.9 * envelope[peak]))
    under = np.flatnonzero(before[: high + 1] <= 0.1 * envelope[peak])
    low = int(under[-1]) if len(under) else 0
    return 1000.0 * (high - low) * step / sample_rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("instrument")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--limit", type=int, default=40)
    options = parser.parse_args()
    instrument, corpus = neurorack.load(options.instrument), Corpus.open(options.corpus)
    files = corpus.split("test")
    files = files[:: max(1, len(files) // options.limit)][: options.limit]
    source, heard = [], []
    silence = np.zeros(corpus.sample_rate // 10, np.float32)
    for file in files:
        audio = np.concatenate([silence, corpus.audio(file)[: 2 * corpus.sample_rate]])
        source.append(rise_ms(audio, corpus.sample_rate))
        heard.append(rise_ms(instrument.transfer(audio, corpus.sample_rate), instrument.sample_rate))
    rows = {"source": source, "heard": heard}
    names = ("q25", "median", "q75")
    figures = {
        key: dict(zip(names, np.quantile(values, (0.25, 0.5, 0.75)).round(2).tolist(), strict=True))
        for key, values in rows.items()
    }
    print(json.dumps({"instrument": instrument.name, "files": len(files), "rise_ms": figures}))


if __name__ == "__main__":
    main()
