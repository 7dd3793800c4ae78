"""Timbre transfer judged: a corpus of other sounds played by instruments, beside the sounds themselves.

    python benchmarks/transfer_score.py winds OTHER_CORPUS --own WINDS_CORPUS -o FOLDER [--also other.nrk]

Rows: each instrument; the source as it is; and a recording of the instrument's own corpus under the source's
level (the timbre moved wholly, nothing kept but loudness). "Of the way": from the one to the other in
"timbre moved". learn/measure/transfer.py defines the figures.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from neurorack.core.library import find
from neurorack.core.nrk import read_nrk
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.measure.excerpts import excerpts_of_corpus
from neurorack.learn.measure.independent import measure
from neurorack.learn.measure.nulls import follow_level
from neurorack.learn.measure.realism import Reference
from neurorack.learn.measure.render import Renderer
from neurorack.learn.measure.transfer import content_kept, summary, timbre_moved, transferred

COLUMNS = {
    "loudness": "loudness kept", "pitch": "pitch kept", "pitch_within_50_cents": "within 50 cents",
    "onsets": "onsets kept", "moved": "timbre moved", "way": "of the way",
}  # fmt: skip

SOURCE, NATIVE = "source as it is", "own recordings, source's level"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("instrument", help="a name or a .nrk file")
    parser.add_argument("other", type=Path, help="corpus of other sounds; its test split is played")
    parser.add_argument("--own", type=Path, required=True, help="the instrument's own corpus")
    parser.add_argument("--also", action="append", default=[], help="another instrument; repeatable")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    own, other = Corpus.open(options.own), Corpus.open(options.other)
    if own.sample_rate != other.sample_rate:
        parser.error("the corpora differ in rate: prepare one of them again")
    rate = own.sample_rate
    here, there = (Reference.of_corpus(c, options.seed) for c in (own, other))
    if here is None or there is None:
        parser.error("a corpus has too little sound in its train split")
    sounds = [e.audio for e in excerpts_of_corpus(other, "test", options.limit, options.seed)]
    native = [e.audio for e in excerpts_of_corpus(own, "test", options.limit, options.seed)]
    answers = {}
    for name in [options.instrument, *options.also]:
        renderer = Renderer(read_nrk(find(name)))
        answers[Path(name).stem] = [transferred(renderer, s, options.seed) for s in sounds]
    answers[SOURCE] = sounds
    answers[NATIVE] = [
        follow_level(
            np.resize(native[i % len(native)], len(s)), measure(s, rate, ["loudness"])["loudness"][:-1], rate
        )
        for i, s in enumerate(sounds)
    ]
    figures = {
        label: summary(
            [
                content_kept(s, a, rate) | {"moved": timbre_moved(a, rate, here, there)}
                for s, a in zip(sounds, made, strict=True)
            ]
        )
        for label, made in answers.items()
    }
    low, high = figures[SOURCE]["moved"], figures[NATIVE]["moved"]
    for row in figures.values():
        known = None not in (low, high, row["moved"]) and high > low
        row["way"] = (row["moved"] - low) / (high - low) if known else None
    lines = ["| | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for label, row in figures.items():
        cells = ["–" if row[k] is None else f"{row[k]:.2f}" for k in COLUMNS]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    text = (
        f"{len(sounds)} sounds of the test split of {other.path.resolve().name} played by instruments of "
        f"{own.path.resolve().name}, seed {options.seed}.\n\n" + "\n".join(lines) + "\n"
    )
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "transfer.md").write_text(text, encoding="utf-8")
    (options.output / "transfer.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
