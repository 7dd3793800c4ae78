"""The comparison as Markdown: one row a figure, one column an arm, then the bars that we set ourselves.

Results: arm -> {"speed": …, "trained": …, "reconstruction": …, "installed_mb": …}, each there if it was run;
speed as inside_ours.py and inside_rave.py write it.
"""

from collections.abc import Callable, Mapping
from typing import Any

Results = Mapping[str, Mapping[str, Any]]

OURS, FIRST_PEER = "ours", "rave-v2"
NOT_RUN = "not run"
BY = {"first": "by the beginning of the answer to a burst", "lag": "by the held-out answers"}
BUSY = 1.5
"""Load average, what is measured included, above which elapsed times tell of other programs."""

MAC_BAR, SPEED_BAR, LATENCY_BAR = 1 / 5, 10.0, 1 / 4


def look(result: Mapping[str, Any], *keys: str) -> Any:
    """What stands under keys one in another, None where there is nothing."""
    value: Any = result
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def heard_late(result: Mapping[str, Any], kind: str) -> float | None:
    """Samples from a sound to its answer at the smallest block that runs, which a host collects before it:
    the beginning of the answer to a burst ("first"), or where its held-out answers stand ("lag").
    """
    keys = ("reconstruction", "lag_samples") if kind == "lag" else ("speed", "latency", "first")
    late = look(result, *keys)
    return None if late is None else late + result["speed"]["smallest_block"]


def table(results: Results, head: list[str]) -> str:
    """The whole document: what was run on what, the figures, the bars."""
    arms = list(results)
    lines = [*head, "", "|  | " + " | ".join(arms) + " |", "|---" * (len(arms) + 1) + "|"]
    for name, figure in _rows(results):
        lines.append(f"| {name} | " + " | ".join(figure(results[arm]) for arm in arms) + " |")
    return "\n".join([*lines, "", "Bars, against RAVE v2:", "", *(f"* {line}" for line in bars(results)), ""])


def _rows(results: Results) -> list[tuple[str, Callable[[Mapping[str, Any]], str]]]:
    def plain(*keys: str, digits: int = 2, unit: str = "") -> Callable[[Mapping[str, Any]], str]:
        return lambda result: _number(look(result, *keys), digits, unit)

    blocks = sorted({int(b) for r in results.values() for b in look(r, "speed", "rtf", "transfer") or {}})
    rows: list[tuple[str, Callable[[Mapping[str, Any]], str]]] = [
        ("minutes trained", plain("trained", "minutes", digits=1)),
        ("steps", plain("trained", "steps", digits=0)),
        ("multi-scale STFT", plain("reconstruction", "mstft", digits=3)),
        ("mel, dB", plain("reconstruction", "mel")),
        ("transient error", plain("reconstruction", "transient")),
        ("parameters, M", lambda r: _millions(look(r, "speed", "parameters"))),
        ("GMAC a second, encoder + decoder", _codec),
        ("GMAC a second, all of a transfer", plain("speed", "gmac_per_s", "transfer")),
        ("smallest block, samples", plain("speed", "smallest_block", digits=0)),
    ]
    rows += [(f"transfer at {b}", lambda r, b=b: _factor(r, "transfer", b)) for b in blocks]
    rows += [(f"decoder at {b}", lambda r, b=b: _factor(r, "decoder", b)) for b in blocks]
    return [
        *rows,
        ("first answer to a burst", lambda r: _late(r, look(r, "speed", "latency", "first"))),
        ("first answer, and the smallest block", lambda r: _late(r, heard_late(r, "first"))),
        ("middle of the answer to a burst", _middle),
        ("lag of the held-out answers", lambda r: _late(r, look(r, "reconstruction", "lag_samples"))),
        ("that lag, and the smallest block", lambda r: _late(r, heard_late(r, "lag"))),
        ("memory, MB", plain("speed", "memory_mb", "now", digits=0)),
        ("memory at its peak, MB", plain("speed", "memory_mb", "peak", digits=0)),
        ("model file, MB", plain("speed", "model_mb", digits=1)),
        ("installed packages, MB", plain("installed_mb", "total", digits=0)),
        ("load average of the machine then", plain("speed", "load_average", digits=1)),
    ]


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return NOT_RUN if value is None else f"{value:.{digits}f}{unit}"


def _millions(parts: Mapping[str, int] | None) -> str:
    return _number(sum(parts.values()) * 1e-6 if parts else None, 2)


def codec_gmac(speed: Mapping[str, Any]) -> float | None:
    """Multiply-adds a second of encoder and decoder together, in billions."""
    parts = speed.get("gmac_per_s")
    return parts["encoder"] + parts["decoder"] if parts else None


def _codec(result: Mapping[str, Any]) -> str:
    return _number(codec_gmac(result.get("speed") or {}), 2)


def _factor(result: Mapping[str, Any], part: str, block: int) -> str:
    found = look(result, "speed", "rtf", part, str(block))
    if found is None:
        return NOT_RUN
    if "why_not" in found:
        return "cannot"
    return f"{found['median']:.3f} / {found['p99']:.3f} / {found['cpu']:.3f}"


def _late(result: Mapping[str, Any], samples: float | None) -> str:
    if samples is None:
        return NOT_RUN
    return f"{samples:.0f} ({1000 * samples / result['speed']['sample_rate']:.1f} ms)"


def _middle(result: Mapping[str, Any]) -> str:
    """Fresh weights ring on as chance has it: the middle of their answer is nobody's latency."""
    return (
        "fresh weights" if result.get("fresh") else _late(result, look(result, "speed", "latency", "middle"))
    )


def bars(results: Results) -> list[str]:
    """One sentence a bar: what it is, what was measured, whether it is met; "not known" where that was not
    run."""
    ours, peer = results.get(OURS, {}), results.get(FIRST_PEER, {})
    mine, theirs = ours.get("speed") or {}, peer.get("speed") or {}
    said = []
    a, b = look(ours, "reconstruction", "mstft"), look(peer, "reconstruction", "mstft")
    said.append(_bar("better reconstruction at equal minutes", a, b, lambda: a < b, "multi-scale STFT", 3))
    c, d = codec_gmac(mine), codec_gmac(theirs)
    said.append(_bar("at most 1/5 of the multiply-adds", c, d, lambda: c <= MAC_BAR * d, "GMAC a second"))
    at = str(theirs.get("smallest_block"))
    busy = max((look(s, "load_average") or 0.0) for s in (mine, theirs)) > BUSY
    for kind, words in (("median", "elapsed, median"), ("cpu", "processor time")):
        what = f"a tenth of the real-time factor at RAVE's smallest block ({words})"
        if kind == "median" and busy:
            said.append(f"{what}: not known, the machine was busy")
            continue
        e, f = (look(s, "rtf", "transfer", at, kind) for s in (mine, theirs))
        said.append(_bar(what, e, f, lambda e=e, f=f: e * SPEED_BAR <= f, f"at {at} samples", 3))
    kind = "lag" if all(heard_late(r, "lag") is not None for r in (ours, peer)) else "first"
    g, h = heard_late(ours, kind), heard_late(peer, kind)
    what = f"at most 1/4 of the latency, smallest block included ({BY[kind]})"
    said.append(_bar(what, g, h, lambda: g <= LATENCY_BAR * h, "samples", 0))
    return said


def _bar(
    what: str, ours: float | None, theirs: float | None, met: Callable[[], bool], unit: str, digits: int = 2
) -> str:
    if ours is None or theirs is None:
        return f"{what}: not known, {NOT_RUN}"
    ratio = f", {theirs / ours:.1f} times" if ours > 0 else ""
    verdict = "met" if met() else "**not met**"
    return f"{what}: {ours:.{digits}f} against {theirs:.{digits}f} ({unit}{ratio}): {verdict}"
