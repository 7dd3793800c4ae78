"""The page itself: one HTML file with everything inside, from what was gathered."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neurorack.core.version import __version__
from neurorack.learn.report import sections
from neurorack.learn.report.gather import Findings
from neurorack.learn.report.goals import Figure, groups_for, look_up
from neurorack.learn.report.look import SCRIPT, STYLE
from neurorack.learn.report.sections import KEY, escaped, number

CONTENTS = {
    "scores": "Scores",
    "pairs": "Recording and reconstruction",
    "requests": "Asked and heard",
    "sweeps": "Knobs",
    "held": "Held tones",
    "transfers": "Other sounds",
    "sources": "Sources",
}


def page(findings: Findings) -> str:
    """The whole document."""
    m, scores = findings.manifest, findings.scores
    groups = groups_for(scores)
    body = [
        f"<header><h1>{escaped(m.title)}</h1><p>{escaped(m.description)}</p>"
        f"<p class=soft>Heard on {scores['excerpts']} excerpts ({scores['seconds']:.0f} s) of the "
        f"{escaped(scores['split'])} split of {escaped(scores['corpus'])}, seed {scores['seed']}. "
        f"Licence {escaped(m.licence)}.</p></header>",
        _verdict(groups, scores),
        "<nav>" + "".join(f'<a href="#{key}">{name}</a>' for key, name in CONTENTS.items()) + "</nav>",
        _section(
            "scores",
            "Each figure beside its goal and beside what can be had without any model. Control is in rank "
            "correlations; docs/scoring.md explains each.",
            [_table(name, rows, findings) for name, rows in groups.items() if rows],
        ),
        _section(
            "pairs",
            "From the worst reconstruction to the best, by mel distance. Both spectrograms have the same "
            "colours, 80 dB deep; a click in one plays from there.",
            sections.pairs(findings),
        ),
        _section(
            "requests",
            "What was asked of a control, and what independent measures heard; of each kind the worst "
            "request and the middle one. Gaps are frames that do not count.",
            [KEY, *sections.requests(findings)],
        ),
        _section(
            "sweeps",
            "Every control of held sounds glides from the corpus's 5 % to its 95 %, the rest stands still.",
            ['<div class="grid four">', *sections.sweeps(findings), "</div>"],
        ),
        _section(
            "held",
            "The latent code and all controls frozen: it should sing, neither stutter nor drift.",
            ['<div class="grid">', *sections.held(findings), "</div>"],
        ),
        _section(
            "transfers",
            "Sounds of another kind, played by this instrument with their own curves.",
            ['<div class="grid four">', *sections.transfers(findings), "</div>"]
            if findings.transfers
            else [
                '<p class="none">No sounds of another kind were at hand; give a folder with --transfer.</p>'
            ],
        ),
        _section("sources", "", [_sources(findings)]),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escaped(m.title)}: report</title>"
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>\n"
        + "\n".join(body)
        + f"\n</main><script>{SCRIPT}</script></body></html>\n"
    )


def _section(key: str, lead: str, parts: Iterable[str]) -> str:
    said = f"<p class=soft>{lead}</p>" if lead else ""
    return f'<section id="{key}"><h2>{CONTENTS[key]}</h2>{said}{"".join(parts)}</section>'


def _verdict(groups: Mapping[str, Sequence[Figure]], scores: Mapping[str, Any]) -> str:
    """How many goals are met, and each one that is not, first of all."""
    judged = [f for rows in groups.values() for f in rows if f.met(scores) is not None]
    missed = [f for f in judged if not f.met(scores)]
    chips = "".join(
        f"<li>{escaped(f.label)} <b>{number(f.value(scores), f.unit)}</b> "
        f"<small>{'≥' if f.least else '≤'}\u202f{number(f.goal)}</small></li>"
        for f in missed
    )
    rest = f'<ul class="missed">{chips}</ul>' if missed else '<p class="yes">None is missed.</p>'
    return (
        f'<div class="verdict"><div class="count">{len(judged) - len(missed)}'
        f"<small> of {len(judged)} goals met</small></div>"
        f"<div>{'<p class=soft>Missed:</p>' if missed else ''}{rest}</div></div>"
    )


def _table(title: str, rows: Sequence[Figure], findings: Findings) -> str:
    """One question's figures: this instrument, goal, verdict, the others, and what stands beside."""
    scores = findings.scores
    others = [(m.title, s) for m, s, _ in findings.others]
    beside = list(dict.fromkeys(name for f in rows for name in f.nulls or ()))
    judged = any(f.goal is not None for f in rows)
    heads = ["", "this instrument", *(["goal", "met?"] if judged else []), *(n for n, _ in others), *beside]
    lines = [f"<tr>{''.join(f'<th>{escaped(h)}</th>' for h in heads)}</tr>"]
    for f in rows:
        met = f.met(scores)
        cells = [f"<td>{escaped(f.label)}</td>", f"<td>{_value(f, scores)}</td>"]
        if judged:
            sign = "" if f.goal is None else f"{'≥' if f.least else '≤'}\u202f{number(f.goal, f.unit)}"
            said = {
                True: '<span class="yes">✓ met</span>',
                False: '<span class="no">✗ missed</span>',
                None: "",
            }[met]
            cells += [f"<td>{sign}</td>", f"<td>{said}</td>"]
        cells += [f"<td>{_value(f, s)}</td>" for _, s in others]
        for name in beside:
            path = (f.nulls or {}).get(name)
            cells.append(f'<td class="null">{number(look_up(scores, path), f.unit) if path else ""}</td>')
        lines.append(f"<tr{' class=miss' if met is False else ''}>{''.join(cells)}</tr>")
    return f'<h3>{escaped(title)}</h3><div class="wide card"><table>{"".join(lines)}</table></div>'


def _value(figure: Figure, scores: Mapping[str, Any]) -> str:
    value = figure.value(scores)
    if figure.path == "held.comb_db" and value is not None and value <= -119:
        return "none found"
    return number(value, figure.unit)


def _sources(findings: Findings) -> str:
    """Where the instrument comes from and may go, and how to make this page again."""
    m, scores, corpus = findings.manifest, findings.scores, findings.corpus
    machine, took = scores["machine"], f"{scores['took_seconds']:.0f} s"
    facts = {
        "Licence": m.licence,
        "Corpus": f"{corpus.path.resolve().name}: {len(corpus.files)} recordings, "
        f"{sum(f.seconds for f in corpus.files) / 60:.1f} minutes at {corpus.sample_rate} Hz",
        "Training": _training(m.training),
        "Measured": f"on {machine['system']} {machine['architecture']}, {machine['cores']} cores, ONNX "
        f"Runtime {machine['onnxruntime']}, in {took}; Neurorack {__version__}",
        "Compared with": ", ".join(o.title for o, _, _ in findings.others) or "nothing",
        "Again": f"neurorack report {m.name} {corpus.path.resolve().name} --split {scores['split']} "
        f"--limit {scores['excerpts']} --seed {scores['seed']} -o page.html",
    }
    listed = "".join(f"<dt>{k}</dt><dd>{escaped(v)}</dd>" for k, v in facts.items())
    rows = "".join(
        '<tr><td class="l">{}</td><td class="l">{}</td><td>{}</td><td class="l">{}</td></tr>'.format(
            *(escaped(entry.get(k, "")) for k in ("source", "licence", "files", "attribution"))
        )
        for entry in m.provenance
    )
    table = (
        '<div class="wide card"><table><tr><th>recordings from</th><th class="l">licence</th><th>files</th>'
        f'<th class="l">attribution</th></tr>{rows}</table></div>'
    )
    return f"<dl>{listed}</dl>" + (table if rows else '<p class="none">The instrument names no sources.</p>')


def _training(facts: Mapping[str, Any]) -> str:
    """How it was trained, in words, as far as it says."""
    said = [
        f"{facts['minutes']:.0f} minutes" if "minutes" in facts else "",
        f"{facts['steps']} steps" if "steps" in facts else "",
        f"arm {facts['arm']}" if "arm" in facts else "",
        f"size {facts['size']}" if "size" in facts else "",
        f"on {facts['corpus_minutes']:.0f} minutes of sound" if "corpus_minutes" in facts else "",
        str(facts.get("machine") or ""),
    ]
    return ", ".join(s for s in said if s) or "not said"
