"""Do repeats vary as recorded ones do? Sixteen triggers of a tone beside round robins of the corpus.

    python benchmarks/repeat_variation.py winds RECORDINGS/melodic [--life 0 0.3 1] [--source clip] [--json]

Round robins are recordings of one gesture: files whose names differ only in `rr1`, `rr2` … . Two repeats are
laid over each other at their onsets and compared in third octaves every 12 ms, from 10 ms before the onset
to 0.6 s after it or the end of the shorter: their distance is the median over time and frequency of
|difference| in dB, where either is within 45 dB of the louder one's peak. A group's figure is the median
over its pairs; printed are the quartiles over groups (round robins) and over tones (the instrument).
"""

import argparse
import json
import re
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import soundfile
import soxr

import neurorack
from neurorack.play.engine.engine import Engine
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import ControlFrame, Source
from neurorack.play.engine.params import CLIP_ONE_SHOT

RATE = 44100
WINDOW, STEP = 1024, 512
BEFORE_S, LENGTH_S = 0.01, 0.6
RANGE_DB = 45.0
TRIGGERS = 16
ROUND_ROBIN = re.compile(r"_?rr\d+", re.IGNORECASE)
SUFFIXES = {".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff"}

_EDGES_HZ = 50.0 * 2.0 ** (np.arange(26) / 3.0)
_BINS = np.fft.rfftfreq(WINDOW, 1.0 / RATE)
_BANDS = np.array([(low <= _BINS) & (high > _BINS) for low, high in pairwise(_EDGES_HZ)])
_BANDS = _BANDS[_BANDS.any(axis=1)].astype(np.float64)


def onset(audio: np.ndarray) -> int:
    """Sample where the sound first comes within 30 dB of its loudest millisecond."""
    step = RATE // 1000
    power = np.square(audio[: len(audio) // step * step]).reshape(-1, step).mean(axis=1)
    return int(np.argmax(power > 1e-3 * power.max())) * step


def spectra_db(audio: np.ndarray) -> np.ndarray:
    """Third-octave levels [bands, time] in dB from just before the onset on."""
    start = onset(audio) - int(BEFORE_S * RATE)
    audio = np.concatenate([np.zeros(max(-start, 0)), audio[max(start, 0) :]])[: int(LENGTH_S * RATE)]
    audio = np.pad(audio, (0, max(WINDOW - len(audio), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(audio, WINDOW)[::STEP]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)))
    return 10.0 * np.log10(_BANDS @ power.T + 1e-12)


def distance_db(one: np.ndarray, two: np.ndarray) -> float:
    """Median |difference| of two spectra [bands, time] where either can be heard."""
    time = min(one.shape[1], two.shape[1])
    louder = np.maximum(one[:, :time], two[:, :time])
    heard = louder > louder.max() - RANGE_DB
    floor = louder.max() - RANGE_DB - 15.0
    difference = np.maximum(one[:, :time], floor) - np.maximum(two[:, :time], floor)
    return float(np.median(np.abs(difference[heard])))


def variation_db(sounds: list[np.ndarray]) -> float:
    """Median distance over all pairs of sounds."""
    spectra = [spectra_db(sound) for sound in sounds]
    return float(np.median([distance_db(a, b) for a, b in combinations(spectra, 2)]))


def round_robins(folder: Path) -> dict[str, list[Path]]:
    """Files of the folder that repeat one gesture, by what their names have in common."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and ROUND_ROBIN.search(path.stem):
            groups.setdefault(str(path.parent / ROUND_ROBIN.sub("", path.stem)), []).append(path)
    return {name: paths for name, paths in groups.items() if len(paths) > 1}


def read(path: Path) -> np.ndarray:
    """Mono at RATE."""
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(audio.mean(axis=1), rate, RATE)


def triggers(instrument: neurorack.Instrument, frame: ControlFrame) -> list[np.ndarray]:
    """Sixteen notes of a frame's tone, one after the other, each from silence."""
    engine = Engine(instrument)
    hop, frames = engine.hop, int(0.45 * RATE) // engine.hop
    sounds = []
    for _ in range(TRIGGERS):
        parts = [engine.render(hop, frame, events=[Event(Kind.NOTE_ON, note=60, a=0.0, b=1.0)])]
        parts.append(engine.render(frames * hop, frame))
        parts.append(engine.render(hop, frame, events=[Event(Kind.NOTE_OFF, note=60)]))
        while engine.telemetry.sounding:
            parts.append(engine.render(8 * hop, frame))
        sounds.append(np.concatenate(parts, axis=1).mean(axis=0))
    return sounds


def quartiles(values: list[float]) -> dict[str, float | int]:
    """What is printed of many figures."""
    q25, median, q75 = np.quantile(values, (0.25, 0.5, 0.75)).round(2).tolist()
    return {"groups": len(values), "q25": q25, "median": median, "q75": q75}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("instrument")
    parser.add_argument("recordings", type=Path, help="folder that holds round robins")
    parser.add_argument("--life", type=float, nargs="+", default=[0.0, 0.3, 1.0])
    parser.add_argument("--source", choices=("hold", "clip"), default="hold")
    parser.add_argument(
        "--limit", type=int, default=80, help="most round robins measured; a fifth as many tones"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    instrument = neurorack.load(options.instrument)
    groups = list(round_robins(options.recordings).values())
    if not groups:
        parser.error(f"{options.recordings} holds no files whose names differ only in rr1, rr2 …")
    groups = groups[:: -(-len(groups) // options.limit)]
    rows = {"round robins": quartiles([variation_db([read(p) for p in paths]) for paths in groups])}
    tones = len(instrument.clips if options.source == "clip" else instrument.anchors_z)
    for life in options.life:
        found = []
        for tone in range(0, tones, -(-tones // max(options.limit // 5, 1))):
            frame = ControlFrame(life=life, anchor=tone, clip=tone, clip_mode=CLIP_ONE_SHOT)
            frame.source = Source.CLIP if options.source == "clip" else Source.HOLD
            found.append(variation_db(triggers(instrument, frame)))
        rows[f"life {life:g}"] = quartiles(found)
    if options.json:
        print(json.dumps({"instrument": instrument.name, "source": options.source, "distance_db": rows}))
        return
    print(f"{instrument.name}, {options.source}: median log-spectral difference between repeats, dB")
    print(f"{'':16}{'groups':>8}{'q25':>8}{'median':>8}{'q75':>8}")
    for name, row in rows.items():
        print(f"{name:16}" + "".join(f"{row[key]:8}" for key in ("groups", "q25", "median", "q75")))


if __name__ == "__main__":
    main()
