"""When a run is evaluated. All times are seconds of training (`Clock.elapsed_s`)."""

FIRST_LOOKS = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Shares of the time between evaluations after which, once warmed up, the first ones are made: a forecast
needs some.
"""


class Looks:
    """Evaluations: the first ones soon after the warm-up, then every `every_s`."""

    def __init__(self, every_s: float, now_s: float) -> None:
        self.every_s = every_s
        self.last_s = now_s
        self._first: list[float] = []

    def warmed_up(self, now_s: float) -> None:
        """The warm-up ends now."""
        self._first = [now_s + share * self.every_s for share in FIRST_LOOKS]

    def due(self, now_s: float) -> bool:
        early = bool(self._first) and now_s > self._first[0]
        return early or now_s - self.last_s > self.every_s

    def made(self, now_s: float) -> None:
        """One was made now; those that were due by now are over with it."""
        self._first = [look for look in self._first if look > now_s]
        self.last_s = now_s

    def until_s(self, more: int, now_s: float, warm_up_s: float) -> float:
        """Seconds from `now_s` until `more` evaluations have been made after the warm-up, which lasts another
        `warm_up_s`.
        """
        first, last = list(self._first), self.last_s
        if warm_up_s > 0:
            last = now_s + warm_up_s
            first = [last + share * self.every_s for share in FIRST_LOOKS]
        for _ in range(more):
            last = min(first.pop(0), last + self.every_s) if first else last + self.every_s
        return max(0.0, last - now_s)
