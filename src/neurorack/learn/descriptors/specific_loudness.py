"""Zwicker's specific loudness (DIN 45631 / ISO 532 B, free field) without a loop.

The standard walks up the Bark axis and lets each band's loudness fall off towards higher bands along slopes
that depend on the loudness reached and on the band crossed. Those slopes are monotone flows: two never cross,
so the pattern is the *maximum* over the bands of each band's own fall-off. A fall-off is a function of one
number, the band's main loudness, and is tabulated once as a sum of ramps. What remains in the graph is one
batched product and one maximum; it exports, and it has gradients.
"""

import numpy as np
import torch
from torch import Tensor, nn

from neurorack.learn.descriptors.constants import put_constant

STEP_BARK = 0.2
BARK = 0.1 + STEP_BARK * np.arange(120)
"""Critical-band rates the pattern is sampled at."""

REFERENCE_DB = 100.0
"""Sound pressure level that a mean square of 1 stands for."""

_RANGES_DB = np.array([45, 55, 65, 71, 80, 90, 100, 120.0])
_LOW_CORRECTION_DB = np.array(
    [
        [-32, -24, -16, -10, -5, 0, -7, -3, 0, -2, 0],
        [-29, -22, -15, -10, -4, 0, -7, -2, 0, -2, 0],
        [-27, -19, -14, -9, -4, 0, -6, -2, 0, -2, 0],
        [-25, -17, -12, -9, -3, 0, -5, -2, 0, -2, 0],
        [-23, -16, -11, -7, -3, 0, -4, -1, 0, -1, 0],
        [-20, -14, -10, -6, -3, 0, -4, -1, 0, -1, 0],
        [-18, -12, -9, -6, -2, 0, -3, -1, 0, -1, 0],
        [-15, -10, -8, -4, -2, 0, -3, -1, 0, -1, 0],
    ]
)
_THRESHOLD_DB = np.array([30, 18, 12, 8, 7, 6, 5, 4, *[3] * 12], dtype=float)
_EAR_DB = np.array([*[0.0] * 10, -0.5, -1.6, -3.2, -5.4, -5.6, -4, -1.5, 2, 5, 12])
_BANDWIDTH_DB = np.array(
    [-0.25, -0.6, -0.8, -0.8, -0.5, 0, 0.5, 1.1, 1.5, 1.7, 1.8, 1.8, 1.7, 1.6, 1.4, 1.2, 0.8, 0.5, 0, -0.5]
)
_UPPER_BARK = np.array(
    [
        0.9,
        1.8,
        2.8,
        3.5,
        4.4,
        5.4,
        6.6,
        7.9,
        9.2,
        10.6,
        12.3,
        13.8,
        15.2,
        16.7,
        18.1,
        19.3,
        20.6,
        21.8,
        22.7,
        23.6,
    ]
)
_SLOPE_FROM = np.array(
    [21.5, 18, 15.1, 11.5, 9, 6.1, 4.4, 3.1, 2.13, 1.36, 0.82, 0.42, 0.30, 0.22, 0.15, 0.10, 0.035, 0]
)
_SLOPE = np.array(
    [
        [13.0, 8.2, 6.3, 5.5, 5.5, 5.5, 5.5, 5.5],
        [9.0, 7.5, 6.0, 5.1, 4.5, 4.5, 4.5, 4.5],
        [7.8, 6.7, 5.6, 4.9, 4.4, 3.9, 3.9, 3.9],
        [6.2, 5.4, 4.6, 4.0, 3.5, 3.2, 3.2, 3.2],
        [4.5, 3.8, 3.6, 3.2, 2.9, 2.7, 2.7, 2.7],
        [3.7, 3.0, 2.8, 2.35, 2.2, 2.2, 2.2, 2.2],
        [2.9, 2.3, 2.1, 1.9, 1.8, 1.7, 1.7, 1.7],
        [2.4, 1.7, 1.5, 1.35, 1.3, 1.3, 1.3, 1.3],
        [1.95, 1.45, 1.3, 1.15, 1.1, 1.1, 1.1, 1.1],
        [1.5, 1.2, 0.94, 0.86, 0.82, 0.82, 0.82, 0.82],
        [0.72, 0.67, 0.64, 0.63, 0.62, 0.62, 0.62, 0.62],
        [0.59, 0.53, 0.51, 0.50, 0.42, 0.42, 0.42, 0.42],
        [0.40, 0.33, 0.26, 0.24, 0.24, 0.22, 0.22, 0.22],
        [0.27, 0.21, 0.20, 0.18, 0.17, 0.17, 0.17, 0.17],
        [0.16, 0.15, 0.14, 0.12, 0.11, 0.11, 0.11, 0.11],
        [0.12, 0.11, 0.10, 0.08, 0.08, 0.08, 0.08, 0.08],
        [0.09, 0.08, 0.07, 0.06, 0.06, 0.06, 0.06, 0.05],
        [0.06, 0.05, 0.03, 0.02, 0.02, 0.02, 0.02, 0.02],
    ]
)
_KNOTS = np.concatenate([[0.0], np.geomspace(0.02, 32.0, 27)])
_FINE = 0.01


def _falloff_ramps() -> np.ndarray:
    """Ramps [20 bands, knots, BARK] such that pattern(band, z) = sum_k ramp_k(z) max(0, N - knot_k)."""
    z = np.arange(1, 2401) * _FINE
    band_at = np.searchsorted(_UPPER_BARK, z - 1e-6)
    keep = np.round(BARK / _FINE).astype(int) - 1
    tables = np.zeros((20, len(_KNOTS), len(BARK)))
    for source in range(20):
        level = _KNOTS.copy()
        start = 0.0 if source == 0 else _UPPER_BARK[source - 1]
        pattern = np.zeros((len(_KNOTS), len(z)))
        for i, (position, band) in enumerate(zip(z, band_at, strict=True)):
            if position <= start + 1e-6:
                continue
            if band > source:
                segment = np.searchsorted(-_SLOPE_FROM, -level, side="left")
                level = np.maximum(level - _FINE * _SLOPE[segment, min(band - 1, 7)], 0.0)
            pattern[:, i] = level
        tables[source] = pattern[:, keep]
    slopes = np.diff(tables, axis=1) / np.diff(_KNOTS)[:, None]
    slopes = np.concatenate([slopes, slopes[:, -1:]], axis=1)
    return np.concatenate([slopes[:, :1], np.diff(slopes, axis=1)], axis=1)


def _low_correction_ramps() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offset [11], knots and ramps [8, 11]: the standard's stepped correction, joined by straight lines.

    The standard jumps by up to 4 dB where a band's level passes from one range to the next; a control
    must not.
    """
    upper = _RANGES_DB[:, None] - _LOW_CORRECTION_DB
    middle = np.concatenate([upper[:1] - 5.0, 0.5 * (upper[1:] + upper[:-1])])
    slope = np.diff(_LOW_CORRECTION_DB, axis=0) / np.diff(middle, axis=0)
    return _LOW_CORRECTION_DB[0], middle, np.diff(slope, axis=0, prepend=0.0, append=0.0)


class SpecificLoudness(nn.Module):
    """One-third-octave powers [B, T, 28] re full scale -> specific loudness [B, T, 120] in sone per Bark."""

    low_offset: Tensor
    low_knots: Tensor
    low_ramps: Tensor
    low_groups: Tensor
    excitation_offset_db: Tensor
    factor: Tensor
    knots: Tensor
    ramps: Tensor
    first: Tensor

    def __init__(self) -> None:
        super().__init__()
        offset, knots, ramps = _low_correction_ramps()
        put_constant(self, "low_offset", offset)
        put_constant(self, "low_knots", knots)
        put_constant(self, "low_ramps", ramps)
        groups = np.zeros((11, 3))
        groups[:6, 0] = groups[6:9, 1] = groups[9:, 2] = 1.0
        put_constant(self, "low_groups", groups)
        put_constant(self, "excitation_offset_db", -_EAR_DB - _BANDWIDTH_DB - _THRESHOLD_DB)
        put_constant(self, "factor", 0.0635 * 10.0 ** (0.025 * _THRESHOLD_DB))
        put_constant(self, "knots", _KNOTS)
        put_constant(self, "ramps", _falloff_ramps())
        first = np.zeros(20)
        first[0] = 1.0
        put_constant(self, "first", first)

    def forward(self, third_octaves: Tensor) -> Tensor:
        level_db = 10.0 * torch.log10(third_octaves * 10.0 ** (REFERENCE_DB / 10.0) + 1.0)
        low = level_db[..., :11]
        correction = (torch.relu(low[..., None, :] - self.low_knots) * self.low_ramps).sum(dim=-2)
        corrected = low + self.low_offset + correction
        grouped = torch.exp(corrected * (np.log(10.0) / 10.0)) @ self.low_groups
        level_db = torch.cat([10.0 * torch.log10(grouped), level_db[..., 11:]], dim=-1)
        above = torch.exp((level_db + self.excitation_offset_db) * (np.log(10.0) / 10.0))
        main = self.factor * torch.relu((0.75 + 0.25 * above) ** 0.25 - 1.0)
        # the standard's correction of the lowest band near threshold
        korry = torch.clamp(0.4 + 0.32 * (main[..., :1] + 1e-6) ** 0.2, max=1.0)
        main = main * (1.0 - self.first * (1.0 - korry))
        batch, count = main.shape[0], main.shape[1]
        basis = torch.relu(main[..., None] - self.knots).reshape(batch * count, 20, -1).transpose(0, 1)
        return torch.bmm(basis, self.ramps).amax(dim=0).reshape(batch, count, -1)
