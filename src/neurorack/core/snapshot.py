"""The snapshot: a short input and what every graph made of it, with which any player can check itself."""

from dataclasses import dataclass

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.manifest import Manifest
from neurorack.core.noise import white
from neurorack.core.npy import npz_arrays, npz_bytes
from neurorack.core.timebase import HOP, SLOW_EVERY

SLOW_SHARE = 0.9
"""Share of slow values that must agree: a pitch tracker may pick another octave on another machine."""


@dataclass(frozen=True)
class Snapshot:
    """One stream, batch of one, T frames (a multiple of 4), every state starting at zero.

    audio [1, 128 T] goes to encoder, descriptors and descriptors_slow; z [1, Z, T], controls [1, C, T],
    level_db and f0_hz [1, 1, T] (None where the decoder takes none) and white(seed, 0, 128 T) go to the
    decoder.
    `encoder_z`, `descriptors_values`, `descriptors_slow_values` (None without slow descriptors) and
    `decoder_audio` are what came out. A value agrees if |got - expected| <= tolerance * max(1, |expected|).
    """

    audio: np.ndarray
    z: np.ndarray
    controls: np.ndarray
    level_db: np.ndarray | None
    f0_hz: np.ndarray | None
    seed: int
    encoder_z: np.ndarray
    descriptors_values: np.ndarray
    descriptors_slow_values: np.ndarray | None
    decoder_audio: np.ndarray
    tolerance: float = 1e-3

    @property
    def frames(self) -> int:
        return self.z.shape[-1]

    @property
    def noise(self) -> np.ndarray:
        """float32 [1, 128 T], what the decoder's `noise` input was given."""
        return white(self.seed, 0, HOP * self.frames)[None]

    def agrees(self, got: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """Boolean array: which elements of `got` agree. Non-finite values never do."""
        return np.abs(got - expected) <= self.tolerance * np.maximum(1.0, np.abs(expected))


def snapshot_bytes(snapshot: Snapshot) -> bytes:
    """The .npz member. Absent inputs are left out."""
    arrays = {name: value for name, value in vars(snapshot).items() if value is not None}
    arrays["seed"] = np.int64(snapshot.seed)
    arrays["tolerance"] = np.float32(snapshot.tolerance)
    return npz_bytes({name: np.asarray(value) for name, value in arrays.items()})


def read_snapshot(data: bytes, manifest: Manifest) -> Snapshot:
    """Snapshot of the .npz member `data`; every array must have the shape the manifest implies."""
    arrays = npz_arrays(data)
    latent, controls = manifest.latent_size, len(manifest.controls)
    slow = sum(d.slow for d in manifest.measured)
    for scalar, kinds in (("seed", "iu"), ("tolerance", "f")):
        if scalar not in arrays or arrays[scalar].shape != () or arrays[scalar].dtype.kind not in kinds:
            raise NeurorackError(f"{scalar} must be a single number; export the instrument again")
    frames = arrays["z"].shape[-1] if "z" in arrays and arrays["z"].ndim == 3 else 0
    if frames < SLOW_EVERY or frames % SLOW_EVERY:
        raise NeurorackError(f"z must be [1, {latent}, T] with T a multiple of {SLOW_EVERY}; export it again")
    shapes: dict[str, tuple[int, ...]] = {
        "audio": (1, HOP * frames),
        "z": (1, latent, frames),
        "controls": (1, controls, frames),
        "encoder_z": (1, latent, frames),
        "descriptors_values": (1, len(manifest.measured) - slow, frames),
        "decoder_audio": (1, HOP * frames),
    }
    if manifest.gained:
        shapes["level_db"] = (1, 1, frames)
    if manifest.pitched:
        shapes["f0_hz"] = (1, 1, frames)
    if slow:
        shapes["descriptors_slow_values"] = (1, slow, frames // SLOW_EVERY)
    for name, shape in shapes.items():
        array = arrays.get(name)
        if array is None or array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
            raise NeurorackError(
                f"{name} must be finite float32 numbers of shape {list(shape)}; export it again"
            )
    tolerance = float(arrays["tolerance"])
    if not 0 < tolerance <= 0.1:
        raise NeurorackError("tolerance must lie above 0 and at most at 0.1; export the instrument again")
    return Snapshot(
        audio=arrays["audio"],
        z=arrays["z"],
        controls=arrays["controls"],
        level_db=arrays["level_db"] if manifest.gained else None,
        f0_hz=arrays["f0_hz"] if manifest.pitched else None,
        seed=int(arrays["seed"]),
        encoder_z=arrays["encoder_z"],
        descriptors_values=arrays["descriptors_values"],
        descriptors_slow_values=arrays["descriptors_slow_values"] if slow else None,
        decoder_audio=arrays["decoder_audio"],
        tolerance=tolerance,
    )
