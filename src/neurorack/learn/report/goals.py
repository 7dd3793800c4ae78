"""What is asked of an instrument before it is shipped: each figure, its goal, and the rows beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """`path`: where it stands in the scores, keys joined by dots. `goal` None: it has none and is shown
    beside its null rows. `least`: whether it must be at least the goal (else at most). `nulls`: label to
    path."""

    label: str
    path: str
    goal: float | None = None
    least: bool = True
    unit: str = ""
    nulls: Mapping[str, str] | None = None

    def value(self, scores: Mapping[str, Any]) -> float | None:
        return look_up(scores, self.path)

    def met(self, scores: Mapping[str, Any]) -> bool | None:
        """Whether the goal is met; None without a goal, or where nothing could be measured."""
        value = self.value(scores)
        if value is None or self.goal is None:
            return None
        return value >= self.goal if self.least else value <= self.goal


def look_up(scores: Mapping[str, Any], path: str) -> float | None:
    """The number at a path; None where there is none."""
    found: Any = scores
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _control(mode: str, key: str, nulls: Sequence[str]) -> dict[str, str]:
    return {name: f"null.{row}.{mode}.{key}" for name, row in ROWS.items() if row in nulls}


ROWS = {"source copied": "copy", "bare gain": "gain", "wrong request": "mismatch"}
CORPUS, NOISE, BANDS = "the corpus's other half", "noise", "noise in its mel bands"


def _rebuilt(key: str) -> dict[str, str]:
    return {NOISE: f"null.noise.{key}", BANDS: f"null.bands.{key}"}


def _varied(key: str) -> dict[str, str]:
    return {CORPUS: f"diversity.corpus.{key}"}


def groups_for(scores: Mapping[str, Any]) -> dict[str, list[Figure]]:
    """Every figure that the page shows, under the question it answers. Goals are those of docs/scoring.md; a
    control's own figures have the goal of the worst."""
    controls = [n for n, row in scores["control"]["one"].items() if isinstance(row, dict)]
    every = ("copy", "gain", "mismatch")
    two = ("copy", "gain")
    obeys = [
        Figure("one moved, mean", "control.one.mean", 0.95, nulls=_control("one", "mean", every)),
        *(
            Figure(f"one moved, {n}", f"control.one.{n}.rank", 0.90,
                   nulls=_control("one", f"{n}.rank", every))
            for n in controls
        ),
        Figure("all moved, feasible requests", "control.all.mean", 0.90,
               nulls=_control("all", "mean", every)),
        Figure("all moved, every request", "control.raw.mean", 0.80, nulls=_control("raw", "mean", two)),
        Figure("what moves within 0.5 s", "control.fast.mean"),
        Figure("by second ears", "control.second.mean"),
        Figure("requests that are feasible", "feasible.share", 0.6),
        Figure("leakage, IQR per IQR moved", "leakage.mean", 0.10, least=False,
               nulls={"bare gain": "null.gain.leakage.mean"}),
        Figure("loudness error, median", "loudness.median_db", 0.5, False, "dB",
               _control("loudness", "median_db", two)),
        Figure("loudness error, 90 %", "loudness.p90_db", 2.0, False, "dB",
               _control("loudness", "p90_db", two)),
        Figure("pitch error, median", "pitch.median_cents", 5.0, False, "cents",
               {"source copied": "pitch.copy_median_cents"}),
    ]  # fmt: skip
    knobs = [Figure(f"{n}: share of the range", f"travel.{n}.span", 0.80) for n in scores.get("travel", {})]
    real = [
        Figure("edited sounds' distance to the corpus, over reconstructions'", "real.ratio", 1.25, False),
        Figure("reconstructions' distance, over recordings'", "real.reconstruction_ratio",
               nulls={NOISE: "real.noise_ratio"}),
        Figure("multi-scale STFT distance", "reconstruction.mstft", nulls=_rebuilt("mstft")),
        Figure("mel distance", "reconstruction.mel", unit="dB", nulls=_rebuilt("mel")),
        Figure("… in the worst tenth of half-seconds", "reconstruction.mel_worst_tenth", unit="dB",
               nulls=_rebuilt("mel_worst_tenth")),
        Figure("attacks (0 the same, 1 none)", "reconstruction.transient", nulls=_rebuilt("transient")),
        Figure("onsets kept", "reconstruction.onsets", nulls=_rebuilt("onsets")),
        Figure("harmonic to noise, off by", "reconstruction.hnr_db", unit="dB", nulls=_rebuilt("hnr_db")),
        Figure("… with its sign: below 0 is hoarser", "reconstruction.hnr_bias_db", unit="dB",
               nulls=_rebuilt("hnr_bias_db")),
        Figure("level where the recording is silent", "reconstruction.silence_db", unit="dB",
               nulls={"source copied": "reconstruction.silence_source_db"}),
        Figure("level for digital silence", "reconstruction.nothing_db", unit="dB"),
        Figure("held for 10 s: line at the frame rate", "held.comb_db", unit="dB"),
        Figure("held for 10 s: steady to", "held.steadiness_db", unit="dB"),
    ]  # fmt: skip
    varied = [
        Figure("different sounds (Vendi)", "diversity.vendi", nulls=_varied("vendi")),
        Figure("… by the descriptors", "diversity.vendi_descriptors", nulls=_varied("vendi_descriptors")),
        Figure("coverage of the corpus", "diversity.coverage", nulls=_varied("coverage")),
        Figure("… by the descriptors", "diversity.coverage_descriptors",
               nulls=_varied("coverage_descriptors")),
        Figure("density in the corpus", "diversity.density", nulls=_varied("density")),
        Figure("volume of descriptors reached", "diversity.volume", nulls=_varied("volume")),
        Figure("played where the corpus has nothing", "diversity.beyond", nulls=_varied("beyond")),
        Figure("rare recordings known when rebuilt", "diversity.rare.recall",
               nulls={"typical ones": "diversity.rare.typical", "by chance": "diversity.rare.chance"}),
    ]  # fmt: skip
    groups = {"Does it obey?": obeys, "How far do the knobs reach?": knobs, "Does it sound real?": real,
              "How varied is it?": varied}  # fmt: skip
    return {name: [f for f in rows if f.value(scores) is not None] for name, rows in groups.items()}
