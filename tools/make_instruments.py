"""Make the bundled instruments from a folder of openly licensed recordings, with the commands any user has.

    python tools/make_instruments.py RECORDINGS --minutes 60 [--only winds] [--work runs] [--trained-on "…"]
    python tools/make_instruments.py --priors [--only winds] [--work runs]     what plays by itself, anew
    python tools/make_instruments.py --priors again                            … or only its graphs and scores
    python tools/make_instruments.py --cards                                   measured again, and the cards

Steps already done in the work folder are not done again: prepare continues, train resumes, export and measure
are quick. RECORDINGS holds melodic/, percussion/, voice/ and a manifest.csv with one row for each file
(out, source_repo, commit, licence); only sources named in it are bundled, each with its attribution. A recipe
with an origin begins with the weights of that bundled instrument, which is made before it; chimera takes
all of RECORDINGS. Presets come from tools/presets/NAME; where they no longer fit the instrument it is made
without, and a sentence says so.
"""

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import soundfile
from matplotlib.figure import Figure

from neurorack.learn.measure.pictures import save, spectrogram
from neurorack.learn.measure.sweeps import markdown

ROOT = Path(__file__).resolve().parent.parent
INSTRUMENTS = ROOT / "src" / "neurorack" / "instruments"

ATTRIBUTION = {
    "sfzinstruments/MTG.SoloSax": "MTG Solo Saxophones, recorded by MTG (Universitat Pompeu Fabra), "
    "Freesound packs "
    "20251, 20239, 20247 and 20253, SFZ edition by kinwie, CC BY 4.0; trimmed, resampled",
    "sfzinstruments/kinwie.dim-cabasa": "Dim Cabasa by kinwie, played by Dimas Syah, CC BY 4.0; trimmed, "
    "resampled",
    "Tonejs/audio": "OLPC Berklee Sound Library, CC BY 3.0, via Tonejs/audio; decoded, mono, trimmed",
}

PERCUSSION = ["--exclude", "grooves_rendered", "--group", r"cajon_(?:cnd|dyn)/(.*?)(?:_rr\d+)?_(?:cnd|dyn)"]
"""Prepare without what was rendered from the strokes; a stroke's two microphones are one group."""

RECIPES: dict[str, dict[str, object]] = {
    "winds": {
        "folder": "melodic",
        "title": "Winds",
        "description": "Saxophones from soprano to baritone and a tuba: breath, growl, subtone and "
        "sustained notes.",
        "prepare": [],
        "train": ["--size", "rack"],
    },
    "skins": {
        "folder": "percussion",
        "title": "Skins",
        "description": "Hand percussion: cajon, congas, darbuka, tabla, body and small shakers, tunable.",
        "prepare": PERCUSSION,
        "train": ["--size", "rack"],
    },
    "mouth": {
        "folder": "voice",
        "title": "Mouth",
        "description": "A voice that reads and voices that sing vowels: murmur, hiss, choir. It follows "
        "pitch, but heard too little singing to promise to be in tune.",
        "prepare": [],
        "origin": "winds",
        "train": ["--size", "rack", "--lr", "0.001"],  # as `neurorack new` tunes weights that exist
    },
    "chimera": {
        "folder": "",  # all of RECORDINGS: paths in its corpus begin with melodic/, percussion/ or voice/
        "title": "Chimera",
        "description": "Saxophones, tuba, hand percussion, a reading voice and sung vowels in one space: "
        "morph a drum into a vowel, sing through a cajon, let a tuba speak.",
        "prepare": PERCUSSION,
        "origin": "winds",
        "train": ["--size", "rack", "--lr", "0.001", "--balance"],
    },
}
"""In the order in which they are made."""


def origin_of(name: str) -> list[object]:
    """Options of train: the bundled instrument whose weights a recipe begins with, if it names one."""
    origin = RECIPES[name].get("origin")
    return ["--from", INSTRUMENTS / f"{origin}.nrk"] if origin else []


def in_order(names: list[str] | None) -> list[str]:
    """The names asked for (None: all) in the order of the recipes: an origin before what begins with it."""
    return [name for name in RECIPES if names is None or name in names]


def neurorack(*arguments: object) -> None:
    """Run one command of the CLI, showing it first."""
    words = [str(a) for a in arguments]
    print("neurorack", *words, flush=True)
    subprocess.run([sys.executable, "-m", "neurorack.cli.main", *words], check=True)


def provenance(recordings: Path, folder: str, used: set[str]) -> list[dict[str, object]]:
    """One entry for each source repository whose files were used.

    folder: inside `recordings`, "" for all of it; used: paths in it.
    """
    inside = f"{folder}/" if folder else ""
    rows = list(csv.DictReader((recordings / "manifest.csv").open(encoding="utf-8")))
    sources: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        if row["out"].startswith(inside) and row["out"].removeprefix(inside) in used:
            sources[row["source_repo"], row["commit"], row["licence"]] += 1
    return [
        {"source": f"github.com/{repo}", "commit": commit, "licence": licence, "files": count,
         **({"attribution": ATTRIBUTION[repo]} if repo in ATTRIBUTION else {})}
        for (repo, commit, licence), count in sorted(sources.items())
    ]  # fmt: skip


def licence_of(sources: list[dict[str, object]]) -> str:
    """CC-BY-4.0 where any source asks for attribution, else CC0-1.0."""
    return "CC-BY-4.0" if any("attribution" in s for s in sources) else "CC0-1.0"


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def further(scores: dict) -> list[str]:
    """What stands against cheats, in words."""
    control, real, probe = scores["control"], scores.get("real") or {}, scores.get("probe") or {}
    said = [
        f"one moved on sustained frames {number(control['sustained']['mean'])}, in what moves within half a "
        f"second {number(control['fast']['mean'])}, by second ears {number(control['second']['mean'])}"
    ]
    rebuilt, varied = scores["reconstruction"], scores.get("diversity")
    if "transient" in rebuilt:
        said.append(
            f"{number(rebuilt['mel_worst_tenth'])} dB mel in the worst tenth of half-seconds, attacks off by "
            f"{number(rebuilt['transient'])}, harmonic-to-noise ratio by {number(rebuilt['hnr_db'])} dB"
        )
    if varied:
        corpus, rare = varied["corpus"], varied["rare"]
        said.append(
            f"played at random, {number(varied['vendi'])} different sounds of {varied['sounds']} (the "
            f"corpus's other half {number(corpus['vendi'])}), coverage {number(varied['coverage'])} "
            f"({number(corpus['coverage'])}), volume {number(varied['volume'])} ({number(corpus['volume'])})"
        )
        if rare:
            said.append(
                f"of rare recordings {number(rare['recall'])} are known when rebuilt, of typical ones "
                f"{number(rare['typical'])} (chance {number(rare['chance'])})"
            )
    if real:
        said.append(
            f"edited sounds are {number(real['ratio'])} times as far from the corpus as reconstructions "
            f"where feasible ({number(real['ratio_raw'])} everywhere), reconstructions "
            f"{number(real['reconstruction_ratio'])} times as far as recordings "
            f"(noise {number(real['noise_ratio'])})"
        )
    if probe:
        said.append(
            f"a fresh network reads R² {number(probe['mean_r2'])} of the controls from z "
            f"(chance {number(probe['mean_shuffled'])}), {number(probe['mean_within_r2'])} of what moves "
            f"inside recordings (chance {number(probe['mean_within_shuffled'])})"
        )
    return said


PRIOR_MINUTES = 15
"""How long the priors are trained, on one thread."""
GENERATED = ("--seconds", 120, "--seed", 7)
"""What is rendered of each instrument as it plays by itself, to be looked at."""


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def alone(prior: dict) -> list[str]:
    """How the instrument plays by itself, beside baselines."""
    scores = prior["scores"]
    foresight, played, drift = scores["foresight"], scores["likeness"]["prior"], scores["drift"]
    lines = [
        "## Playing by itself",
        "",
        f"Held-out recordings foretold ({prior['family']}; smaller is better for the energy score, larger "
        "for nats; [what that means](../prior.md)):",
        "",
        "| | nats | energy score, 1 step | 8 steps | 43 steps (1 s) |",
        "|---|---|---|---|---|",
    ]
    rows = {"prior": "**prior**", "hold_last": "hold last", "walk": "matched walk", "shuffled": "shuffled"}
    for kind, label in (("controls", "controls"), ("latent", "z")):
        if kind not in foresight:
            continue
        nats, energy = foresight[kind]["nats"], foresight[kind]["energy"]
        for key, title in rows.items():
            cells = [nats.get(key), *(energy[steps].get(key) for steps in sorted(energy, key=int))]
            shown = ["–" if c is None else f"{c:.3g}" for c in cells]
            lines.append(f"| {label}: {title} | " + " | ".join(shown) + " |")
    lines += [
        "",
        f"Ten minutes alone: {number(played['vendi'])} different moments (recorded: "
        f"{number(scores['likeness']['recorded']['vendi'])}), {100 * played['copied']:.0f} % copied, "
        f"{100 * played['strange']:.0f} % stranger than nearly all recordings; drift "
        f"{number(drift['last_from_first'])} ({number(drift['chance'])} by chance).",
    ]
    if hour := scores.get("hour"):
        parts, echoes = hour["parts"], hour["echoes"]
        copied = ", ".join(percent(part.get("copied")) for part in parts)
        lines += [
            f"An hour, by sixths: {', '.join(number(p['vendi']) for p in parts)} different moments; {copied} "
            "of note beginnings copied; nearest second of all that it had played before, over the distance "
            f"of two recorded ones: {', '.join(map(number, echoes['own']))} (of what other hours had: "
            f"{', '.join(map(number, echoes['others']))}).",
        ]
    lines += [
        "`generated.png` below: two minutes of `neurorack generate -i NAME --seconds 120 --seed 7`.",
        "",
    ]
    return lines


def picture_alone(name: str, target: Path) -> None:
    """docs/instruments/NAME/generated.png: two minutes as the instrument plays by itself."""
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "alone.wav"
        neurorack("generate", "-i", target, *GENERATED, "-o", sound)
        audio, rate = soundfile.read(sound, dtype="float32", always_2d=True)
    figure = Figure(figsize=(10, 7), layout="constrained")
    audio = audio.mean(axis=1)
    half = len(audio) // 2
    for axis, piece, title in zip(
        figure.subplots(2, 1), (audio[:half], audio[half:]), ("first minute", "second minute"), strict=True
    ):
        spectrogram(axis, piece, rate, title)
    save(figure, ROOT / "docs" / "instruments" / name / "generated.png")


def card(name: str, target: Path) -> None:
    """docs/instruments/NAME.md: data, training, scores beside null rows, pictures; from the artefact."""
    command = [sys.executable, "-m", "neurorack.cli.main", "info", str(target), "--json"]
    info = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    training, scores = info["training"], info["scores"]
    control, gain, copy = scores["control"], scores["null"]["gain"], scores["null"]["copy"]
    lines = [
        f"# {info['title']}",
        "",
        info["description"],
        "",
        f"Licence {info['licence']}. Trained {training['minutes']:.0f} minutes ({training['steps']} steps of "
        f"{training['batch']} crops, arm `{training['arm']}`, size `{training['size']}`) on "
        f"{training['corpus_minutes']:.0f} minutes of sound, {training['machine']}.",
        "",
        "| control | unit | 5 % | 95 % |",
        "|---|---|---|---|",
        *(f"| {c['label']} | {c['unit']} | {c['low']:.4g} | {c['high']:.4g} |" for c in info["controls"]),
        "",
        f"## Scores on {scores['excerpts']} excerpts never trained on",
        "",
        "Rank correlation of asked and heard by independent measures ([what that means](../scoring.md)).",
        "",
        "| | one moved: mean | worst | all moved, feasible | all moved, raw |",
        "|---|---|---|---|---|",
    ]
    wrong = scores["null"]["mismatch"]
    table = {"**this instrument**": control, "source copied": copy, "bare gain": gain, "wrong request": wrong}
    for label, rows in table.items():
        one, every, raw = rows["one"], rows["all"], rows.get("raw", {})
        figures = (one["mean"], one["worst"], every["mean"], raw.get("mean"))
        lines.append(f"| {label} | " + " | ".join(number(f) for f in figures) + " |")
    lines += ["", "| control | one moved | all moved, feasible | error / IQR |", "|---|---|---|---|"]
    for key in ("loudness", "brightness", "boominess", "noisiness"):
        if key in control["one"]:
            one, every = control["one"][key], control["all"].get(key, {})
            cells = (one.get("rank"), every.get("rank"), one.get("error_iqr"))
            lines.append(f"| {key} | " + " | ".join(number(c) for c in cells) + " |")
    pitch = scores.get("pitch", {}).get("median_cents")
    facts = [
        "loudness error {median_db:.2f} dB median, {p90_db:.2f} dB p90".format(**scores["loudness"]),
        "multi-scale STFT {mstft:.2f}, mel {mel:.2f} dB".format(**scores["reconstruction"])
        + " (noise with the recording's levels in 80 mel bands {mstft:.2f}, {mel:.2f} dB)".format(
            **scores["null"]["bands"]
        ),
        f"leakage {scores['leakage']['mean']:.2f}",
        f"{100 * scores['feasible']['share']:.0f} % of the requests for all controls were feasible",
        *([] if pitch is None else [f"pitch error {pitch:.1f} cents median"]),
        *further(scores),
    ]
    lines += ["", "; ".join(facts)[0].upper() + "; ".join(facts)[1:] + ".", ""]
    if scores.get("sweeps"):
        lines += ["## A knob's whole travel", "", markdown(scores["sweeps"]), ""]
    if info.get("prior"):
        lines += alone(info["prior"])
    lines += ["## Pictures", ""]
    pictures = sorted((ROOT / "docs" / "instruments" / name).glob("*.png"))
    lines += [f"![{p.stem.replace('_', ' ')}]({name}/{p.name})" for p in pictures]
    lines += ["", "## Sources", ""]
    for source in info["provenance"]:
        said = f". {source['attribution']}" if "attribution" in source else ""
        lines.append("- {source} at {commit:.12}, {licence}, {files} files".format(**source) + said)
    (ROOT / "docs" / "instruments" / f"{name}.md").write_text("\n".join(lines) + "\n", "utf-8")


def make(name: str, recordings: Path, work: Path, minutes: float, trained_on: str, extra: list[str]) -> None:
    recipe = RECIPES[name]
    corpus, run = work / f"{name}-corpus", work / name
    neurorack("prepare", recordings / str(recipe["folder"]), "-o", corpus, *recipe["prepare"])  # type: ignore[misc]
    if (run / "run.json").exists():
        neurorack("train", corpus, "-o", run, "--resume")
    else:
        given = [*recipe["train"], *origin_of(name), *extra]  # type: ignore[misc]
        neurorack("train", corpus, "-o", run, "--minutes", minutes, *given)
    document = json.loads((corpus / "corpus.json").read_text("utf-8"))
    sources = provenance(recordings, str(recipe["folder"]), {f["path"] for f in document["files"]})
    listed = work / f"{name}-provenance.json"
    listed.write_text(json.dumps(sources, indent=1), "utf-8")
    target = INSTRUMENTS / f"{name}.nrk"
    neurorack(
        "export", run, "-o", target, "--title", recipe["title"], "--description", recipe["description"],
        "--licence", licence_of(sources), "--provenance", listed, "--trained-on", trained_on,
    )  # fmt: skip
    priors(name, work, [])
    score(name, work)


def presets(name: str, target: Path) -> None:
    """Put the instrument's presets in, where there are any and they fit it."""
    folder = ROOT / "tools" / "presets" / name
    if not folder.is_dir():
        return
    try:
        script("tools/add_presets.py", folder, target)
    except subprocess.CalledProcessError:
        print(f"{target} is without presets: mend {folder}, then run tools/add_presets.py.", flush=True)


def script(*arguments: object) -> None:
    """Run another of the repository's scripts, showing it first."""
    words = [str(a) for a in arguments]
    print("python", *words, flush=True)
    subprocess.run([sys.executable, *words], check=True, cwd=ROOT)


def priors(name: str, work: Path, options: list[str]) -> None:
    """Give the bundled instrument priors and presets, play them for an hour, draw two minutes of it."""
    target, corpus = INSTRUMENTS / f"{name}.nrk", (work / f"{name}-corpus").resolve()
    # Of a copy: what is bundled is left alone until everything has gone well.
    copy = (work / f"{name}-priors.nrk").resolve()
    shutil.copy(target, copy)
    neurorack("prior", copy, corpus, "--minutes", PRIOR_MINUTES, "--threads", 1, *options)
    script("benchmarks/prior_score.py", copy, "--hour", corpus, "--keep")
    presets(name, copy)
    copy.replace(target)
    picture_alone(name, target)


def score(name: str, work: Path) -> None:
    """Measure a bundled instrument again, with pictures, and write its card."""
    target, pictures = INSTRUMENTS / f"{name}.nrk", ROOT / "docs" / "instruments" / name
    options = ["--write", "--probe", "--sweeps", pictures, "--pictures", pictures]
    neurorack("measure", target, work / f"{name}-corpus", "--split", "test", *options)
    card(name, target)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recordings", type=Path, nargs="?")
    parser.add_argument("--only", choices=sorted(RECIPES), action="append")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--work", type=Path, default=ROOT / "runs")
    parser.add_argument("--trained-on", default="", help="the machine, in words, for the card")
    parser.add_argument("--train-option", action="append", default=[], help="passed on to train; repeatable")
    parser.add_argument("--cards", action="store_true", help="only measure what is there and write the cards")
    parser.add_argument(
        "--priors", choices=["train", "again"], nargs="?", const="train",
        help="only the priors of what is there, their hour, the presets and the cards",
    )  # fmt: skip
    options = parser.parse_args()
    if options.recordings is None and not (options.cards or options.priors):
        parser.error("RECORDINGS are needed")
    for name in in_order(options.only):
        if options.priors:
            priors(name, options.work, ["--again"] if options.priors == "again" else [])
            card(name, INSTRUMENTS / f"{name}.nrk")
            continue
        if options.cards:
            score(name, options.work)
            continue
        make(
            name, options.recordings, options.work, options.minutes, options.trained_on, options.train_option
        )


if __name__ == "__main__":
    main()
