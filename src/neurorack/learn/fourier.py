"""Spectra of real sound, the fastest way there is: torch's in training, matrix products in exported graphs.

ONNX Runtime's DFT is slow, and was half of what a descriptor costs. Exported graphs use the four-step
factorisation (Bailey, 1990): with N = R S, n = S n1 + n2, k = k1 + R k2 and w_m = exp(-2 pi i / m),

    X[k1 + R k2] = sum_n2 w_S^(n2 k2) w_N^(n2 k1) sum_n1 x[S n1 + n2] w_R^(n1 k1)

which is two products with small matrices and one elementwise product in between. (learn/model/four_step.py
does the same for a filter, which needs no order and no separate factors.)
"""

import numpy as np
import torch
from torch import Tensor, nn

ROWS = 32


class RealFft(nn.Module):
    """The spectrum of `used` samples, followed by zeros up to `size`: bins 0 … size / 2."""

    sums: Tensor
    turned_sums: Tensor
    cosines: Tensor
    sines: Tensor
    columns: Tensor

    def __init__(self, size: int, used: int | None = None) -> None:
        """size: other sizes than multiples of 64 are left to the slow operator."""
        super().__init__()
        self.size, self.used = size, size if used is None else used
        self.splits = size % (2 * ROWS) == 0
        self.width = size // ROWS
        self.rows = -(-self.used // self.width)
        self.bins = size // 2 + 1
        if not self.splits:
            return
        roots = np.exp(-2j * np.pi / ROWS * np.outer(np.arange(ROWS), np.arange(self.rows)))
        factors = np.exp(-2j * np.pi / size * np.outer(np.arange(ROWS), np.arange(self.width)))
        ends = np.exp(
            -2j * np.pi / self.width * np.outer(np.arange(self.width), np.arange(self.width // 2 + 1))
        )
        made = {
            # Rows (re, im) of every k1; (re, im) times (c, c) plus (im, re) times (-s, s) is the product with
            # c + i s.
            "sums": _paired(roots.real, roots.imag),
            "turned_sums": _paired(roots.imag, roots.real),
            "cosines": _paired(factors.real, factors.real),
            "sines": _paired(-factors.imag, factors.imag),
            "columns": np.block([[ends.real, ends.imag], [-ends.imag, ends.real]]),
        }
        for name, value in made.items():
            self.register_buffer(name, torch.from_numpy(value).float().contiguous(), persistent=False)

    def power(self, x: Tensor) -> Tensor:
        """Squared magnitudes [..., bins] of x [..., used]."""
        if not (self.splits and torch.compiler.is_exporting()):
            return torch.view_as_real(torch.fft.rfft(x, n=self.size)).square().sum(dim=-1)
        real, imaginary = (self._inner(x) @ self.columns).chunk(2, dim=2)
        return self._in_order(real * real + imaginary * imaginary, x)

    def real(self, x: Tensor) -> Tensor:
        """Real parts [..., bins] of the spectrum of x [..., used]."""
        if not (self.splits and torch.compiler.is_exporting()):
            return torch.fft.rfft(x, n=self.size).real
        return self._in_order(self._inner(x) @ self.columns[:, : self.width // 2 + 1], x)

    def _inner(self, x: Tensor) -> Tensor:
        """The sums over n1, turned: [B, R, 2 S], a row for each k1, (re | im) of every n2."""
        flat = x.reshape(-1, self.used)
        missing = self.rows * self.width - self.used
        if missing:
            flat = nn.functional.pad(flat, (0, missing))
        table = flat.reshape(-1, self.rows, self.width)
        sums = (self.sums @ table) * self.cosines + (self.turned_sums @ table) * self.sines
        return sums.reshape(-1, ROWS, 2 * self.width)

    def _in_order(self, table: Tensor, like: Tensor) -> Tensor:
        """[B, R, S / 2 + 1] -> [..., bins]."""
        return table.transpose(1, 2).reshape(*like.shape[:-1], -1)[..., : self.bins]


def _paired(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """[R, N] twice -> [2 R, N], row by row in turn."""
    return np.stack([first, second], axis=1).reshape(-1, first.shape[1])
