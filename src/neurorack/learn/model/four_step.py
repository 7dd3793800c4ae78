"""The Fourier transforms of the pulse filter as matrix products, for exported graphs.

ONNX Runtime's DFT is slow, and half a decoder's time once several frames are due. By the four-step
factorisation (Bailey, 1990), with N = 32 * 32, n = 32 n1 + n2, k = k1 + 32 k2 and w_m = exp(-2 pi i / m),

    X[k1, k2] = sum_n2 w_32^(n2 k2) w_N^(n2 k1) sum_n1 x[n1, n2] w_32^(n1 k1)

the transform is two products with matrices of 64 columns, which take the window and the twiddle factors in
for nothing. Spectra stay in the order [k1, k2]: nothing here needs them sorted. The bin at Nyquist, where
a pulse train has nothing (excitation.py), is left out.
"""

import numpy as np
import torch
from torch import Tensor, nn

SIDE = 32
FFT_SIZE = SIDE * SIDE
TOP = SIDE // 2
"""Values of k2 below Nyquist."""


def bins_in_order() -> np.ndarray:
    """int [32, 16]: the bin k of each place [k1, k2]."""
    return np.arange(SIDE)[:, None] + SIDE * np.arange(TOP)[None, :]


def _real_rows(matrix: np.ndarray) -> np.ndarray:
    """Complex [..., I, O] -> real [..., 2 I, 2 O]: what turns (re | im) of I into (re | im) of O."""
    upper = np.concatenate([matrix.real, matrix.imag], axis=-1)
    lower = np.concatenate([-matrix.imag, matrix.real], axis=-1)
    return np.concatenate([upper, lower], axis=-2)


class FourStep(nn.Module):
    """Filters real segments [B, T, S], windowed by `window` [S], in spectra of 1024 points."""

    halved: Tensor
    first: Tensor
    second: Tensor
    third: Tensor
    fourth: Tensor

    def __init__(self, window: np.ndarray) -> None:
        super().__init__()
        self.rows = len(window) // SIDE
        products = np.outer(np.arange(SIDE), np.arange(SIDE))
        root, twiddle = np.exp(-2j * np.pi / SIDE * products), np.exp(-2j * np.pi / FFT_SIZE * products)
        # [n2, n1, k1], real and imaginary part side by side: the input is real.
        windowed = window.reshape(self.rows, SIDE).T[:, :, None]
        first = windowed * root[None, : self.rows] * twiddle[:, None, :]
        first = np.stack([first.real, first.imag], axis=-1).reshape(SIDE, self.rows, 2 * SIDE)
        # (re | im over n2) -> (a | c | a | c over k2), to be multiplied by (M | N | N | M).
        second = np.tile(_real_rows(root[:, :TOP]), 2)
        # (a M | c N | a N | c M over k2) -> (re | im over n2) of the sum over k2. Every bin stands for itself
        # and its mirror image; the one at 0 Hz, which has none, is halved with its magnitude.
        weight = np.full((TOP, 1), 2.0 / FFT_SIZE) * root.conj()[:TOP]
        back = _real_rows(weight)
        real, imaginary = back[:TOP], back[TOP:]
        third = np.concatenate([real, -real, imaginary, imaginary])
        # [n2, (k1, re | im), n1]: the real part of the sum over k1.
        last = twiddle.conj()[:, :, None] * root.conj()[None]
        fourth = np.stack([last.real, -last.imag], axis=2).reshape(SIDE, 2 * SIDE, SIDE)
        halved = np.where(bins_in_order() == 0, 0.5, 1.0)
        for name, value in (
            ("halved", halved),
            ("first", first),
            ("second", second),
            ("third", third),
            ("fourth", fourth),
        ):
            self.register_buffer(name, torch.from_numpy(value).float().contiguous(), persistent=False)

    def forward(self, segments: Tensor, log_magnitude: Tensor, phase: Tensor) -> Tensor:
        """segments [B, T, S]; log_magnitude and phase of the bins `bins_in_order` [B, T, 32, 16] ->
        [B, T, 1024].
        """
        b = segments.shape[0]
        x = segments.reshape(-1, SIDE).T.reshape(SIDE, -1, self.rows) @ self.first
        x = x.reshape(SIDE, -1).T.reshape(b, -1, SIDE, 2 * SIDE) @ self.second
        magnitude = torch.exp(log_magnitude) * self.halved
        m, n = magnitude * torch.cos(phase), magnitude * torch.sin(phase)
        x = (x * torch.cat([m, n, n, m], dim=-1)) @ self.third
        x = x.reshape(-1, SIDE).T.reshape(SIDE, -1, 2 * SIDE) @ self.fourth
        return x.reshape(SIDE, -1).T.reshape(b, -1, FFT_SIZE)
