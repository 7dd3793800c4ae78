"""The figures of benchmarks/flattening.py as Markdown."""

from typing import Any

SPACES = ("embedding", "descriptors")
ROWS = {
    "tuned": "**tuned from {base}**",
    "fresh": "**fresh weights**",
    "own_other_half": "*{own}: recordings, other half*",
    "base_other_half": "*{base_corpus}: recordings, other half*",
    "base_played": "*{base} itself*",
}


def span(found: dict[str, float], sign: str = "") -> str:
    """A value with its interval."""
    return "{value:{s}.2f} ({low:{s}.2f} to {high:{s}.2f})".format(**found, s=sign)


def markdown(result: dict[str, Any]) -> str:
    """Three tables; the last only with two users."""
    names = {"base": result["base"], "base_corpus": result["base_corpus"]}
    lines: list[str] = []
    for own, figures in result["users"].items():
        windows = result["windows"]
        lines += [
            f"### {own}",
            "",
            f"{result['sounds']} sounds played by each instrument, beside {windows[result['base_corpus']]} "
            f"recordings of {result['base_corpus']} and {windows[own]} of {own}. Energy distance:",
            "",
            f"| played at random | embedding: to {result['base_corpus']} | to {own} "
            f"| descriptors: to {result['base_corpus']} | to {own} |",
            "|---|---|---|---|---|",
        ]
        for key, label in ROWS.items():
            cells = []
            for space in SPACES:
                row = figures["played"][space].get(key) or figures["null"][space].get(key)
                cells += [f"{row[to]:.2f}" for to in ("base", "own")] if row else ["–", "–"]
            if cells[0] != "–":
                lines.append(f"| {label.format(own=own, **names)} | " + " | ".join(cells) + " |")
        lines.append("")
        if "drawn_in" in figures["played"][SPACES[0]]:
            for key, corpus in (("drawn_in", result["base_corpus"]), ("drawn_home", own)):
                said = [f"{span(figures['played'][s][key], '+')} ({s})" for s in SPACES]
                lines += [f"Nearer to {corpus} by tuning: {', '.join(said)}.", ""]
        if "rebuilt" in figures:
            lines += [
                f"| {result['rebuilt'][own]} held-out recordings, rebuilt by | embedding | descriptors |",
                "|---|---|---|",
            ]
            for key in ("tuned", "fresh", "base"):
                if key in figures["rebuilt"][SPACES[0]]:
                    cells = [span(figures["rebuilt"][s][key]) for s in SPACES]
                    label = ROWS.get(key, "*{base} itself*").format(own=own, **names)
                    lines.append(f"| {label} | " + " | ".join(cells) + " |")
            lines.append("")
    if result["pairs"]:
        lines += [
            "### Two users",
            "",
            "| pair | instruments | embedding: played | recorded | ratio "
            "| descriptors: played | recorded | ratio |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for pair, kinds in result["pairs"].items():
            for kind, found in kinds.items():
                cells = []
                for space in SPACES:
                    one = found[space]
                    cells += [f"{one['played']:.2f}", f"{one['corpora']:.2f}", span(one["ratio"])]
                lines.append(f"| {pair} | {kind} | " + " | ".join(cells) + " |")
        lines.append("")
    lines.append(f"Machine: {result['machine'] or 'not named'}.")
    return "\n".join(lines) + "\n"
