"""F-RAVE's own measure of control, with independent ears: (r + 1) / 2, r Pearson's over a whole batch.

    python benchmarks/published_metric.py INSTRUMENT CORPUS [--limit 16] [--seed 0]

One to all attributes of the fixed set are replaced by control curves: constants, ramps, sines, or another
sound's curves (swaps); those not chosen keep the source's own. What is asked and heard of one attribute is
pooled over all sounds of the batch before r is taken (loudness in dB, brightness in octaves): a sound that
stands at the right mean level all along scores well, and chance is 0.5. It is here because the published
figures are in it, beside null rows that need no model. Prints JSON.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.library import find
from neurorack.core.nrk import read_nrk
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.measure.excerpts import excerpts_of_corpus
from neurorack.learn.measure.nulls import follow_level
from neurorack.learn.measure.render import Renderer
from neurorack.learn.measure.score import prepare_sources
from neurorack.learn.measure.subject import Source, Vocabulary

KINDS = ("constant", "ramp", "sine", "swap")
ROWS = ("model", "copy", "gain")
REACH = 0.9
"""Curves stay within the corpus's 5 % to 95 % range."""


def curve(kind: str, frames: int, rng: np.random.Generator) -> np.ndarray:
    """A control curve [frames] in [-0.9, 0.9], normalised."""
    a, b = rng.uniform(-REACH, REACH, 2)
    time = np.linspace(0, 1, frames)
    if kind == "constant":
        return np.full(frames, a)
    if kind == "ramp":
        return a + (b - a) * time
    swing = np.sin(2 * np.pi * (rng.uniform(1, 4) * time + rng.uniform()))
    return (a + b) / 2 + (b - a) / 2 * swing


def questions(
    index: int, sources: list[Source], vocabulary: Vocabulary, seed: int
) -> list[tuple[str, int, dict[str, np.ndarray]]]:
    """(kind, attributes changed, the curves of those) for one source: every kind with one to all."""
    rng = np.random.default_rng([seed, index, 7])
    frames, names = sources[index].frames, list(vocabulary.scored)
    donors = [i for i in range(len(sources)) if i != index]
    found = []
    for kind in KINDS:
        for count in range(1, len(names) + 1):
            moved = [names[i] for i in rng.permutation(len(names))[:count]]
            donor = sources[donors[rng.integers(len(donors))]]
            if kind == "swap":
                curves = {n: np.resize(donor.own[n], frames) for n in moved}
            else:
                curves = {
                    n: vocabulary.normalisers[n].to_physical(curve(kind, frames, rng)).astype(np.float64)
                    for n in moved
                }
            found.append((kind, count, curves))
    return found


def _axis(name: str, values: np.ndarray) -> np.ndarray:
    return np.log2(np.maximum(values, 1.0)) if name == "brightness" else np.asarray(values)


def pooled(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float | None:
    """(r + 1) / 2 over all frames of all sounds; a side without variation counts as r = 0."""
    if not pairs:
        return None
    asked, heard = (np.concatenate([p[i] for p in pairs]) for i in (0, 1))
    if asked.std() < 1e-9 or heard.std() < 1e-9:
        return 0.5
    return float((np.corrcoef(asked, heard)[0, 1] + 1) / 2)


def published_metric(
    instrument: str, corpus: Path, split: str = "test", limit: int = 16, seed: int = 0
) -> dict[str, Any]:
    """For the instrument and the two null rows: `mean`, by number of attributes, by kind, by attribute; each
    (r + 1) / 2, 0 to 1. `excerpts`: how many sounds. NeurorackError where there are fewer than two.
    """
    archive = read_nrk(find(instrument))
    renderer, rate = Renderer(archive), archive.manifest.sample_rate
    excerpts = excerpts_of_corpus(Corpus.open(corpus), split, limit, seed)
    vocabulary, sources = prepare_sources(archive, renderer, excerpts)
    if len(sources) < 2:
        raise NeurorackError(f"{corpus}: a swap takes two sounds of the {split} split, not {len(sources)}.")
    # (row, kind, attributes changed, attribute) -> pairs of asked and heard
    pairs: dict[tuple[str, str, int, str], list[tuple[np.ndarray, np.ndarray]]] = {}
    for index, source in enumerate(sources):
        asked = questions(index, sources, vocabulary, seed)
        sounds = renderer.render(source.z, [{**source.own, **curves} for _, _, curves in asked], seed)
        for (kind, count, curves), sound in zip(asked, np.nan_to_num(sounds), strict=True):
            gained = source.heard
            if "loudness" in curves:
                gained = vocabulary.listen(follow_level(source.excerpt.audio, curves["loudness"], rate))
            heard = {"model": vocabulary.listen(sound), "copy": source.heard, "gain": gained}
            for row in ROWS:
                for name, values in curves.items():
                    wanted = vocabulary.as_heard(name, values)[source.inside]
                    got = heard[row][name][source.inside]
                    pairs.setdefault((row, kind, count, name), []).append(
                        (_axis(name, wanted), _axis(name, got))
                    )
    counts = range(1, len(vocabulary.scored) + 1)

    def mean(row: str, kinds: tuple[str, ...], numbers: list[int], names: tuple[str, ...]) -> float | None:
        cells = [pooled(pairs.get((row, k, c, n), [])) for k in kinds for c in numbers for n in names]
        known = [c for c in cells if c is not None]
        return round(float(np.mean(known)), 4) if known else None

    every, names = list(counts), vocabulary.scored
    return {
        row: {
            "mean": mean(row, KINDS, every, names),
            "attributes": {str(c): mean(row, KINDS, [c], names) for c in every},
            "kind": {k: mean(row, (k,), every, names) for k in KINDS},
            "by": {n: mean(row, KINDS, every, (n,)) for n in names},
        }
        for row in ROWS
    } | {"excerpts": len(sources), "seed": seed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("instrument", help="a name or a .nrk file")
    parser.add_argument("corpus", type=Path, help="made by neurorack prepare")
    parser.add_argument("--split", default="test", choices=("test", "validation", "train"))
    parser.add_argument("--limit", type=int, default=16, help="excerpts")
    parser.add_argument("--seed", type=int, default=0)
    o = parser.parse_args()
    print(json.dumps(published_metric(o.instrument, o.corpus, o.split, o.limit, o.seed), indent=1))


if __name__ == "__main__":
    main()
