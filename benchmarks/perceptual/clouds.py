"""Fréchet's distance between two clouds of few points in many dimensions."""

import numpy as np


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """|m - m'|² + tr(C + C' - 2 (C C')^½) between clouds [N, D] and [N', D], at least two points each.

    With C = A Aᵀ and C' = B Bᵀ, A and B the centred points over √(N - 1), the trace of (C C')^½ is the sum of
    the singular values of Aᵀ B: exact also where there are fewer points than dimensions.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError("Fréchet's distance needs two points at least")
    gap = a.mean(axis=0) - b.mean(axis=0)
    p, q = ((x - x.mean(axis=0)) / np.sqrt(len(x) - 1) for x in (a, b))
    both = np.linalg.svd(p @ q.T, compute_uv=False).sum()
    return float(max(gap @ gap + np.sum(p**2) + np.sum(q**2) - 2 * both, 0.0))
