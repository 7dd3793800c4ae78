"""Predictions that need hardly any learning, to set a prior beside: the last value held, a matched walk."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ORDER = 6
"""Steps a matched walk looks back: 140 ms."""

SCALES = 6
ROUNDS = 60


@dataclass(frozen=True)
class Walk:
    """A linear Gaussian walk of ORDER steps fitted to sequences (a vector autoregression): its spectra and
    cross-spectra are the corpus's, and nothing else is."""

    weights: np.ndarray
    """[ORDER * D + 1, D]: the newest step first, a constant last."""

    factor: np.ndarray
    """Cholesky factor [D, D] of the rest's covariance."""

    @classmethod
    def fit(cls, sequences: Sequence[np.ndarray], floor: np.ndarray | float) -> "Walk":
        """From sequences [T, D]; `floor` is the least deviation it may be sure of."""
        pairs = [lagged(s) for s in sequences if len(s) > ORDER]
        past, now = (np.concatenate(p) for p in zip(*pairs, strict=True))
        ridge = 1e-4 * len(past) * np.eye(past.shape[1])
        weights = np.linalg.solve(past.T @ past + ridge, past.T @ now)
        rest = now - past @ weights
        covariance = rest.T @ rest / len(rest) + np.diag(np.broadcast_to(floor, now.shape[1]) ** 2)
        return cls(weights, np.linalg.cholesky(covariance))

    def log_prob(self, sequence: np.ndarray) -> np.ndarray:
        """Log density of each step of [T, D] but the first ORDER: [T - ORDER]."""
        past, now = lagged(sequence)
        white = np.linalg.solve(self.factor, (now - past @ self.weights).T)
        size = now.shape[1]
        return -0.5 * (white**2).sum(0) - np.log(np.diag(self.factor)).sum() - 0.5 * size * np.log(2 * np.pi)

    def play(self, before: np.ndarray, steps: int, rng: np.random.Generator, reach: float) -> np.ndarray:
        """Go on from `before` [B, ORDER, D] for `steps`, within ±reach: [B, T, D]."""
        past, out = before.copy(), []
        for _ in range(steps):
            row = np.concatenate([past[:, ::-1].reshape(len(past), -1), np.ones((len(past), 1))], 1)
            new = row @ self.weights + rng.standard_normal((len(past), past.shape[2])) @ self.factor.T
            new = np.clip(new, -reach, reach)
            past = np.concatenate([past[:, 1:], new[:, None]], 1)
            out.append(new)
        return np.stack(out, 1)


def lagged(sequence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of ORDER steps before (newest first, a 1 last), and the step itself."""
    count = len(sequence) - ORDER
    past = [sequence[ORDER - k : ORDER - k + count] for k in range(1, ORDER + 1)]
    return np.concatenate([*past, np.ones((count, 1))], 1), sequence[ORDER:]


@dataclass(frozen=True)
class HoldLast:
    """The last value stays; for a density, each number's change is a mixture of Gaussians about zero, fitted
    to the corpus, blind to everything."""

    share: np.ndarray
    deviation: np.ndarray
    """Both [D, SCALES]."""

    @classmethod
    def fit(cls, sequences: Sequence[np.ndarray], floor: np.ndarray | float) -> "HoldLast":
        change = np.concatenate([np.diff(s, axis=0) for s in sequences]) ** 2
        size = change.shape[1]
        floor = np.broadcast_to(floor, size)
        deviation = np.geomspace(2 * floor, 1.0, SCALES).T
        share = np.full((size, SCALES), 1 / SCALES)
        for _ in range(ROUNDS):
            each = share / deviation * np.exp(-0.5 * change[..., None] / deviation**2)
            each /= each.sum(-1, keepdims=True) + 1e-300
            total = each.sum(0) + 1e-9
            share = total / total.sum(1, keepdims=True)
            deviation = np.maximum(np.sqrt((each * change[..., None]).sum(0) / total), floor[:, None])
        return cls(share, deviation)

    def log_prob(self, sequence: np.ndarray) -> np.ndarray:
        """Log density of each step of [T, D] but the first: [T - 1]."""
        change = np.diff(sequence, axis=0)[..., None]
        each = self.share / self.deviation * np.exp(-0.5 * (change / self.deviation) ** 2)
        return np.log(each.sum(-1) / np.sqrt(2 * np.pi) + 1e-300).sum(-1)
