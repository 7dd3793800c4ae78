"""Every knob's whole travel, of several held sounds: table, JSON and a picture for each control.

    python benchmarks/sweeps.py INSTRUMENT CORPUS -o FOLDER

The same as `neurorack measure --sweeps FOLDER` without the rest of the score; learn/measure/sweeps.py defines
the figures.
"""

import argparse
from pathlib import Path

from neurorack.core.library import find
from neurorack.core.nrk import read_nrk
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.measure.score import sweep_into
from neurorack.learn.measure.sweeps import markdown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("instrument", help="a name or a .nrk file")
    parser.add_argument(
        "corpus", type=Path, help="made by neurorack prepare; its test split gives the ranges"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to fill")
    parser.add_argument("--anchors", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--limit", type=int, default=16, help="excerpts that the ranges are taken from")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    archive, corpus = read_nrk(find(options.instrument)), Corpus.open(options.corpus)
    figures, _ = sweep_into(
        archive, corpus, options.output, "test", options.limit, options.seed, options.anchors, options.seconds
    )
    text = (
        f"{archive.manifest.title}: each control from the corpus's 5 % to its 95 % in {options.seconds:g} s, "
        f"{options.anchors} held sounds, ranges of {options.limit} excerpts, seed {options.seed}.\n\n"
        f"{markdown(figures)}\n"
    )
    (options.output / "sweeps.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
