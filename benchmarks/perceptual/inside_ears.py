"""The part of the comparison that runs in the metrics' environment: CDPAM and Zimtohrli, as their packages
give them.

    python inside_ears.py PAIRS -o HEARD [--limit 8]

PAIRS holds a folder of sounds for each row, "recording" among them; sounds of one name belong together. What
is in HEARD is not computed again. For every sound ROW/NAME.npz is written there:

    acoustics, content  both halves of CDPAM's code of the whole sound, each of length 1: [512]
    windows             the same of every half-second, end to end: [2, W, 512]
    cdpam               CDPAM's distance to the recording of that name
    zimtohrli, mos      Zimtohrli's distance to it (0 alike, 1 not at all) and the opinion it maps that to
                        (5 alike, 1 bad)

CDPAM takes the mean over time of what its last layer gives: the half-seconds are means over parts of the
same. Its distance is computed from codes by its own layers, so that every sound is encoded once.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np

CDPAM_RATE, ZIMTOHRLI_RATE = 22050, 48000
WINDOW_S = 0.5
REFERENCE = "recording"
BLOCK = 64
"""Samples of each Fourier transform in a convolution."""

PROBE = 4096
"""Samples on which the faster network must answer as the package's."""


def fourier(convolution: Any) -> Any:
    """The same convolution (torch Conv1d, stride 1, as much padding as keeps the length) by way of Fourier
    transforms: a fifth of the multiply-adds for 15 taps. [1, C, T] -> [1, D, T]."""
    import torch

    (taps,) = convolution.kernel_size
    step = BLOCK - taps + 1
    spectrum = torch.fft.rfft(convolution.weight.detach(), BLOCK).conj().permute(2, 1, 0).contiguous()
    bias = convolution.bias.detach()[:, None]

    class Fourier(torch.nn.Module):
        def forward(self, sound: Any) -> Any:
            length = sound.shape[-1]
            count = -(-length // step)
            after = count * step + taps - 1 - length - taps // 2
            framed = torch.nn.functional.pad(sound[0], (taps // 2, after)).unfold(1, BLOCK, step)
            product = torch.fft.rfft(framed).permute(2, 1, 0) @ spectrum
            answer = torch.fft.irfft(product.permute(2, 1, 0), BLOCK)[..., :step]
            return (answer.reshape(len(bias), -1)[:, :length] + bias)[None]

    return Fourier()


class Cdpam:
    """CDPAM with its packaged weights, its convolutions made faster."""

    def __init__(self) -> None:
        # The weights' file of 2020 holds more than torch loads unasked since 2.6; it came with the package.
        os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"
        import cdpam
        import torch

        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        self.network = cdpam.CDPAM(dev="cpu").model
        encoder = self.network.base_encoder
        noise = 1000.0 * torch.randn(1, 1, PROBE, generator=torch.Generator().manual_seed(0))
        slowly = encoder(noise)[0]
        for i, convolution in enumerate(encoder.encoder):
            encoder.encoder[i] = fourier(convolution)
        if not torch.allclose(encoder(noise)[0], slowly, rtol=1e-3, atol=1e-4):
            raise SystemExit("CDPAM made faster is not CDPAM on this machine.")
        encoder.ebatch[-1].register_forward_hook(self._keep)

    def _keep(self, _layer: Any, _given: Any, answer: Any) -> None:
        self.last = answer

    def codes(self, sound: np.ndarray) -> dict[str, np.ndarray]:
        """{"acoustics", "content", "windows"} of a sound [N] at 22050 Hz, full scale 1."""
        import torch

        given = torch.from_numpy(np.round(sound * 32768).astype(np.float32))
        whole = self.network.base_encoder(given[None, None])[0]
        # What the package does after its last normalisation, before it takes the mean.
        steps = torch.nn.functional.leaky_relu(self.last, 0.1)[0, :, ::2]
        if not torch.allclose(steps.mean(dim=1), whole[0], rtol=1e-3, atol=1e-4):
            raise SystemExit("CDPAM's code is not the mean over time that it was in 0.0.6.")
        width = round(WINDOW_S * steps.shape[1] * CDPAM_RATE / len(sound))
        count = steps.shape[1] // width
        windows = steps[:, : count * width].reshape(2, -1, count, width).mean(dim=3).transpose(1, 2)
        acoustics, content = unit(whole.numpy().reshape(2, -1))
        return {"acoustics": acoustics, "content": content, "windows": unit(windows.numpy())}

    def distance(self, a: np.ndarray, b: np.ndarray) -> float:
        """Between two sounds' acoustics [512], by the package's own layers."""
        import torch

        return float(self.network.model_dist(torch.from_numpy(a)[None], torch.from_numpy(b)[None]))


def unit(codes: np.ndarray) -> np.ndarray:
    """Codes [.., 512] brought to length 1, as CDPAM does before it compares."""
    return codes / np.maximum(np.linalg.norm(codes, axis=-1, keepdims=True), 1e-12)


def zimtohrli_between(recording: np.ndarray, answer: np.ndarray) -> dict[str, float]:
    """{"zimtohrli", "mos"} of two sounds [N] at 48 kHz."""
    import zimtohrli

    ears = zimtohrli.Pyohrli()
    distance = float(ears.distance(recording, answer))
    return {"zimtohrli": distance, "mos": float(zimtohrli.mos_from_zimtohrli(distance))}


def sound_at(path: Path, rate: int) -> np.ndarray:
    """A mono sound [N], float32, resampled as librosa does (and CDPAM's package with it)."""
    import librosa

    return librosa.load(path, sr=rate)[0]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=8, help="sounds of each row")
    o = parser.parse_args()
    cdpam: Cdpam | None = None
    others = sorted(p.name for p in o.pairs.iterdir() if p.is_dir() and p.name != REFERENCE)
    # By excerpt, so that a run that is cut short has compared every row on the same sounds.
    for recording in sorted((o.pairs / REFERENCE).glob("*.wav"))[: o.limit]:
        for row in (REFERENCE, *others):
            target = (o.output / row / recording.name).with_suffix(".npz")
            sound = o.pairs / row / recording.name
            if target.exists() or not sound.exists():
                continue
            cdpam = cdpam or Cdpam()
            found: dict[str, Any] = cdpam.codes(sound_at(sound, CDPAM_RATE))
            if row != REFERENCE:
                with np.load((o.output / REFERENCE / recording.name).with_suffix(".npz")) as reference:
                    found["cdpam"] = cdpam.distance(reference["acoustics"], found["acoustics"])
                at_48k = [sound_at(path, ZIMTOHRLI_RATE) for path in (recording, sound)]
                found |= zimtohrli_between(*at_48k)
            target.parent.mkdir(parents=True, exist_ok=True)
            half = target.with_suffix(".half.npz")
            np.savez(half, **found)
            half.replace(target)
            print(row, recording.stem, found.get("cdpam"), found.get("zimtohrli"), flush=True)


if __name__ == "__main__":
    main()
