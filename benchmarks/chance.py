"""How much of a control score is chance: what a sound says of itself when only its noise is drawn anew.

    python benchmarks/chance.py INSTRUMENT CORPUS [--limit 8] [--seed 0] [--json]

Every request of the score is answered twice, with two draws of the noise that the decoder is given, and the
two answers are correlated as the score correlates request and answer: same frames, same partial ranks. No
request can be followed more closely than the answers follow each other: with independent errors of equal
size no correlation with it exceeds the root of theirs (`ceiling`; Spearman's attenuation, 1904). What a
score lacks to that is the instrument's own fault, the rest the measure's and the noise's.

Beside it `ears`: how well the instrument's own measure and the score's agree on the recordings themselves,
which bounds what training on the former can do for the latter.
"""

import argparse
import json
from collections import defaultdict
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
"""Mode -> control -> (rank of request and answer, rank of answer and answer) for each request."""


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
    rows: Rows = {mode: defaultdict(list) for mode in ("one", "all")}
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
                    rows[mode][name].append(ranks(vocabulary, source, request, name, answers, keep))
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
    lines = [
        "| control | one moved | repeats | ceiling | all moved | repeats | ceiling | ears |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, heard in result["ears"].items():
        cells = [
            result[mode].get(name, {}).get(key)
            for mode in ("one", "all")
            for key in ("score", "repeats", "ceiling")
        ]
        lines.append(
            f"| {name} | " + " | ".join("–" if c is None else f"{c:.2f}" for c in [*cells, heard]) + " |"
        )
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
