"""Clips: the instrument's latent clips and the player's own sounds, as rows the engine plays.

A sound the player drops, or keeps of what was just played, lies in a folder of its own: sound.flac, meta.json
and, for every instrument it was encoded for, its latent rows. So it can be played by any instrument.
"""

import hashlib
import json
import secrets
import shutil
import time
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.manifest import Manifest
from neurorack.core.manifest_io import PRIOR_GRAPHS
from neurorack.core.normaliser import OVERSHOOT
from neurorack.core.npy import npy_array, npy_bytes
from neurorack.core.nrk import Archive
from neurorack.core.strict_json import Field, parse
from neurorack.play.control.messages import MAX_NAME
from neurorack.play.engine.instrument import Instrument

LONGEST_S = 60.0
SHORTEST_S = 0.05
MAX_OWN = 200
BARS = 48
TRACE_POINTS = 16


@dataclass(frozen=True)
class Clip:
    """A clip as the engine plays it: `rows` float32 [Z + C, T], z rows then normalised controls.

    wave: BARS heights 0..255 for pictures. An own clip whose rows are None waits to be encoded for the
    instrument in use.
    """

    id: str
    title: str
    own: bool
    seconds: float
    rows: np.ndarray | None = field(repr=False, compare=False)
    wave: tuple[int, ...] = ()
    made_ns: int = 0


def instrument_clips(archive: Archive) -> list[Clip]:
    """The clips an instrument brings; their pictures show the loudness."""
    m = archive.manifest
    clips = []
    for clip in m.clips:
        rows = np.asarray(archive.array(clip.path), np.float32)
        loudness = rows[m.latent_size + m.control_index("loudness")] if m.gained else np.zeros(rows.shape[1])
        wave = bars(np.clip(0.5 + 0.5 * loudness, 0.0, 1.0), peak=1.0)
        clips.append(
            Clip(clip.name[:MAX_NAME], clip.name, False, clip.frames * m.hop / m.sample_rate, rows, wave)
        )
    return clips


def bars(envelope: np.ndarray, peak: float | None = None) -> tuple[int, ...]:
    """BARS heights 0..255 of a curve ≥ 0; `peak` (None: its own largest) is full height."""
    edges = np.linspace(0, len(envelope), BARS + 1).astype(int)
    heights = [float(envelope[a : max(b, a + 1)].max(initial=0.0)) for a, b in pairwise(edges)]
    full = max(heights) if peak is None else peak
    return tuple(round(255 * min(h / full, 1.0)) if full > 0 else 0 for h in heights)


def read_sound(path: Path) -> tuple[np.ndarray, int]:
    """At most LONGEST_S seconds of a sound file in any format libsndfile reads: ([n, channels], rate).

    NeurorackError, one sentence, for what is no sound, is too short, or holds NaN or infinity.
    """
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            if not 1000 <= rate <= 768_000 or not 1 <= file.channels <= 64:
                raise NeurorackError(
                    "That sound has an unusual rate or channel count: give 1 to 64 channels."
                )
            audio = file.read(int(LONGEST_S * rate), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError, TypeError, ValueError) as error:
        raise NeurorackError(
            "That is not a sound file that can be read: give WAV, FLAC, AIFF, OGG or MP3."
        ) from error
    if len(audio) < SHORTEST_S * rate:
        raise NeurorackError(f"That sound is shorter than {SHORTEST_S:g} s: give a longer one.")
    if not np.isfinite(audio).all():
        raise NeurorackError("That sound holds NaN or infinity: repair it in a sound editor.")
    return audio, rate


def encode(instrument: Instrument, audio: np.ndarray, rate: int) -> np.ndarray:
    """Rows [Z + C, T] of a sound, its controls moved to where the decoder wants them."""
    analysis = instrument.analyse(audio, rate)
    physical = analysis.decoder_descriptors()
    controls = instrument.map.all_to_control(np.stack([physical[name] for name in analysis.control_names]))
    return np.concatenate([analysis.z, controls]).astype(np.float32)


def encoding_key(manifest: Manifest) -> str:
    """Names the latent rows of one instrument: other graphs, or other controls, other rows. Priors, which
    may be trained later, change none.
    """
    graphs = [manifest.graphs[n].sha256 for n in sorted(manifest.graphs) if n not in PRIOR_GRAPHS]
    controls = [(control.name, control.knots) for control in manifest.controls]
    return hashlib.sha256(repr((graphs, controls)).encode()).hexdigest()[:16]


def priors_key(manifest: Manifest) -> str:
    """Names the graphs by which an instrument plays by itself; "" where there are none."""
    priors = [manifest.graphs[n].sha256 for n in PRIOR_GRAPHS if n in manifest.graphs]
    return hashlib.sha256(repr(priors).encode()).hexdigest()[:16] if priors else ""


class SoundFolder:
    """The player's own sounds on disk. Every method may be called on a worker thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self, manifest: Manifest) -> tuple[list[Clip], list[str]]:
        """Every sound, oldest first, with its rows for this instrument where there are; and a sentence for
        each that cannot be read.
        """
        clips, faults = [], []
        for meta in sorted(self._folder.glob("*/meta.json"))[:MAX_OWN]:
            try:
                clips.append(self._read(meta, manifest))
            except (OSError, NeurorackError) as error:
                faults.append(f"The sound {meta.parent} is left out: {error}.")
        return sorted(clips, key=lambda clip: clip.made_ns), faults

    def _read(self, path: Path, manifest: Manifest) -> Clip:
        if path.stat().st_size > 2**16:
            raise NeurorackError("its meta.json is too large")
        meta = Field(parse(path.read_bytes()))
        meta.get("version").integer(1, 1)
        wave = tuple(bar.integer(0, 255) for bar in meta.get("wave").items(BARS, BARS))
        return Clip(
            id=path.parent.name,
            title=meta.get("title").text(1, MAX_NAME),
            own=True,
            seconds=meta.get("seconds").number(0.0, LONGEST_S + 1.0),
            rows=self._rows(path.parent, manifest),
            wave=wave,
            made_ns=meta.get("made_ns").integer(0, 2**62),
        )

    def _rows(self, folder: Path, manifest: Manifest) -> np.ndarray | None:
        try:
            rows = npy_array((folder / f"{encoding_key(manifest)}.npy").read_bytes())
        except (FileNotFoundError, NeurorackError):
            return None
        fits = rows.ndim == 2 and rows.shape[0] == manifest.latent_size + len(manifest.controls)
        return (
            rows if fits and rows.shape[1] and rows.dtype == np.float32 and np.isfinite(rows).all() else None
        )

    def add(self, title: str, audio: np.ndarray, rate: int, rows: np.ndarray, manifest: Manifest) -> Clip:
        """Keep a sound [n, channels] with its rows for this instrument."""
        import soundfile

        identity = secrets.token_hex(6)
        clip = Clip(
            id=identity,
            title=_title(title),
            own=True,
            seconds=len(audio) / rate,
            rows=rows,
            wave=bars(np.abs(audio).max(axis=1)),
            made_ns=time.time_ns(),
        )
        folder = self._folder / identity
        try:
            with atomic_write(folder / "sound.flac", "w+b") as file:
                peak = float(np.abs(audio).max(initial=0.0))
                soundfile.write(file, audio / max(1.0, peak), rate, format="FLAC", subtype="PCM_24")
            self._write_rows(clip, manifest)
            self._write_meta(clip)  # last: a folder without it is no sound
        except (OSError, soundfile.LibsndfileError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise NeurorackError(f"The sound could not be kept ({error}): free some space.") from error
        return clip

    def encoded(self, clip: Clip, instrument: Instrument) -> Clip:
        """The clip with rows for `instrument`, which are kept for the next time."""
        audio, rate = read_sound(self._folder / clip.id / "sound.flac")
        clip = replace(clip, rows=encode(instrument, audio, rate))
        self._write_rows(clip, instrument.manifest)
        return clip

    def rename(self, clip: Clip, title: str) -> Clip:
        """The clip under another title."""
        clip = replace(clip, title=_title(title))
        self._write_meta(clip)
        return clip

    def delete(self, clip: Clip) -> None:
        """Delete the sound's folder."""
        (self._folder / clip.id / "meta.json").unlink(missing_ok=True)
        shutil.rmtree(self._folder / clip.id, ignore_errors=True)

    def _write_rows(self, clip: Clip, manifest: Manifest) -> None:
        assert clip.rows is not None
        with atomic_write(self._folder / clip.id / f"{encoding_key(manifest)}.npy") as file:
            file.write(npy_bytes(clip.rows))

    def _write_meta(self, clip: Clip) -> None:
        meta = {
            "version": 1,
            "title": clip.title,
            "seconds": clip.seconds,
            "made_ns": clip.made_ns,
            "wave": list(clip.wave),
        }
        with atomic_write(self._folder / clip.id / "meta.json", "w") as file:
            json.dump(meta, file, ensure_ascii=False)


def _title(text: str) -> str:
    plain = "".join(c for c in text if c.isprintable()).strip()[:MAX_NAME]
    return plain or time.strftime("Sound %H.%M.%S")


def checked_rows(rows: np.ndarray, latent_size: int) -> np.ndarray:
    """Rows as played, fit to be a clip: finite, controls within what an engine takes."""
    rows = np.nan_to_num(rows, posinf=0.0, neginf=0.0)
    rows[latent_size:] = np.clip(rows[latent_size:], -OVERSHOOT, OVERSHOOT)
    return rows.astype(np.float32)


def clip_dict(clip: Clip, trace: list[list[float]]) -> dict[str, Any]:
    """What a panel shows of a clip."""
    return {
        "id": clip.id,
        "title": clip.title,
        "own": clip.own,
        "seconds": round(clip.seconds, 3),
        "wave": list(clip.wave),
        "trace": trace,
        "ready": clip.rows is not None,
    }
