"""Everything a report shows, made by playing and measuring the instrument; no page here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.manifest import Manifest
from neurorack.core.nrk import Archive
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.measure.excerpts import excerpts_of_corpus
from neurorack.learn.measure.held import HeldTone, describe_tone, render_held
from neurorack.learn.measure.render import Renderer
from neurorack.learn.measure.score import Progress, prepare_sources, score_instrument
from neurorack.learn.measure.subject import Vocabulary
from neurorack.learn.measure.sweeps import Ranges, Sweep, sweep_controls
from neurorack.learn.measure.sweeps import summary as sweep_summary
from neurorack.learn.measure.transfer import content_kept, transferred
from neurorack.learn.report.album import Album
from neurorack.learn.report.foreign import Foreign, foreign_sounds

HELD_SECONDS, HELD_COUNT = 5.0, 3
SWEEP_SECONDS, SWEEP_COUNT = 4.0, 3

Say = Callable[[str], None]
"""Told in a few words what is done next."""


@dataclass(frozen=True)
class Transferred:
    """A sound of another kind, what the instrument made of it, and what of its content was kept."""

    source: Foreign
    answer: np.ndarray
    kept: Mapping[str, float | None]


@dataclass(frozen=True)
class Findings:
    """One instrument on one corpus: figures and sounds. `others`: (manifest, scores, album) of instruments it
    is compared with, on the same excerpts."""

    manifest: Manifest
    corpus: Corpus
    scores: Mapping[str, Any]
    album: Album
    held: Sequence[tuple[HeldTone, Mapping[str, Any]]]
    sweeps: Mapping[str, Sequence[Sweep]]
    sweep_figures: Mapping[str, Any]
    ranges: Ranges
    transfers: Sequence[Transferred]
    others: Sequence[tuple[Manifest, Mapping[str, Any], Album]] = ()


def gather(
    archive: Archive,
    corpus: Corpus,
    split: str = "test",
    limit: int = 12,
    seed: int = 0,
    others: Sequence[Archive] = (),
    transfers: Path | None = None,
    say: Say = lambda _: None,
    progress: Progress | None = None,
) -> Findings:
    """Score, sweep, hold and transfer. NeurorackError as `score_instrument`, or for unusable sounds."""
    foreign = foreign_sounds(archive.manifest, transfers)  # first: what is wrong with it should not take long
    say(f"Scoring {archive.manifest.title}")
    scores, album = _scored(archive, corpus, split, limit, seed, progress)
    compared = []
    for other in others:
        say(f"Scoring {other.manifest.title}, to compare with")
        compared.append((other.manifest, *_scored(other, corpus, split, limit, seed, progress)))
    say("Sweeping the controls, holding tones, transferring other sounds")
    renderer = Renderer(archive)
    vocabulary, sources = prepare_sources(archive, renderer, excerpts_of_corpus(corpus, split, limit, seed))
    ranges = Ranges.of(sources, vocabulary)
    sweeps = sweep_controls(archive, renderer, vocabulary, ranges, SWEEP_COUNT, SWEEP_SECONDS)
    tones = render_held(archive, renderer, HELD_SECONDS, HELD_COUNT, seed)
    made = []
    for sound in foreign:
        answer = transferred(renderer, sound.audio, seed)
        made.append(Transferred(sound, answer, content_kept(sound.audio, answer, corpus.sample_rate)))
    return Findings(
        archive.manifest,
        corpus,
        scores,
        album,
        [(tone, describe_tone(tone)) for tone in tones],
        sweeps,
        sweep_summary(sweeps),
        ranges,
        made,
        compared,
    )


def _scored(
    archive: Archive, corpus: Corpus, split: str, limit: int, seed: int, progress: Progress | None
) -> tuple[dict[str, Any], Album]:
    album = Album(Vocabulary.of_instrument(archive.manifest, archive.array(archive.manifest.support_path)))
    return score_instrument(archive, corpus, split, limit, seed, progress, album), album
