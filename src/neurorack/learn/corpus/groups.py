"""Which recordings belong together, and which split each group goes to.

Two microphones on one take, or four repeats of one gesture, sound almost alike: were one of them trained on
and another tested on, the score would flatter. So files form groups, and a group is never divided.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from neurorack.core.errors import NeurorackError

SPLITS = ("train", "validation", "test")

MICROPHONE_TOKENS = ("cnd", "cond", "dyn", "dnm", "rbn", "ribbon", "close", "far", "room", "oh", "overhead")
"""Words in a file's or folder's name that tell microphones of one take apart."""

_TWIN = re.compile(rf"(?i)(?:^|[_\-. ])(?:{'|'.join(MICROPHONE_TOKENS)}|mic\d*|rr\d+)(?=$|[_\-. ])")

STRATIFY_FROM = 10
"""A folder with at least this many groups gives some of them to every split."""


def _plain(path: str) -> str:
    """A name without its microphone and round-robin words."""
    return "/".join(part for part in (_TWIN.sub("", part) for part in path.split("/")) if part)


def default_group(path: str) -> str:
    """Group of a relative POSIX path by the default rule."""
    return _plain(str(PurePosixPath(path).with_suffix(""))) or path


def compile_patterns(patterns: Sequence[str], option: str, captures: bool = False) -> list[re.Pattern[str]]:
    """Compile regular expressions given to `option`; with `captures` each must have a capture group."""
    compiled = []
    for pattern in patterns:
        try:
            expression = re.compile(pattern)
        except re.error as error:
            raise NeurorackError(
                f"{option} {pattern!r} is not a regular expression Python reads ({error})"
            ) from error
        if captures and expression.groups == 0:
            raise NeurorackError(
                f"{option} {pattern!r} needs a part in (parentheses): files where it is equal form a group"
            )
        compiled.append(expression)
    return compiled


def assign_groups(paths: Sequence[str], patterns: Sequence[str] = ()) -> dict[str, str]:
    """Path -> group. The first of `patterns` found in a path names its group by what it captures."""
    expressions = compile_patterns(patterns, "--group", captures=True)
    groups = {}
    for path in paths:
        match = next((m for m in (e.search(path) for e in expressions) if m), None)
        groups[path] = (
            " ".join(part for part in match.groups() if part) if match else default_group(path)
        ) or path
    return groups


def _draw(seed: int, group: str) -> float:
    """A number in [0, 1) that depends on seed and name only, so that it is the same everywhere."""
    digest = hashlib.sha256(f"{seed}:{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2.0**64


def _quota(count: int, share: float) -> int:
    """How many of `count` groups a held-out split gets: at least one where it is asked for at all."""
    return max(1, round(share * count)) if share > 0 else 0


def assign_splits(
    groups: dict[str, str], shares: Sequence[float], seed: int, train_only: Sequence[str] = ()
) -> dict[str, str]:
    """Group -> "train", "validation" or "test", by a seeded hash of its name, stratified by folder.

    `groups`: path -> group. `shares`: three fractions summing to one. A folder with STRATIFY_FROM groups or
    more gives its share to each split; the groups of smaller folders are pooled and shared out together. With
    fewer than three groups all go to training. Groups with a file matching `train_only` always train.
    """
    if len(shares) != 3 or min(shares) < 0 or shares[0] <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise NeurorackError("--split needs three shares that sum to 1, like 0.8,0.1,0.1 (training first)")
    fixed = compile_patterns(train_only, "--train-only")
    result: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in sorted(groups):
        group = groups[path]
        folders.setdefault(group, _plain(str(PurePosixPath(path).parent)))
        if any(expression.search(path) for expression in fixed):
            result[group] = "train"
    by_folder: dict[str, list[str]] = defaultdict(list)
    for group, folder in folders.items():
        if group not in result:
            by_folder[folder].append(group)
    pooled = [g for members in by_folder.values() if len(members) < STRATIFY_FROM for g in members]
    strata = [members for members in by_folder.values() if len(members) >= STRATIFY_FROM] + [pooled]
    for members in strata:
        members = sorted(members, key=lambda group: (_draw(seed, group), group))
        held = (0, 0)
        if len(members) >= 3:
            held = (_quota(len(members), shares[1]), _quota(len(members), shares[2]))
        for index, group in enumerate(members):
            split = "validation" if index < held[0] else "test" if index < sum(held) else "train"
            result[group] = split
    return result
