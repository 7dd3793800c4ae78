"""What the priors learn from: every recording as the instrument's own z and controls, 43 steps a second.

Encoding takes longest and is kept beside the corpus, under a name made of the corpus, the instrument's
encoder and its controls; a corpus that cannot be written to is encoded each time.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.level import level_weights
from neurorack.core.manifest import Manifest
from neurorack.core.npy import npz_arrays, npz_bytes
from neurorack.core.nrk import Archive
from neurorack.core.timebase import HOP
from neurorack.learn.corpus.corpus import Corpus, CorpusFile
from neurorack.learn.measure.render import Renderer

EVERY = 8
"""Frames in a step: 43 steps a second at 44.1 kHz."""

GATE_DB = 40.0
"""A recording sounds where its level is within this of its loudest frame."""

SILENCE_DB = -60.0
LEAD_STEPS, TAIL_STEPS = 2, 10
"""Silent steps kept before the first and after the last sounding one."""

LEAST_STEPS = 4
LEAST_SECONDS = 5.0
FOREIGN = 0.3
"""A corpus is another's if its controls are farther than this, on the mean, from being spread evenly over
-1 to 1, as they are in an instrument's own. The bundled ones: 0.03 with their own corpus, 0.5 crosswise."""

LAYOUT = 1
"""Raised whenever what is kept beside a corpus is made in another way."""


@dataclass(frozen=True)
class Curves:
    """One recording in steps: `controls` [T, C] normalised, `z` [T, Z], `sounding` [T]."""

    path: str
    split: str
    controls: np.ndarray
    z: np.ndarray
    sounding: np.ndarray

    def __len__(self) -> int:
        return len(self.controls)

    @property
    def folder(self) -> str:
        return str(PurePosixPath(self.path).parent)

    @property
    def onset(self) -> int:
        """The first sounding step."""
        return int(np.argmax(self.sounding))


@dataclass(frozen=True)
class Material:
    """All recordings of a corpus in the vocabulary of one instrument. `rate`: steps a second."""

    names: tuple[str, ...]
    rate: float
    curves: tuple[Curves, ...]

    def split(self, name: str) -> tuple[Curves, ...]:
        return tuple(c for c in self.curves if c.split == name)

    @property
    def loudness(self) -> int | None:
        """The row of loudness among the controls, if it is one."""
        return self.names.index("loudness") if "loudness" in self.names else None

    @property
    def pitch(self) -> int | None:
        return self.names.index("pitch") if "pitch" in self.names else None


Progress = Callable[[int, int], None]


def read_material(
    archive: Archive, corpus: Corpus, every: int = EVERY, update: Progress | None = None
) -> Material:
    """Encode a corpus with an instrument. NeurorackError, one sentence, where the two do not belong together
    or there is too little to learn from.
    """
    m = archive.manifest
    _check_fits(m, corpus)
    kept = corpus.path / f"priors-{_key(archive, corpus, every)}.npz"
    curves = _read_kept(kept)
    if curves is None:
        renderer = Renderer(archive)
        curves = []
        for index, file in enumerate(corpus.files):
            encoded = encode(renderer, corpus, file, every)
            if encoded is not None:
                curves.append(encoded)
            if update is not None:
                update(index + 1, len(corpus.files))
        _keep(kept, curves)
    material = Material(tuple(c.name for c in m.controls), m.sample_rate / HOP / every, tuple(curves))
    _check_enough(material, m, corpus)
    return material


def encode(renderer: Renderer, corpus: Corpus, file: CorpusFile, every: int = EVERY) -> Curves | None:
    """A recording in steps, without its long silences at either end; None where nothing of it sounds.

    Controls are aligned with look-ahead, as the decoder is to be given them (docs/nrk-format.md, "Time").
    They are read at the step, as the mean of the three frames there, so that attacks stay steep; z is
    averaged under a triangle: from frame to frame it is nearly white, and sounds as well so (docs/prior.md).
    """
    m = renderer.manifest
    audio = corpus.audio(file)
    frames = file.frames
    if frames < LEAST_STEPS * every:
        return None
    z = renderer.encode(audio)
    table = corpus.features(file)
    at = np.arange(frames)
    rows = [
        c.normaliser.to_control(table[np.clip(at - m.latency_frames + c.lag_frames, 0, frames - 1),
                                      corpus.column(c.name)])
        for c in m.controls
    ]  # fmt: skip
    level = _level_db(audio, m.sample_rate)[np.clip(at - m.latency_frames, 0, frames - 1)]
    if level.max() < SILENCE_DB:
        return None
    sounding = level > max(level.max() - GATE_DB, SILENCE_DB)
    steps = np.arange(0, frames, every)
    hat = np.bartlett(2 * every + 1)[1:-1]
    near = np.clip(steps[:, None] + np.arange(-1, 2), 0, frames - 1)
    wide = np.clip(steps[:, None] + np.arange(-every + 1, every), 0, frames - 1)
    controls = np.stack(rows, 1)[near].mean(1)
    smooth = np.einsum("w,twz->tz", hat / hat.sum(), z.T[wide])
    on = np.flatnonzero(sounding[near].any(1))
    first, last = max(on[0] - LEAD_STEPS, 0), on[-1] + 1 + TAIL_STEPS
    whole = [a[first:last].astype(np.float32) for a in (controls, smooth)]
    gate = np.zeros(len(whole[0]), bool)
    # One stretch: a beating drum skin that dips under the gate for a step has not been struck again.
    gate[on[0] - first : on[-1] + 1 - first] = True
    if not np.isfinite(whole[1]).all() or len(gate) < LEAST_STEPS:
        return None
    return Curves(file.path, file.split, *whole, gate)


def _level_db(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    power = np.square(audio.reshape(-1, HOP), dtype=np.float64).mean(1)
    return 10 * np.log10(np.convolve(power, level_weights(sample_rate))[: len(power)] + 1e-9)


def _check_fits(m: Manifest, corpus: Corpus) -> None:
    missing = [c.name for c in m.controls if c.name not in corpus.outputs]
    if missing:
        raise NeurorackError(
            f"{m.name} obeys {', '.join(missing)}, which {corpus.path} was not measured for (it has "
            f"{', '.join(corpus.outputs)}): run `neurorack prepare` again with the instrument's descriptors."
        )
    if m.sample_rate != corpus.sample_rate:
        raise NeurorackError(
            f"{corpus.path} has {corpus.sample_rate} samples a second, {m.name} {m.sample_rate}: give the "
            f"corpus that it was trained on, or prepare one with --sample-rate {m.sample_rate}."
        )


def _check_enough(material: Material, m: Manifest, corpus: Corpus) -> None:
    train = material.split("train")
    seconds = sum(int(c.sounding.sum()) for c in train) / material.rate
    if not train:
        raise NeurorackError(
            f"{corpus.path} has no recording to learn from that is louder than {SILENCE_DB:.0f} dB: give a "
            "corpus that sounds."
        )
    if seconds < LEAST_SECONDS:
        raise NeurorackError(
            f"{corpus.path} has {seconds:.1f} s of sound to learn from, too little for a habit to show: give "
            f"at least {LEAST_SECONDS:.0f} s."
        )
    apart = foreignness(np.concatenate([c.controls[c.sounding] for c in train]))
    if apart > FOREIGN:
        raise NeurorackError(
            f"{corpus.path} sounds unlike what {m.name} was trained on (its controls lie {apart:.2f} off, "
            f"{FOREIGN} at most will do), so it is another instrument's: give its own corpus."
        )


def foreignness(controls: np.ndarray) -> float:
    """Mean distance of control values [N, C] from a uniform distribution over -1 to 1 (Wasserstein)."""
    even = np.linspace(-1, 1, len(controls))[:, None]
    return float(np.abs(np.sort(controls, axis=0) - even).mean())


def _key(archive: Archive, corpus: Corpus, every: int) -> str:
    """Of everything that what is kept depends on, the corpus's own bytes included."""
    m = archive.manifest
    facts = [LAYOUT, every, m.latency_frames, m.graphs["encoder"].sha256]
    facts += [[c.name, c.lag_frames, *c.knots] for c in m.controls]
    facts += [[f.path, f.split, f.start_frame, f.frames] for f in corpus.files]
    digest = hashlib.blake2b(json.dumps(facts).encode(), digest_size=8)
    digest.update(corpus.all_audio.data)
    digest.update(corpus.all_features.data)
    return digest.hexdigest()


def _keep(path: Path, curves: Sequence[Curves]) -> None:
    if not curves:
        return
    text = json.dumps([[c.path, c.split] for c in curves]).encode()
    arrays = {
        "names": np.frombuffer(text, np.uint8),
        "lengths": np.array([len(c) for c in curves], np.int64),
        "controls": np.concatenate([c.controls for c in curves]),
        "z": np.concatenate([c.z for c in curves]),
        "sounding": np.concatenate([c.sounding for c in curves]).astype(np.uint8),
    }
    with contextlib.suppress(OSError), atomic_write(path) as file:
        file.write(npz_bytes(arrays))


def _read_kept(path: Path) -> list[Curves] | None:
    """What was kept, or None if there is nothing or it is damaged."""
    try:
        arrays = npz_arrays(path.read_bytes())
        names = json.loads(arrays["names"].tobytes())
        ends = np.cumsum(arrays["lengths"])
        if len(names) != len(ends) or any(len(arrays[n]) != ends[-1] for n in ("controls", "z", "sounding")):
            return None
        return [
            Curves(name, split, arrays["controls"][a:b], arrays["z"][a:b], arrays["sounding"][a:b] > 0)
            for (name, split), a, b in zip(names, [0, *ends[:-1]], ends, strict=True)
        ]
    except (OSError, ValueError, KeyError, TypeError, IndexError, NeurorackError):
        return None
