"""Writes the graphs of an instrument again, from its own weights, as the exporter of today makes them.

    python tools/renew_graphs.py NAME.nrk… [-o OTHER.nrk]

Everything else stays: clips, anchors, presets, priors, scores. For instruments that were exported by an
earlier version and would gain in speed by a later one; nothing is trained. (A decoder that was taught
further: neurorack export RUN -o NAME.nrk --keep NAME.nrk.)
"""

import argparse
from pathlib import Path

from neurorack.learn.export.renew import renew


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instruments", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, help="for a single instrument; otherwise in place")
    given = parser.parse_args()
    if given.output and len(given.instruments) > 1:
        parser.error("-o is for a single instrument")
    for instrument in given.instruments:
        manifest = renew(instrument, given.output or instrument)
        print(f"{manifest.name}: {', '.join(sorted(manifest.graphs))}")


if __name__ == "__main__":
    main()
