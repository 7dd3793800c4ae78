"""The whole score of one instrument on recordings it never heard, as nested plain figures for JSON."""

import dataclasses
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.nrk import Archive, write_nrk
from neurorack.core.timebase import HOP
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.measure import pitch, sweeps
from neurorack.learn.measure.asking import Request, requests_for, unmoved
from neurorack.learn.measure.control import ControlScore, Curves, Yardstick
from neurorack.learn.measure.diversity import diversity
from neurorack.learn.measure.excerpts import Excerpt, excerpts_of_corpus
from neurorack.learn.measure.held import held_tone, knob_travel
from neurorack.learn.measure.nulls import follow_level, noise_in_bands
from neurorack.learn.measure.realism import Realism, Reference, hiss_under
from neurorack.learn.measure.reconstruction import ReconstructionScore, answer_to_nothing_db
from neurorack.learn.measure.render import Renderer
from neurorack.learn.measure.second_ears import SECOND
from neurorack.learn.measure.statistics import mean_or_none, spearman
from neurorack.learn.measure.subject import Source, Vocabulary, pooled
from neurorack.learn.measure.transfer import transferred

SCORE_VERSION = 3
DEFAULT_LIMIT = 32
"""Excerpts scored unless asked otherwise: about three minutes' work for one core."""

Progress = Callable[[int, int], None]
"""Called with (excerpts done, excerpts in all)."""

Witness = Callable[[Source, Sequence[Request], np.ndarray, Sequence[Curves]], None]
"""Called with a source, its requests (the unmoved one first), the answers [R, 128 T], and what was heard."""


def prepare_sources(
    archive: Archive, renderer: Renderer, excerpts: Sequence[Excerpt]
) -> tuple[Vocabulary, list[Source]]:
    """Everything that is known of the excerpts before anything is asked; only those that sound are kept."""
    manifest = archive.manifest
    vocabulary = Vocabulary.of_instrument(manifest, archive.array(manifest.support_path))
    sources = []
    for excerpt in excerpts:
        analysis = renderer.analyse(excerpt.audio)
        own = {name: analysis.curves[name] for name in vocabulary.names}
        heard = vocabulary.listen(excerpt.audio)
        source = Source(excerpt, own, heard, analysis.z, analysis.curves.get("periodicity"))
        if source.sounding.any():
            sources.append(source)
    return vocabulary, sources


def score_instrument(
    archive: Archive,
    corpus: Corpus,
    split: str = "test",
    limit: int | None = DEFAULT_LIMIT,
    seed: int = 0,
    progress: Progress | None = None,
    witness: Witness | None = None,
) -> dict[str, Any]:
    """Every figure of docs/scoring.md. NeurorackError if rates differ or nothing can be scored."""
    started = time.monotonic()
    manifest = archive.manifest
    if corpus.sample_rate != manifest.sample_rate:
        raise NeurorackError(
            f"{corpus.path} is at {corpus.sample_rate} Hz and {manifest.name} at {manifest.sample_rate} Hz: "
            f"prepare the recordings again with --rate {manifest.sample_rate}"
        )
    excerpts = excerpts_of_corpus(corpus, split, limit, seed)
    renderer = Renderer(archive)
    vocabulary, sources = prepare_sources(archive, renderer, excerpts)
    if not vocabulary.scored:
        raise NeurorackError(
            f"{manifest.name} has none of the controls that can be scored (loudness, brightness, boominess, "
            "noisiness): train it with at least one of them"
        )
    if len(sources) < 2:
        raise NeurorackError(
            f"{corpus.path} has {len(sources)} excerpt of a second or more above -60 dB in its {split} "
            "split, and scoring needs two: prepare more recordings, or choose another --split"
        )
    yardstick = Yardstick.of(sources, vocabulary)
    rows = {name: ControlScore(vocabulary, yardstick, seed) for name in ("model", "copy", "gain")}
    cents: dict[str, list[np.ndarray]] = {"own": [], "moved": [], "copy": [], "edited": []}
    rate = manifest.sample_rate
    rebuilt = {name: ReconstructionScore(rate) for name in ("model", "noise", "bands")}
    reference = Reference.of_corpus(corpus, seed)
    realism = Realism(reference, rate, seed) if reference else None
    for index, source in enumerate(sources):
        requests = [unmoved(source), *requests_for(index, sources, vocabulary, seed)]
        answers = _answers(renderer, source, requests, seed)
        heard = [vocabulary.listen(a) for a in answers]
        rows["model"].add(index, source, requests, heard)
        rows["copy"].add(index, source, requests, [source.heard] * len(requests))
        rows["gain"].add(index, source, requests, [_gained(source, r, vocabulary) for r in requests])
        if realism:
            realism.add(source, requests, list(answers))
        audio, level_db = source.excerpt.audio, source.heard["loudness"]
        rebuilt["model"].add(audio, answers[0], level_db, heard[0]["loudness"])
        hiss = hiss_under(source, rate, seed, index)
        rebuilt["noise"].add(audio, hiss, level_db, level_db)
        rebuilt["bands"].add(audio, noise_in_bands(audio, rate, seed + index), level_db, level_db)
        if witness:
            witness(source, requests, answers, heard)
        if manifest.pitched:
            moved = pitch.transposed(source, vocabulary, seed, index)
            (answer,) = _answers(renderer, source, [moved], seed)
            cents["own"].append(pitch.errors_cents(source, source.own["pitch"], answers[0], rate))
            cents["moved"].append(pitch.errors_cents(source, moved.asked["pitch"], answer, rate))
            cents["copy"].append(pitch.errors_cents(source, source.own["pitch"], audio, rate))
            for request, answer in zip(requests, answers, strict=True):
                if request.kind == "walk":
                    cents["edited"].append(pitch.errors_cents(source, request.asked["pitch"], answer, rate))
        if progress:
            progress(index + 1, len(sources))
    scores = _figures(archive, renderer, vocabulary, sources, rows, rebuilt, cents)
    scores["real"] = _rounded(realism.summary()) if realism else {}
    found = diversity(archive, renderer, corpus, reference, split, seed) if reference else {}
    scores["diversity"] = _rounded(found)
    return {
        "version": SCORE_VERSION,
        "corpus": corpus.path.resolve().name,
        "split": split,
        "files": sum(len(s.excerpt.files) for s in sources),
        "excerpts": len(sources),
        "seconds": round(sum(len(s.excerpt.audio) for s in sources) / rate, 1),
        "seed": seed,
        "machine": machine(),
        "took_seconds": round(time.monotonic() - started, 1),
        **scores,
    }


def _answers(renderer: Renderer, source: Source, requests: Sequence[Request], seed: int) -> np.ndarray:
    if source.z is None:
        raise ValueError("a source without a latent curve cannot be rendered")
    return np.nan_to_num(renderer.render(source.z, [r.asked for r in requests], seed))


def _gained(source: Source, request: Request, vocabulary: Vocabulary) -> Any:
    if "loudness" not in request.moved:
        return source.heard
    audio = follow_level(source.excerpt.audio, request.asked["loudness"], vocabulary.sample_rate)
    return vocabulary.listen(audio)


def _figures(
    archive: Archive,
    renderer: Renderer,
    vocabulary: Vocabulary,
    sources: Sequence[Source],
    rows: dict[str, ControlScore],
    rebuilt: dict[str, ReconstructionScore],
    cents: dict[str, list[np.ndarray]],
) -> dict[str, Any]:
    spans = {n: _span(pooled(sources, n, "heard")) for n in vocabulary.scored}
    model = rows["model"].summary()
    scores: dict[str, Any] = {
        "reconstruction": {
            **rebuilt["model"].summary(),
            "nothing_db": _nothing_db(renderer, archive.manifest.sample_rate),
        },
        **model,
        "agreement": {n: _agreement(sources, vocabulary, n) for n in vocabulary.scored},
        "agreement_second": {
            n: _agreement(sources, vocabulary, n, SECOND[n]) for n in vocabulary.scored if n in SECOND
        },
        "null": {
            **{name: _null(rows[name].summary()) for name in ("copy", "gain")},
            "mismatch": model.pop("mismatched"),
            **{name: rebuilt[name].summary() for name in ("noise", "bands")},
        },
        "travel": knob_travel(archive, renderer, vocabulary, spans),
        "held": held_tone(archive),
        "unscored": [n for n in vocabulary.names if n not in (*vocabulary.scored, "pitch")],
    }
    if archive.manifest.pitched:
        scores["pitch"] = pitch.summary(cents["own"], cents["moved"], cents["copy"], cents["edited"])
    return _rounded(scores)


def _nothing_db(renderer: Renderer, sample_rate: int) -> float:
    """Level of the answer to a second of digital silence."""
    silence = np.zeros(sample_rate // HOP * HOP, dtype=np.float32)
    return answer_to_nothing_db(transferred(renderer, silence))


def _span(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [0.05, 0.95])
    return float(low), float(high)


def _agreement(
    sources: Sequence[Source], vocabulary: Vocabulary, name: str, ear: str | None = None
) -> float | None:
    """Mean rank correlation of the instrument's own and the independent measure (or a second ear's) of the
    sources."""
    kept = [s for s in sources if s.sounding.sum() >= 64]
    return mean_or_none(
        [
            spearman(vocabulary.as_heard(name, s.own[name])[s.sounding], s.heard[ear or name][s.sounding])
            for s in kept
        ]
    )


def _null(summary: dict[str, Any]) -> dict[str, Any]:
    """A null row keeps the control figures, without the level of one/all that `control` has, loudness, and
    what leaks where nothing but it was moved."""
    return {**summary["control"], "loudness": summary["loudness"], "leakage": summary["leakage"]}


def _rounded(value: Any) -> Any:
    """Four significant figures say all there is; NaN, which JSON cannot say, becomes None."""
    if isinstance(value, dict):
        return {str(k): _rounded(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.4g}") if np.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value


def machine() -> dict[str, Any]:
    """What the figures were made with."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "numpy": np.__version__,
    }


def stored(scores: dict[str, Any]) -> dict[str, Any]:
    """The scores as they go into an instrument: all but the single held tones."""
    return {**scores, "held": {k: v for k, v in scores["held"].items() if k != "tones"}}


def write_scores(path: Path, archive: Archive, scores: dict[str, Any]) -> None:
    """Store `scores` in the manifest of the instrument at `path`, whole or not at all."""
    manifest = dataclasses.replace(archive.manifest, scores=stored(scores))
    write_nrk(path, manifest, {name: archive.member(name) for name in archive.manifest.files})


def sweep_into(
    archive: Archive,
    corpus: Corpus,
    folder: Path,
    split: str = "test",
    limit: int | None = DEFAULT_LIMIT,
    seed: int = 0,
    count: int = 6,
    seconds: float = 5.0,
) -> tuple[dict[str, Any], list[Path]]:
    """Sweep every control of held sounds; write sweeps.json and a picture a control: figures and paths."""
    from neurorack.learn.measure.sweep_pictures import draw_sweeps

    renderer = Renderer(archive)
    vocabulary, sources = prepare_sources(archive, renderer, excerpts_of_corpus(corpus, split, limit, seed))
    if not sources or not vocabulary.scored:
        raise NeurorackError(f"{corpus.path}: there is nothing above -60 dB, or no control, to sweep by")
    ranges = sweeps.Ranges.of(sources, vocabulary)
    found = sweeps.sweep_controls(archive, renderer, vocabulary, ranges, count, seconds)
    figures = _rounded(sweeps.summary(found))
    with atomic_write(folder / "sweeps.json") as file:
        file.write(json.dumps(figures, indent=1).encode())
    return figures, draw_sweeps(found, ranges, vocabulary.sample_rate, folder)


def probe_instrument(archive: Archive, corpus: Corpus, seed: int = 0) -> dict[str, Any]:
    """How well a fresh network reads each control from z; {} without the controls or groups."""
    from neurorack.learn.measure.probe import leakage_probe, recordings_for

    names = [c.name for c in archive.manifest.controls if c.name in corpus.outputs]
    if not names:
        return {}
    return _rounded(leakage_probe(recordings_for(Renderer(archive), corpus, names, seed), names, seed))
