"""How many different points there are: the Vendi score, for corpora and for what an instrument plays."""

import numpy as np


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean, [N, M], of points [N, D] and [M, D]."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    square = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1)[None] - 2.0 * a @ b.T
    return np.sqrt(np.maximum(square, 0.0))


def vendi(points: np.ndarray, width: float) -> float:
    """exp of the entropy of the eigenvalues of K / N, K a Gaussian kernel of `width` on points [N, D]: 1
    where all are alike, N where none is near another (Friedman and Dieng, 2023).
    """
    kernel = np.exp(-np.square(distances(points, points)) / (2.0 * max(width, 1e-9) ** 2))
    values = np.linalg.eigvalsh(kernel / len(points))
    values = values[values > 1e-12]
    return float(np.exp(-np.sum(values * np.log(values))))
