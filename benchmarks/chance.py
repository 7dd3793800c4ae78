"""How much of a control score is chance: what a sound says of itself when only its noise is drawn anew.

    python benchmarks/chance.py INSTRUMENT CORPUS [--limit 8] [--seed 0] [--json]

Every request of the score is answered twice, with two draws of the noise that the decoder is given, and the
two answers are correlated as the score correlates request and answer: same frames, same partial ranks. No
request can be followed more closely than the answers follow each other: with independent errors of equal
size no correlation with it exceeds the root of theirs (`ceiling`; Spearman's attenuation, 1904). What a
score lacks to that is the instrument's own fault, the rest the measure's and the noise's.

A second table parts the requests for one control by what asks: another recording's curve (of a note that may
stand nearly still), steps, or a walk.

Beside it `ears`: how well the instrument's own measure and the score's agree on the recordings themselves,
which bounds what training on the former can do for the latter.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neurorack.core.library import find
from neurorack.core.nrk import Archive, read_nrk
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.measure.asking import LEAST_FRAMES, Request, moves, requests_for
from neurorack.learn.measure.control import audible, taken_out
from neurorack.learn.measure.excerpts import excerpts_of_corpus
from neurorack.learn.measure.render import Renderer
from neurorack.learn.measure.score import prepare_sources
from neurorack.learn.measure.statistics import spearman
from neurorack.learn.measure.subject import Source, Vocabulary

Rows = dict[str, dict[str, list[tuple[float, float]]]]
"""Mode or kind -> control -> (rank of request and answer, rank of answer and answer) for each request."""

ASKS = {"donor": "another recording", "steps": "steps", "walk": "walk"}
"""Kinds of requests for one control, and what to call them."""


def ranks(
    vocabulary: Vocabulary, source: Source, request: Request, name: str, answers: list[dict], keep: np.ndarray
) -> tuple[float, float]:
    """Partial ranks of one request: of asked and heard (mean over the draws), of heard and heard."""
    asked = vocabulary.as_heard(name, request.asked[name])
    heard = [audible(name, curves, keep, name) for curves in answers]

    def partial(a: np.ndarray, b: np.ndarray, curves: dict) -> float:
        given = taken_out(vocabulary, source, request, name, name, curves)
        return spearman(a[keep], b[keep], [g[keep] for g in given], bent=True)

    followed = float(np.mean([partial(asked, h, c) for h, c in zip(heard, answers, strict=True)]))
    return followed, partial(heard[0], heard[1], answers[0])


def measure(archive: Archive, corpus: Corpus, limit: int, seed: int) -> dict:
    """Figures of both modes, control by control."""
    renderer = Renderer(archive)
    vocabulary, sources = prepare_sources(archive, renderer, excerpts_of_corpus(corpus, "test", limit, seed))
    rows: Rows = {mode: defaultdict(list) for mode in ("one", "all", *ASKS)}
    for index, source in enumerate(sources):
        for request in requests_for(index, sources, vocabulary, seed):
            sounds = [
                np.nan_to_num(renderer.render(source.z, [request.asked], draw)[0])
                for draw in (seed, seed + 1)
            ]
            answers = [vocabulary.listen(sound) for sound in sounds]
            mode, keep = ("all", request.feasible) if request.kind == "all" else ("one", request.counted)
            for name in request.moved:
                if moves(vocabulary, name, request.asked[name][keep]):
                    found = ranks(vocabulary, source, request, name, answers, keep)
                    for key in {mode, request.kind}:
                        rows[key][name].append(found)
    result: dict = {mode: {n: figures(values) for n, values in by.items()} for mode, by in rows.items()}
    result["ears"] = {n: ears(sources, vocabulary, n) for n in vocabulary.scored}
    return result


def figures(values: list[tuple[float, float]]) -> dict[str, float]:
    followed, repeated = (float(np.mean(column)) for column in zip(*values, strict=True))
    # The root of each request's own repeatability: a mean of roots is no root of a mean.
    ceiling = float(np.mean([max(again, 0.0) ** 0.5 for _, again in values]))
    return {"score": followed, "repeats": repeated, "ceiling": ceiling, "requests": len(values)}


def ears(sources: list[Source], vocabulary: Vocabulary, name: str) -> float:
    """Mean over excerpts of the rank correlation of the two measures on the recording itself."""
    found = [
        spearman(vocabulary.as_heard(name, s.own[name])[s.sounding], s.heard[name][s.sounding])
        for s in sources
        if np.count_nonzero(s.sounding) >= LEAST_FRAMES
    ]
    return float(np.mean(found))


def table(result: dict) -> str:
    heads = ("one moved", "repeats", "ceiling", "all moved", "repeats", "ceiling", "ears")
    keys = [(mode, key) for mode in ("one", "all") for key in ("score", "repeats", "ceiling")]
    whole = {n: [*_cells(result, n, keys), heard] for n, heard in result["ears"].items()}
    kinds = [(kind, key) for kind in ASKS for key in ("score", "ceiling")]
    parted = {n: _cells(result, n, kinds) for n in result["ears"]}
    asked = [head for kind in ASKS.values() for head in (f"one moved: {kind}", "ceiling")]
    return _markdown(heads, whole) + "\n\n" + _markdown(asked, parted)


def _cells(result: dict, name: str, keys: Sequence[tuple[str, str]]) -> list[float | None]:
    return [result[mode].get(name, {}).get(key) for mode, key in keys]


def _markdown(heads: Sequence[str], rows: dict[str, list[float | None]]) -> str:
    lines = ["| control | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for name, cells in rows.items():
        lines.append(f"| {name} | " + " | ".join("–" if c is None else f"{c:.2f}" for c in cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("instrument", help="a name or a .nrk file")
    parser.add_argument("corpus", type=Path, help="made by neurorack prepare; its test split is asked")
    parser.add_argument("--limit", type=int, default=8, help="excerpts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    archive = read_nrk(find(options.instrument))
    result = measure(archive, Corpus.open(options.corpus), options.limit, options.seed)
    print(json.dumps(result, indent=1) if options.json else table(result))


if __name__ == "__main__":
    main()
