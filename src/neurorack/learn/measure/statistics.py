"""Rank correlation with confounders taken out, and how far chance could have moved a mean."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

EXPLAINED = 0.999
"""Share of a variable's rank variance that confounders may explain before nothing is left to correlate."""


def spearman(
    asked: np.ndarray, measured: np.ndarray, given: Sequence[np.ndarray] = (), bent: bool = False
) -> float:
    """(Partial) Spearman rank correlation of two curves [T], linear in the ranks of the `given` curves [T].

    The residuals of both ranks after least squares on the ranks of `given` are correlated; with `bent`, on
    their squares as well, so that a curve that follows a given one up and then down is taken out too. A curve
    without variation, or one that `given` explains (by more than EXPLAINED of its variance), scores 0: it
    shows nothing.
    """
    if len(asked) < 3 + len(given) * (2 if bent else 1):
        return 0.0
    x, y = _centred_ranks(asked), _centred_ranks(measured)
    spread_x, spread_y = x @ x, y @ y
    if given and spread_x > 0 and spread_y > 0:
        basis = _span_of([_centred_ranks(g) for g in given], bent)
        x, y = x - basis @ (basis.T @ x), y - basis @ (basis.T @ y)
    left_x, left_y = x @ x, y @ y
    if left_x <= (1 - EXPLAINED) * spread_x or left_y <= (1 - EXPLAINED) * spread_y:
        return 0.0
    return float(x @ y / np.sqrt(left_x * left_y))


def _span_of(ranks: Sequence[np.ndarray], bent: bool) -> np.ndarray:
    """Orthonormal basis [T, K] of what the ranks (and their squares) span; near-copies count once."""
    columns = list(ranks)
    if bent:
        columns += [r * r - np.mean(r * r) for r in ranks]
    columns = [c / np.linalg.norm(c) for c in columns if np.linalg.norm(c) > 0]
    if not columns:
        return np.zeros((len(ranks[0]), 0))
    left, strength, _ = np.linalg.svd(np.stack(columns, axis=1), full_matrices=False)
    return left[:, strength > 1e-4 * strength[0]]


def _centred_ranks(curve: np.ndarray) -> np.ndarray:
    ranks = rankdata(curve)
    return ranks - ranks.mean()


def bootstrap_interval(
    groups: Sequence[Sequence[tuple[int, float]]], seed: int = 0, draws: int = 1000, confidence: float = 0.9
) -> tuple[float, float]:
    """Interval of the mean of the groups' means when whole blocks are drawn with replacement.

    `groups` holds, for each control, (block, value) pairs; a block is an excerpt. Groups weigh the same
    however many values they have; empty ones are left out.
    """
    groups = [g for g in groups if len(g)]
    if not groups:
        return (float("nan"), float("nan"))
    blocks = {block: i for i, block in enumerate(sorted({b for g in groups for b, _ in g}))}
    sums, counts = np.zeros((len(blocks), len(groups))), np.zeros((len(blocks), len(groups)))
    for column, group in enumerate(groups):
        for block, value in group:
            sums[blocks[block], column] += value
            counts[blocks[block], column] += 1
    picks = np.random.default_rng(seed).integers(0, len(blocks), (draws, len(blocks)))
    with np.errstate(invalid="ignore"):
        means = sums[picks].sum(axis=1) / counts[picks].sum(axis=1)
    low, high = np.nanquantile(np.nanmean(means, axis=1), [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def mean_or_none(values: Sequence[float]) -> float | None:
    """Mean of the finite values; None, which JSON can say, where there are none."""
    kept = [v for v in values if v is not None and np.isfinite(v)]
    return float(np.mean(kept)) if kept else None
