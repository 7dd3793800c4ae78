"""Pictures of what an instrument does: reconstructions, a knob's sweep, asked against heard. PNG files."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.nrk import Archive
from neurorack.core.timebase import HOP
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.measure.alignment import EDGE
from neurorack.learn.measure.asking import Request, requests_for, unmoved
from neurorack.learn.measure.excerpts import excerpts_of_corpus
from neurorack.learn.measure.held import HeldTone, anchors, render_held
from neurorack.learn.measure.independent import measure
from neurorack.learn.measure.render import Renderer
from neurorack.learn.measure.score import prepare_sources
from neurorack.learn.measure.subject import Source, Vocabulary

UNITS = {"loudness": "dB", "brightness": "Hz"}
ASKED, HEARD = "#444444", "#d1495b"
COLOURS = 256


def draw_all(
    archive: Archive, corpus: Corpus, folder: Path, split: str = "test", seed: int = 0, excerpts: int = 6
) -> list[Path]:
    """Draw reconstruction.png, sweep.png, curves.png, scatter.png and held.png into `folder`; their paths."""
    renderer = Renderer(archive)
    vocabulary, sources = prepare_sources(
        archive, renderer, excerpts_of_corpus(corpus, split, excerpts, seed)
    )
    if not sources:
        raise NeurorackError(
            f"{corpus.path} has nothing above -60 dB in its {split} split: draw from another"
        )
    answered = list(_answered(renderer, sources, vocabulary, seed))
    pictures: dict[str, Callable[[], Figure | None]] = {
        "reconstruction": lambda: reconstruction_figure(answered[:3], vocabulary.sample_rate),
        "sweep": lambda: sweep_figure(archive, renderer, vocabulary),
        "curves": lambda: curves_figure(answered, vocabulary),
        "scatter": lambda: scatter_figure(answered, vocabulary),
        "held": lambda: held_figure(render_held(archive, renderer, 10.0), vocabulary.sample_rate),
    }
    paths = []
    for name, draw in pictures.items():
        figure = draw()
        if figure is not None:
            paths.append(folder / f"{name}.png")
            save(figure, paths[-1])
    return paths


Answered = tuple[Source, list[Request], np.ndarray, list[dict[str, np.ndarray]]]


def _answered(renderer: Renderer, sources: Sequence[Source], vocabulary: Vocabulary, seed: int) -> Any:
    for index, source in enumerate(sources):
        requests = [unmoved(source), *requests_for(index, sources, vocabulary, seed)]
        audio = np.nan_to_num(renderer.render(source.z, [r.asked for r in requests], seed))  # type: ignore[arg-type]
        yield source, requests, audio, [vocabulary.listen(a) for a in audio]


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all, in 256 colours: half the size, and nobody sees it."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=110)
    drawn = Image.open(data).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    with atomic_write(path) as file:
        drawn.save(file, format="png", optimize=True)


def spectrogram(axis: Any, audio: np.ndarray, sample_rate: int, title: str) -> None:
    """Mel spectrogram of a sound, 80 dB deep, its frequencies in Hz."""
    power = np.abs(librosa.stft(np.asarray(audio, dtype=np.float32), n_fft=2048, hop_length=512)) ** 2
    mel = librosa.filters.mel(sr=sample_rate, n_fft=2048, n_mels=128) @ power
    level = 10 * np.log10(np.maximum(mel, 1e-10))
    seconds = len(audio) / sample_rate
    axis.imshow(
        level, origin="lower", aspect="auto", cmap="magma", vmin=level.max() - 80, extent=(0, seconds, 0, 128)
    )
    ticks_hz = np.array([100, 500, 1000, 2000, 5000, 10000])
    edges = librosa.mel_frequencies(n_mels=130, fmax=sample_rate / 2)
    axis.set_yticks(np.interp(ticks_hz, edges[1:-1], np.arange(128)), [f"{t:g}" for t in ticks_hz])
    axis.set_ylabel("Hz")
    axis.set_title(title, fontsize=9, loc="left")


def reconstruction_figure(answered: Sequence[Answered], sample_rate: int) -> Figure:
    """Source and reconstruction, one under the other, for a few excerpts side by side."""
    figure = Figure(figsize=(4.2 * len(answered), 5), layout="constrained")
    axes = figure.subplots(2, len(answered), squeeze=False)
    for column, (source, _, audio, _) in enumerate(answered):
        spectrogram(axes[0, column], source.excerpt.audio, sample_rate, f"source: {source.excerpt.files[0]}")
        spectrogram(axes[1, column], audio[0], sample_rate, "reconstruction")
        axes[1, column].set_xlabel("s")
    return figure


def sweep_figure(
    archive: Archive, renderer: Renderer, vocabulary: Vocabulary, seconds: float = 4.0
) -> Figure | None:
    """One held sound, each control in turn swept from the corpus's 5 % to 95 %: spectrogram, asked and
    heard."""
    chosen = anchors(archive, 3)
    if not chosen:
        return None
    m = archive.manifest
    z, still = chosen[len(chosen) // 2]
    frames = int(seconds * m.sample_rate / HOP)
    ramp = np.linspace(-0.9, 0.9, frames)
    names = vocabulary.scored
    asked = [
        {
            n: vocabulary.normalisers[n].to_physical(ramp).astype(float) if n == name else np.full(frames, v)
            for n, v in still.items()
        }
        for name in names
    ]
    audio = renderer.render(np.repeat(z[:, None], frames + m.latency_frames, axis=1), asked)
    figure = Figure(figsize=(3.6 * len(names), 5), layout="constrained")
    axes = figure.subplots(2, len(names), squeeze=False)
    for column, name in enumerate(names):
        spectrogram(axes[0, column], audio[column], m.sample_rate, f"{name} swept, the rest held")
        curves = vocabulary.listen(audio[column])
        for curve in curves.values():
            curve[:EDGE], curve[-EDGE:] = np.nan, np.nan
        _pair(
            axes[1, column], vocabulary.as_heard(name, asked[column][name]), curves[name], name, m.sample_rate
        )
    axes[1, 0].legend(fontsize=8)
    return figure


def _pair(axis: Any, asked: np.ndarray, heard: np.ndarray, name: str, sample_rate: int) -> None:
    t = np.arange(len(asked)) * HOP / sample_rate
    axis.plot(t, asked, color=ASKED, lw=1.2, label="asked")
    axis.plot(t, heard, color=HEARD, lw=1.0, label="heard")
    if name == "brightness":
        axis.set_yscale("log")
    axis.set_xlabel("s")
    axis.set_ylabel(f"{name} {UNITS.get(name, '')}".strip())


def curves_figure(answered: Sequence[Answered], vocabulary: Vocabulary) -> Figure:
    """One moved: for every control a donor's curve, steps and a walk, asked and heard."""
    kinds = ("donor", "steps", "walk")
    names = vocabulary.scored
    figure = Figure(figsize=(4 * len(kinds), 2.2 * len(names)), layout="constrained")
    axes = figure.subplots(len(names), len(kinds), squeeze=False)
    for row, name in enumerate(names):
        for column, kind in enumerate(kinds):
            axis = axes[row, column]
            found = [
                (request, heard[i])
                for _, requests, _, heard in answered
                for i, request in enumerate(requests)
                if request.kind == kind and request.moved == (name,)
            ]
            if not found:
                axis.set_axis_off()
                continue
            request, curves = found[row % len(found)]
            shown = np.where(request.counted, curves[name], np.nan)
            _pair(axis, vocabulary.as_heard(name, request.asked[name]), shown, name, vocabulary.sample_rate)
            axis.set_title(kind, fontsize=9, loc="left")
    axes[0, 0].legend(fontsize=8)
    return figure


def scatter_figure(answered: Sequence[Answered], vocabulary: Vocabulary) -> Figure:
    """Asked against heard on all frames that count, one moved and all moved."""
    names = vocabulary.scored
    figure = Figure(figsize=(3.2 * len(names), 6.2), layout="constrained")
    axes = figure.subplots(2, len(names), squeeze=False)
    for row, mode in enumerate(("one moved", "all moved")):
        for column, name in enumerate(names):
            axis = axes[row, column]
            points = [
                (vocabulary.as_heard(name, r.asked[name])[r.counted][::16], heard[i][name][r.counted][::16])
                for _, requests, _, heard in answered
                for i, r in enumerate(requests)
                if name in r.moved and (r.kind == "all") == (row == 1)
            ]
            if points:
                asked, got = (np.concatenate(p) for p in zip(*points, strict=True))
                axis.plot(asked, got, ".", ms=1.5, alpha=0.35, color=HEARD)
                ends = [asked.min(), asked.max()]
                axis.plot(ends, ends, color=ASKED, lw=0.8)
            if name == "brightness":
                axis.set_xscale("log")
                axis.set_yscale("log")
            axis.set_title(f"{name}, {mode}", fontsize=9, loc="left")
            axis.set_xlabel("asked")
    axes[0, 0].set_ylabel("heard")
    return figure


def held_figure(tones: Sequence[HeldTone], sample_rate: int) -> Figure | None:
    """A frozen sound: ten seconds, its long spectrum with the frame rate's multiples marked, its level."""
    if not tones:
        return None
    tone = tones[0]
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    spectrogram(left, tone.audio, sample_rate, "held for 10 s")
    window = np.hanning(len(tone.audio))
    level = 20 * np.log10(np.abs(np.fft.rfft(tone.audio * window)) / window.sum() * 2 + 1e-8)
    freqs = np.fft.rfftfreq(len(tone.audio), 1 / sample_rate)
    shown = freqs < 4000
    for k in range(1, 12):
        middle.axvline(k * sample_rate / HOP, color="#2a9d8f", lw=0.6, alpha=0.6)
    middle.plot(freqs[shown], level[shown], lw=0.4, color=HEARD)
    middle.set_title("spectrum; green: multiples of the frame rate", fontsize=9, loc="left")
    middle.set_xlabel("Hz")
    middle.set_ylabel("dB")
    loudness = measure(tone.audio, sample_rate, ["loudness"])["loudness"][EDGE:-EDGE]
    right.plot(np.arange(len(loudness)) * HOP / sample_rate, loudness, lw=0.6, color=HEARD)
    right.set_title("level, dB", fontsize=9, loc="left")
    right.set_xlabel("s")
    return figure
