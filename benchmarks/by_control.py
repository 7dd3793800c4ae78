"""Command line of benchmarks that try an instrument's controls one at a time, with several seeds."""

import argparse

from neurorack.play.engine.instrument import Instrument


def parser(description: str) -> argparse.ArgumentParser:
    """instrument, --seeds (a list of numbers), --only CONTROL, --json; others may be added."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("instrument")
    made.add_argument("--seeds", default="0,1,2", type=_numbers, help="separated by commas")
    made.add_argument("--only", metavar="CONTROL", help="this control alone")
    made.add_argument("--json", action="store_true")
    return made


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def rows(instrument: Instrument, only: str | None) -> dict[str, int]:
    """Control -> its row, of those that were asked for."""
    return {name: row for row, name in enumerate(instrument.map.names) if only in (None, name)}
