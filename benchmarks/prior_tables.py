"""The tables of docs/prior.md, from the scores that stand in the instruments.

    python benchmarks/prior_tables.py winds skins                         print them
    python benchmarks/prior_tables.py winds skins --write docs/prior.md   put them between the page's marks

What a score means stands on that page. Scores come into an instrument by `neurorack prior` and, for the hour,
`benchmarks/prior_score.py NAME --hour CORPUS --keep`; where one is missing a dash is shown.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from neurorack.core.errors import NeurorackError
from neurorack.core.library import find
from neurorack.core.nrk import read_nrk

BEGIN, END = "<!-- scores: begin -->", "<!-- scores: end -->"
Scores = Mapping[str, Any]
BASELINES = {
    "prior": "prior",
    "hold_last": "last value held",
    "walk": "matched walk",
    "shuffled": "shuffled",
}


def shown(value: float | None) -> str:
    if isinstance(value, int):
        return str(value)
    return "–" if value is None else f"{value:.3g}"


def at(scores: Any, *path: str) -> Any:
    """What stands there, or None."""
    for name in path:
        scores = scores.get(name) if isinstance(scores, Mapping) else None
    return scores


def table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> list[str]:
    """Markdown; the first `words` columns are words, the rest numbers."""
    rule = "|" + "---|" * words + "---:|" * (len(head) - words)
    return ["| " + " | ".join(head) + " |", rule, *("| " + " | ".join(row) + " |" for row in rows), ""]


def foretold(found: Mapping[str, Scores]) -> list[str]:
    rows = []
    for title, scores in found.items():
        for kind, label in (("controls", "controls"), ("latent", "z")):
            task = at(scores, "foresight", kind)
            if not task:
                continue
            first = f"{title}, {label}"
            rows.append([first, "nats (more is better)", *(shown(task["nats"].get(k)) for k in BASELINES)])
            for steps, row in sorted(task["energy"].items(), key=lambda pair: int(pair[0])):
                words = f"energy score, {steps} step{'s' if steps != '1' else ''} on"
                rows.append(["", words, *(shown(row.get(k)) for k in BASELINES)])
    return table(["what comes next", "", *BASELINES.values()], rows, words=2)


def played(found: Mapping[str, Scores]) -> list[str]:
    first = next(iter(found.values()))
    names = list(first["likeness"]["prior"]["distribution"])
    lines: list[tuple[str, tuple[str, ...]]] = [
        (f"{name}: distribution off by (Wasserstein)", ("distribution", name, "wasserstein"))
        for name in names
    ]
    lines += [
        ("autocorrelation off by, 1 step", ("motion", "auto_1")),
        ("8 steps", ("motion", "auto_8")),
        ("43 steps", ("motion", "auto_43")),
        ("cross-correlation off by", ("motion", "cross")),
        ("the same, 8 steps apart", ("motion", "cross_lagged")),
        ("share that sounds", ("sounding",)),
        ("onsets a second", ("onsets_per_second",)),
        ("Vendi, of 128", ("vendi",)),
        ("repeats", ("repeats",)),
        ("note beginnings: distance", ("nearest",)),
        ("copied", ("copied",)),
        ("strange", ("strange",)),
    ]
    rows = [
        [
            label,
            *(shown(at(s, "likeness", who, *path)) for s in found.values() for who in ("prior", "trained")),
        ]
        for label, path in lines
    ]
    head = [f"free play, {first['seconds']:.0f} s in 16 streams"]
    return table([*head, *(part for title in found for part in (title, "*training phrases*"))], rows)


def surprise(found: Mapping[str, Scores]) -> list[str]:
    heats = sorted({h for s in found.values() for h in s["surprise"]}, key=float)
    keys = ("sounding", "onsets_per_second", "vendi", "strange")
    rows = [
        [heat, *(shown(at(s, "surprise", heat, key)) for s in found.values() for key in keys)]
        for heat in heats
    ]
    words = ("sounds", "onsets a second", "Vendi", "strange")
    return table(["surprise", *(f"{title}: {w}" for title in found for w in words)], rows)


def further(found: Mapping[str, Scores]) -> list[str]:
    def several(*paths: tuple[str, ...]) -> Callable[[Scores], str]:
        return lambda scores: ", ".join(shown(at(scores, *path)) for path in paths)

    lines: list[tuple[str, Callable[[Scores], str]]] = [
        (
            "drift: last minute of ten from the first, by chance",
            several(("drift", "last_from_first"), ("drift", "chance")),
        ),
        (
            "Vendi in the first, in the last minute",
            several(("drift", "vendi_first"), ("drift", "vendi_last")),
        ),
        (
            "held control: largest error; answer of the others, r and slope",
            several(("hand", "kept"), ("hand", "answer"), ("hand", "slope")),
        ),
        (
            "strokes on quarters of the beat, with clock, without",
            several(("clock", "clocked"), ("clock", "free")),
        ),
        (
            "z: deviation over the recorded one; worst Wasserstein",
            several(("latent", "deviation"), ("latent", "wasserstein")),
        ),
        (
            "share of a core, median, p99.9",
            several(("cost", "real_time", "median"), ("cost", "real_time", "p999")),
        ),
        (
            "parameters: controls, z",
            several(("training", "controls", "parameters"), ("training", "latent", "parameters")),
        ),
        (
            "training steps: controls, z",
            several(("training", "controls", "steps"), ("training", "latent", "steps")),
        ),
    ]
    return table(["", *found], [[label, *(say(s) for s in found.values())] for label, say in lines])


def hour(found: Mapping[str, Scores]) -> list[str]:
    """Each sixth of an hour."""
    rows: list[list[str]] = []
    for title, scores in found.items():
        if not (parts := at(scores, "hour", "parts")):
            continue
        echoes = scores["hour"]["echoes"]
        for label, key in (
            ("share that sounds", "sounding"), ("onsets a second", "onsets_per_second"),
            ("Vendi, of 128", "vendi"), ("repeats", "repeats"), ("note beginnings: distance", "nearest"),
            ("copied", "copied"), ("strange", "strange"),
        ):  # fmt: skip
            rows.append([f"{title}: {label}", *(shown(part.get(key)) for part in parts)])
        for label, key in (("nearest second of its own past", "own"), ("of the others' past", "others")):
            rows.append([f"{title}: {label}", "–", *map(shown, echoes[key])])
    if not rows:
        return []
    columns = [f"{10 * i} to {10 * i + 10} min" for i in range(len(rows[0]) - 1)]
    return table(["an hour, four streams", *columns], rows)


def tables(names: Sequence[str]) -> str:
    found = {}
    for name in names:
        manifest = read_nrk(find(name)).manifest
        if manifest.prior is None:
            raise NeurorackError(f"{manifest.title} has no priors.")
        found[manifest.title] = manifest.prior.scores
    return "\n".join(line for part in (foretold, played, surprise, further, hour) for line in part(found))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instruments", nargs="+")
    parser.add_argument("--write", type=Path, metavar="PAGE.md")
    given = parser.parse_args()
    text = tables(given.instruments)
    if given.write is None:
        print(text)
        return 0
    page = given.write.read_text(encoding="utf-8")
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        print(f"{given.write} lacks the marks {BEGIN} and {END}.", file=sys.stderr)
        return 2
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    given.write.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
