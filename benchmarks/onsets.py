"""When a sound begins: the definitions that the latency figures rest on.

Both look at the magnitude of one note (from its gate to the next) against that note's own peak:
- `onset`: the first sample above -40 dB re the peak, the earliest that could be heard;
- `tenth`: the first sample at 10 % of the peak (-20 dB), when the note is plainly there.
A note counts only where what sounded before it stays below -46 dB re its peak.
"""

from dataclasses import dataclass

import numpy as np

ONSET_RATIO, TENTH_RATIO, QUIET_RATIO = 10.0 ** (-40 / 20), 0.1, 10.0 ** (-46 / 20)


@dataclass(frozen=True)
class Onset:
    """Samples from the gate to the sound; `clear` is False where another sound hid the beginning."""

    onset: int
    tenth: int
    clear: bool


def find_onset(sound: np.ndarray, gate: int, end: int, before: int = 64) -> Onset:
    """The beginning of the note that a gate at sample `gate` of `sound` started and that lasts until `end`.

    `before`: samples ahead of the gate that must be quiet.
    """
    size = np.abs(sound[gate:end])
    peak = float(size.max(initial=0.0))
    quiet = float(np.abs(sound[max(0, gate - before) : gate]).max(initial=0.0))
    if peak < 1e-4 or quiet > QUIET_RATIO * peak:
        return Onset(-1, -1, False)
    return Onset(int(np.argmax(size > ONSET_RATIO * peak)), int(np.argmax(size >= TENTH_RATIO * peak)), True)


def summary(found: list[Onset], sample_rate: int, block: int) -> dict[str, object]:
    """Median, largest and spread of `found`, one block of `block` samples counted, in samples and ms."""
    clear = [one for one in found if one.clear]
    report: dict[str, object] = {"trials": len(found), "clear": len(clear), "block_counted": block}
    for name in ("onset", "tenth"):
        values = np.array([getattr(one, name) for one in clear], np.float64) + block
        if values.size:
            in_samples = {
                "min": float(values.min()),
                "median": float(np.median(values)),
                "max": float(values.max()),
                "jitter": float(np.ptp(values)),
            }
            report[f"{name}_samples"] = in_samples
            report[f"{name}_ms"] = {k: round(1e3 * v / sample_rate, 3) for k, v in in_samples.items()}
    return report
