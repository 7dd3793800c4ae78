"""Does fine-tuning pull an instrument towards its base, or two users' instruments towards each other?

    python benchmarks/flattening.py --base NAME CORPUS --user CORPUS TUNED.nrk FRESH.nrk [--user …] -o FOLDER
                                    [--sounds 96] [--seed 0] [--machine TEXT]

NAME is the instrument whose weights TUNED began with, CORPUS what it was made of. FRESH was trained on the
same corpus for the same time, from fresh weights; - leaves it out. Writes flattening.md and flattening.json.

Every instrument is played blindly (learn.measure.diversity: half-seconds from its own tones and clips, all
knobs at random), tuned and fresh with the same draws. Sounds and recordings are put into two spaces that know
nothing of instruments: the embedding of learn.measure.realism, and the means of the four independent
descriptors, each scaled by all corpora together. Distances there are energy distances of two clouds (0: the
same distribution).

1. To the base's corpus and to the user's own: tuned beside fresh. "Drawn in" is fresh's distance to the
   base's corpus less tuned's: above 0, tuning has brought it nearer; the same to the user's corpus beside
   it, because an instrument that has learned more may be nearer to all recordings.
2. Recordings of the user's test split, rebuilt: distance to the nearest sound of the base's corpus over that
   of the recording itself. Below 1: rebuilding took them towards the base.
3. With two users or more, for each pair: distance between what their instruments play over distance between
   their corpora. Below 1: the instruments are more alike than the sounds they were made of.

In brackets: 95 % over draws of the sounds. It says nothing about other trainings of the same.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from flattening_report import markdown
from scipy.spatial.distance import cdist

from neurorack.core.errors import NeurorackError
from neurorack.core.library import find
from neurorack.core.nrk import Archive, read_nrk
from neurorack.learn.corpus import Corpus
from neurorack.learn.measure.diversity import (
    SOUNDS,
    Cloud,
    Window,
    halves,
    play_blindly,
    rebuilt,
    windows_of_corpus,
)
from neurorack.learn.measure.realism import Reference, embed
from neurorack.learn.measure.render import Renderer

DRAWS = 500
LEAST = 4
"""Recordings in half a corpus."""
REBUILT = 32
"""Recordings rebuilt, at most."""

Spaces = dict[str, np.ndarray]
"""Points [N, D] in each space: "embedding", "descriptors"."""


def energy(a: np.ndarray, b: np.ndarray) -> float:
    """Energy distance of two clouds [N, D] and [M, D]: the root of 2 E|X - Y| - E|X - X'| - E|Y - Y'|, no
    point compared with itself; negative roots of clouds that are more alike than chance stay negative.
    """
    square = 2 * cdist(a, b).mean() - _inner(a) - _inner(b)
    return float(np.sign(square) * np.sqrt(abs(square)))


def _inner(a: np.ndarray) -> float:
    return float(cdist(a, a).sum() / (len(a) * (len(a) - 1)))


def spread(
    statistic: Callable[..., float], *groups: tuple[np.ndarray, ...], seed: int = 0
) -> dict[str, float]:
    """`statistic` of all arrays, and where 95 % of it lies; arrays of one group are drawn alike.

    From halves of each group, drawn without doubles (a point is at no distance from itself): a mean of half
    of the points varies around that of all as that of all does around the truth.
    """
    rng = np.random.default_rng([seed, 14])
    drawn = []
    for _ in range(DRAWS):
        picks = [rng.permutation(len(group[0]))[: (len(group[0]) + 1) // 2] for group in groups]
        both = zip(groups, picks, strict=True)
        drawn.append(statistic(*(array[pick] for group, pick in both for array in group)))
    low, high = np.quantile(drawn, [0.025, 0.975])
    value = statistic(*(array for group in groups for array in group))
    return {"value": value, "low": float(low), "high": float(high)}


@dataclass(frozen=True)
class Place:
    """Where sounds are compared: the embedding's map and the descriptors' scale, both of all corpora."""

    reference: Reference
    scale: np.ndarray
    sample_rate: int

    @classmethod
    def of(cls, windows: Sequence[Sequence[Window]], sample_rate: int) -> "Place":
        """From the windows of every corpus; each counts alike, so equally many of each."""
        least = min(len(w) for w in windows)
        sounds = np.stack([window.audio for some in windows for window in some[:least]])
        reference = Reference.of_windows(np.concatenate([embed(s, sample_rate) for s in sounds]))
        scale = Cloud.of(sounds, reference, sample_rate).means.std(axis=0) + 1e-6
        return cls(reference, scale, sample_rate)

    def points(self, sounds: np.ndarray) -> Spaces:
        cloud = Cloud.of(sounds, self.reference, self.sample_rate)
        return {"embedding": cloud.places, "descriptors": cloud.means / self.scale}


@dataclass(frozen=True)
class Material:
    """A corpus: `one` half of its recordings, which others are compared with, the `other`, the test split."""

    name: str
    one: list[Window]
    other: list[Window]
    test: list[Window]

    @classmethod
    def of(cls, name: str, corpus: Corpus, count: int, seed: int) -> "Material":
        sides = list(halves(windows_of_corpus(corpus, "train", 2 * count, seed)))
        size = min(len(side) for side in sides)
        if size < LEAST:
            raise NeurorackError(f"{corpus.path} has too few recordings to be halved.")
        test = windows_of_corpus(corpus, "test", REBUILT, seed)
        return cls(name, sides[0][:size], sides[1][:size], test)


def names(corpora: Sequence[Corpus]) -> list[str]:
    """A name for each: its folder's (in a work folder of `neurorack new`, that one's), numbered if taken."""
    found: list[str] = []
    for corpus in corpora:
        folder = Path(corpus.path).resolve()
        name = folder.parent.stem if folder.name == "corpus" else folder.name
        taken = sum(one == name or one.startswith(f"{name} ") for one in found)
        found.append(f"{name} {taken + 1}" if taken else name)
    return found


def audio(windows: Sequence[Window]) -> np.ndarray:
    return np.stack([window.audio for window in windows])


def drawn_in(base: Spaces, own: Spaces, tuned: Spaces, fresh: Spaces | None, seed: int) -> dict[str, Any]:
    """Figure 1 in every space."""
    result = {}
    for space in base:
        b, o, t = base[space], own[space], tuned[space]
        found: dict[str, Any] = {"tuned": {"base": energy(t, b), "own": energy(t, o)}}
        if fresh is not None:
            f = fresh[space]
            found["fresh"] = {"base": energy(f, b), "own": energy(f, o)}
            for key, corpus in (("drawn_in", b), ("drawn_home", o)):
                found[key] = spread(lambda t, f, c: energy(f, c) - energy(t, c), (t, f), (corpus,), seed=seed)
        result[space] = found
    return result


def towards(base: Spaces, recorded: Spaces, answers: dict[str, Spaces], seed: int) -> dict[str, Any]:
    """Figure 2 in every space, for each instrument's answers."""
    result: dict[str, Any] = {}
    for space in base:
        before = cdist(recorded[space], base[space]).min(axis=1)
        result[space] = {
            name: spread(
                lambda now, then: float(now.sum() / then.sum()),
                (cdist(points[space], base[space]).min(axis=1), before),
                seed=seed,
            )
            for name, points in answers.items()
        }
    return result


def apart(played: Sequence[Spaces], corpora: Sequence[Spaces], seed: int) -> dict[str, Any]:
    """Figure 3 in every space for one pair."""
    return {
        space: {
            "played": energy(played[0][space], played[1][space]),
            "corpora": energy(corpora[0][space], corpora[1][space]),
            "ratio": spread(
                lambda p, q, a, b: energy(p, q) / energy(a, b),
                *((s[space],) for s in (*played, *corpora)),
                seed=seed,
            ),
        }
        for space in played[0]
    }


@dataclass(frozen=True)
class User:
    """One user's corpus and instruments, as points. `fresh` may lack."""

    material: Material
    own: Spaces
    tuned: Spaces
    fresh: Spaces | None
    figures: dict[str, Any]


def compare(
    base: tuple[Archive, Corpus],
    users: Sequence[tuple[Corpus, Archive, Archive | None]],
    count: int,
    seed: int,
) -> dict[str, Any]:
    """Everything, as flattening.json has it. NeurorackError where corpora do not fit together."""
    rate = base[1].sample_rate
    if any(corpus.sample_rate != rate for corpus, _, _ in users):
        raise NeurorackError("All corpora must have one sample rate.")
    opened = [base[1], *(user[0] for user in users)]
    materials = [
        Material.of(name, corpus, count, seed) for name, corpus in zip(names(opened), opened, strict=True)
    ]
    place = Place.of([m.one for m in materials], rate)
    corpora = [place.points(audio(m.one)) for m in materials]
    others = [place.points(audio(m.other)) for m in materials]
    base_points = corpora[0]

    def played(archive: Archive) -> Spaces:
        return place.points(play_blindly(archive, Renderer(archive), count, seed))

    base_played, base_renderer = played(base[0]), Renderer(base[0])
    found: list[User] = []
    for (_, tuned, fresh), material, own, other in zip(
        users, materials[1:], corpora[1:], others[1:], strict=True
    ):
        t, f = played(tuned), played(fresh) if fresh else None
        answers = {
            "tuned": Renderer(tuned),
            **({"fresh": Renderer(fresh)} if fresh else {}),
            "base": base_renderer,
        }
        figures = {
            "played": drawn_in(base_points, own, t, f, seed),
            "null": {
                space: {
                    "own_other_half": {"base": energy(other[space], base_points[space]),
                                       "own": energy(other[space], own[space])},
                    "base_other_half": {"base": energy(others[0][space], base_points[space]),
                                        "own": energy(others[0][space], own[space])},
                    "base_played": {"base": energy(base_played[space], base_points[space]),
                                    "own": energy(base_played[space], own[space])},
                }
                for space in own
            },
        }  # fmt: skip
        if material.test:
            again = {
                name: place.points(np.stack([rebuilt(renderer, w, seed) for w in material.test]))
                for name, renderer in answers.items()
            }
            figures["rebuilt"] = towards(base_points, place.points(audio(material.test)), again, seed)
        found.append(User(material, own, t, f, figures))
    pairs = {}
    for one, two in combinations(found, 2):
        key = f"{one.material.name} and {two.material.name}"
        pairs[key] = {"tuned": apart([one.tuned, two.tuned], [one.own, two.own], seed)}
        if one.fresh is not None and two.fresh is not None:
            pairs[key]["fresh"] = apart([one.fresh, two.fresh], [one.own, two.own], seed)
    return {
        "base": base[0].manifest.title,
        "base_corpus": materials[0].name,
        "sounds": count,
        "windows": {m.name: len(m.one) for m in materials},
        "rebuilt": {m.name: len(m.test) for m in materials[1:]},
        "users": {u.material.name: u.figures for u in found},
        "pairs": pairs,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", nargs=2, required=True, metavar=("NAME", "CORPUS"))
    parser.add_argument(
        "--user", nargs=3, required=True, action="append", metavar=("CORPUS", "TUNED", "FRESH")
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--sounds", type=int, default=SOUNDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--machine", default="", help="the machine, in words")
    options = parser.parse_args()
    try:
        base = read_nrk(find(options.base[0])), Corpus.open(Path(options.base[1]))
        users = [
            (
                Corpus.open(Path(corpus)),
                read_nrk(find(tuned)),
                None if fresh == "-" else read_nrk(find(fresh)),
            )
            for corpus, tuned, fresh in options.user
        ]
        result = compare(base, users, options.sounds, options.seed)
    except NeurorackError as error:
        raise SystemExit(f"Error: {error}") from error
    result["machine"] = options.machine
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "flattening.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    text = markdown(result)
    (options.output / "flattening.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
