"""Sounds of another kind, for the instrument to play: files of a folder, or clips of other instruments."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.library import bundled_dir
from neurorack.core.manifest import Manifest
from neurorack.core.nrk import Archive, read_nrk
from neurorack.core.timebase import HOP
from neurorack.learn.corpus.decode import Unusable, decode
from neurorack.learn.corpus.scan import scan
from neurorack.learn.measure.render import Renderer

SECONDS = 4.0


@dataclass(frozen=True)
class Foreign:
    """A sound [128 T] at the instrument's rate, and what it is."""

    name: str
    audio: np.ndarray


def foreign_sounds(manifest: Manifest, folder: Path | None, count: int = 4) -> list[Foreign]:
    """Up to `count` sounds. NeurorackError if the folder has none, or one of them cannot be used."""
    if folder is None:
        return _from_instruments(manifest, count)
    names = scan(folder).recordings[:count]
    if not names:
        raise NeurorackError(f"{folder} holds no sound that can be read: put WAV or FLAC files into it")
    found = []
    for name in names:
        try:
            samples = decode(folder / name, manifest.sample_rate).samples
        except Unusable as why:
            raise NeurorackError(f"{folder / name}: {why}") from why
        found.append(Foreign(name, _cut(samples / np.float32(32768), manifest.sample_rate)))
    return found


def _cut(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """The first four seconds, whole frames."""
    length = min(len(audio), int(SECONDS * sample_rate)) // HOP * HOP
    return audio[:length].astype(np.float32)


def _from_instruments(manifest: Manifest, count: int) -> list[Foreign]:
    """Clips of bundled instruments other than this, as these play them."""
    others = [read_nrk(p) for p in sorted(bundled_dir().glob("*.nrk")) if p.stem != manifest.name]
    others = [a for a in others if a.manifest.sample_rate == manifest.sample_rate]
    each = -(-count // max(len(others), 1))
    return [sound for archive in others for sound in _clips(archive, each)][:count]


def _clips(archive: Archive, count: int) -> Iterator[Foreign]:
    m = archive.manifest
    renderer = Renderer(archive)
    picks = np.linspace(0, len(m.clips) - 1, min(count, len(m.clips))).round().astype(int)
    for clip in (m.clips[i] for i in picks):
        rows = archive.array(clip.path)
        frames = min(rows.shape[1] - m.latency_frames, int(SECONDS * m.sample_rate / HOP))
        asked = {
            c.name: c.normaliser.to_physical(rows[m.latent_size + i, :frames]).astype(np.float64)
            for i, c in enumerate(m.controls)
        }
        audio = np.nan_to_num(renderer.render(rows[: m.latent_size, : frames + m.latency_frames], [asked])[0])
        if len(audio):
            yield Foreign(f"{m.title}: {clip.name}", audio)
