"""Our descriptors beside independent implementations, on a folder of recordings or on synthetic sounds.

    python benchmarks/descriptor_validation.py [FOLDER] [--count 60] [--json OUT]
    python benchmarks/descriptor_validation.py --references tests/learn/descriptors/references.json

References: librosa (centroid, bandwidth, rolloff, flatness, pYIN), MoSQITo (sharpness, roughness) and
timbral_models (boominess); the last two only where installed (`pip install mosqito timbral_models`).
A sound gives one pair of numbers per descriptor, averaged over its frames; the table shows the rank and the
linear correlation over the sounds, and the median relative difference where the units are the same.
`--references` writes what MoSQITo and timbral_models say about the synthetic sounds, for the tests.
"""

import argparse
import importlib.util
import json
import sys
import warnings
from pathlib import Path

import librosa
import numpy as np
import soundfile
import torch
from scipy.stats import pearsonr, spearmanr

from neurorack.learn.descriptors import build

SAMPLE_RATE = 44_100
WINDOW, HOP = 2048, 128
FULL_SCALE_PASCAL = 2e-5 * 10 ** (100 / 20) * np.sqrt(2)
"""Peak pressure of a 100 dB SPL sine: what ±1 stands for."""

NAMES = ("brightness", "bandwidth", "rolloff", "noisiness", "boominess", "pitch", "sharpness", "roughness")
SAME_UNITS = ("brightness", "bandwidth", "rolloff", "pitch", "sharpness", "roughness")


def synthetic() -> dict[str, np.ndarray]:
    """The sounds of the tests."""
    path = Path(__file__).parents[1] / "tests/learn/descriptors/descriptor_material.py"
    spec = importlib.util.spec_from_file_location("descriptor_material", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.material()


def recordings(folder: Path, count: int) -> dict[str, np.ndarray]:
    """Up to `count` excerpts of 1.5 s, evenly spread over the files."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".wav", ".flac", ".ogg", ".aiff"))
    sounds = {}
    for path in files[:: max(1, len(files) // count)][:count]:
        with soundfile.SoundFile(path) as file:
            if file.samplerate != SAMPLE_RATE or file.frames < SAMPLE_RATE // 2:
                continue
            x = file.read(int(1.5 * SAMPLE_RATE), always_2d=True).mean(axis=1)
        if np.abs(x).max() > 1e-3:
            sounds[str(path.relative_to(folder))] = x
    return sounds


def ours(x: np.ndarray, bank) -> dict[str, float]:
    """Averages over the frames within 40 dB of the loudest, pitch as a median over voiced ones."""
    with torch.no_grad():
        values = bank.measure(torch.from_numpy(x.astype(np.float32))[None], hold_unvoiced=False)[0].numpy()
    row = dict(zip(bank.outputs, values, strict=True))
    loud = (row["loudness"] > row["loudness"].max() - 40) & (np.arange(values.shape[1]) >= 32)
    weight = loud * 10 ** (row["loudness"] / 10)
    result = {n: float(row[n][loud].mean()) for n in NAMES if n not in ("pitch", "boominess")}
    result["boominess"] = float((weight * row["boominess"]).sum() / weight.sum())
    voiced = loud & (row["periodicity"] > 0.9)
    result["pitch"] = float(np.median(row["pitch"][voiced])) if voiced.sum() > 60 else np.nan
    return result


def librosa_says(x: np.ndarray) -> dict[str, float]:
    """librosa's spectral features with the same window, uncentred, over the same frames; pYIN's median."""
    padded = np.concatenate([np.zeros(WINDOW - HOP), x])
    magnitude = np.abs(librosa.stft(padded, n_fft=WINDOW, hop_length=HOP, center=False))
    level = librosa.power_to_db((magnitude**2).sum(axis=0))
    loud = (level > level.max() - 40) & (np.arange(len(level)) >= 32)
    feature = librosa.feature
    found = {
        "brightness": feature.spectral_centroid(S=magnitude, sr=SAMPLE_RATE),
        "bandwidth": feature.spectral_bandwidth(S=magnitude, sr=SAMPLE_RATE),
        "rolloff": feature.spectral_rolloff(S=magnitude, sr=SAMPLE_RATE, roll_percent=0.85),
        "noisiness": feature.spectral_flatness(S=magnitude),
    }
    result = {name: float(value[0][loud].mean()) for name, value in found.items()}
    f0, voiced, _ = librosa.pyin(x, fmin=45, fmax=1800, sr=SAMPLE_RATE, frame_length=4096, hop_length=1024)
    result["pitch"] = float(np.median(f0[voiced])) if voiced.sum() > 10 else np.nan
    return result


def perceptual_says(x: np.ndarray) -> dict[str, float]:
    """MoSQITo and timbral_models, where installed."""
    result = {}
    if importlib.util.find_spec("mosqito"):
        from mosqito.sq_metrics import roughness_dw, sharpness_din_st
        from scipy.signal import resample_poly

        pressure = resample_poly(x, 160, 147) * FULL_SCALE_PASCAL
        result["sharpness"] = float(sharpness_din_st(pressure, 48_000, weighting="din"))
        result["roughness"] = float(np.mean(roughness_dw(pressure, 48_000, overlap=0.5)[0]))
    if importlib.util.find_spec("timbral_models"):
        from timbral_models import timbral_booming

        result["boominess"] = float(timbral_booming(x.copy(), fs=SAMPLE_RATE))
    return result


def table(pairs: list[tuple[dict[str, float], dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Descriptor -> rank correlation, linear correlation, median relative difference, number of sounds."""
    rows = {}
    for name in NAMES:
        both = np.array([(a[name], b[name]) for a, b in pairs if name in b])
        both = both[np.isfinite(both).all(axis=1)] if len(both) else both
        if len(both) < 5:
            continue
        a, b = both.T
        rows[name] = {
            "rank": float(spearmanr(a, b)[0]),
            "linear": float(pearsonr(a, b)[0]),
            "sounds": len(both),
        }
        if name in SAME_UNITS:
            rows[name]["relative"] = float(np.median(np.abs(a - b) / np.maximum(np.abs(b), 1e-3)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--references", type=Path)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    if options.references:
        says = {name: perceptual_says(x) for name, x in synthetic().items()}
        rounded = {name: {k: round(v, 4) for k, v in row.items()} for name, row in says.items()}
        options.references.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
        return
    sounds = recordings(options.folder, options.count) if options.folder else synthetic()
    if not sounds:
        sys.exit(f"No 44.1 kHz recordings of half a second or more under {options.folder}.")
    bank = build(["loudness", *NAMES], SAMPLE_RATE)
    rows = table([(ours(x, bank), librosa_says(x) | perceptual_says(x)) for x in sounds.values()])
    print(f"{'':12s}{'rank':>8s}{'linear':>8s}{'median difference':>20s}{'sounds':>8s}")
    for name, row in rows.items():
        difference = f"{100 * row['relative']:.2f} %" if "relative" in row else "-"
        print(f"{name:12s}{row['rank']:8.3f}{row['linear']:8.3f}{difference:>20s}{row['sounds']:8d}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
