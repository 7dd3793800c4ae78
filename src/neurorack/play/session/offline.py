"""Rendering without playing: takes again, presets into files."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.library import find, home_dir
from neurorack.core.nrk import Archive, read_nrk
from neurorack.core.version import __version__
from neurorack.play.engine.engine import Engine
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.instrument import Instrument
from neurorack.play.session.clips import encoding_key, instrument_clips, priors_key, read_sound
from neurorack.play.session.patch import Patch
from neurorack.play.session.performance import midi_to_hz
from neurorack.play.session.presets import Presets
from neurorack.play.session.take import read_take, render_take
from neurorack.play.session.wav import HEADER_BYTES, wav_header

BLOCK = 128
TAIL_S = 1.0
STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}

Note = tuple[int | None, float]
"""(MIDI number or None for a rest, seconds)."""


def again(path: Path, output: Path | None, check: bool, instrument: str | None) -> tuple[str, bool]:
    """Render a take, into `output` if given; compare with its WAV if `check`. (what to tell, whether equal).

    Raises NeurorackError for files that cannot be read or do not belong together.
    """
    if output is None and not check:
        raise NeurorackError("Say what to do: -o OUT.wav writes the sound, --check compares it.")
    take = read_take(path)
    archive = read_nrk(find(instrument or take.instrument))
    if encoding_key(archive.manifest) != take.encoding:
        raise NeurorackError(
            f"{path} was played with another version of {take.instrument}: name its file with --instrument."
        )
    if take.by_prior and take.priors not in (None, priors_key(archive.manifest)):
        raise NeurorackError(
            f"{path} was played by other priors than {archive.manifest.name} has now: name the file that has "
            "them with --instrument."
        )
    recorded = _recorded(path.with_suffix(".wav")) if check else None
    blocks = render_take(take, Instrument(archive))
    done, differs = 0, -1

    def compared() -> Iterator[np.ndarray]:
        nonlocal done, differs
        for block in blocks:
            if recorded is not None and differs < 0:
                there = recorded[done : done + block.shape[1]].T
                unequal = np.flatnonzero((block[:, : there.shape[1]] != there).any(axis=0))
                differs = done + int(unequal[0]) if len(unequal) else -1
            done += block.shape[1]
            yield block

    if output is not None:
        write_wav(output, take.sample_rate, compared())
    else:
        for _ in compared():
            pass
    told = f"{done / take.sample_rate:.2f} s of {take.instrument}"
    told = f"{output}: {told}" if output is not None else told
    if recorded is None:
        return f"{told}.", True
    if differs >= 0:
        at_s = differs / take.sample_rate
        if take.changed:
            return (
                f"{told}: equal to the recording up to sample {differs} ({at_s:.3f} s), but not after it, "
                "because the clips were changed while it was recorded.",
                False,
            )
        text = f"{told}: differs from the recording from sample {differs} ({at_s:.3f} s) on"
        if take.version != __version__:
            text += f"; it was recorded with {take.recorded_with}, and this is Neurorack {__version__}"
        return f"{text}.", False
    return f"{told}: equal to the recording, bit for bit.", True


def render_preset_file(
    instrument: str, preset: str, notes: str, seconds: float | None, input_path: Path | None, output: Path
) -> str:
    """Render a preset into a WAV; what to tell."""
    archive = read_nrk(find(instrument))
    found = Presets(archive, home_dir() / "presets").get(preset)
    live = None
    if input_path is not None:
        import soxr

        audio, rate = read_sound(input_path)
        live = soxr.resample(audio.mean(axis=1), rate, archive.manifest.sample_rate).astype(np.float32)
    audio = render_patch(archive, found.patch, parse_notes(notes), seconds, live)
    write_wav(output, archive.manifest.sample_rate, [audio])
    length_s = audio.shape[1] / archive.manifest.sample_rate
    return f"{output}: {length_s:.2f} s of {preset} on {archive.manifest.title}."


def parse_notes(text: str) -> list[Note]:
    """ "C3:1 F#2:0.5 -:1 60:2" -> notes; C4 is 60. Raises NeurorackError."""
    notes: list[Note] = []
    for word in text.split():
        found = re.fullmatch(r"(-|\d{1,3}|([A-Ga-g])([#b]?)(-?\d)):(\d+(?:\.\d+)?)", word)
        if not found:
            raise NeurorackError(f"{word!r} is not a note: write C3:1 or 60:1 (seconds), or -:1 for a rest.")
        name, letter, sign, octave, seconds = found.groups()
        midi: int | None = None
        if letter:
            midi = STEPS[letter.lower()] + {"#": 1, "b": -1, "": 0}[sign] + 12 * (int(octave) + 1)
        elif name != "-":
            midi = int(name)
        if midi is not None and not 0 <= midi <= 127:
            raise NeurorackError(f"{word!r} lies outside what keys have: 0 to 127, C-1 to G9.")
        notes.append((midi, float(seconds)))
    return notes


def render_patch(
    archive: Archive,
    patch: Patch,
    notes: list[Note],
    seconds: float | None = None,
    live: np.ndarray | None = None,
    engine: Engine | None = None,
) -> np.ndarray:
    """A patch played: float32 [2, n]. Without notes the gate is open for `seconds` (8 unless told).

    notes: one after the other, each held for its time, then a tail. live: float32 [n] at the input.
    engine: a fresh one of this archive's instrument, to save making it.
    """
    manifest = archive.manifest
    rate = manifest.sample_rate
    ids = [clip.id for clip in instrument_clips(archive)]
    frame = patch.frame(manifest, lambda clip: ids.index(clip) if clip in ids else -1)
    if engine is None:
        engine = Engine(Instrument(archive))
    events: dict[int, list[Event]] = {}
    at_s = 0.0
    for number, (midi, length_s) in enumerate(notes):
        if midi is not None:
            f0_hz = midi_to_hz(midi) if manifest.pitched else 0.0
            tone = -1 if manifest.pitched else midi
            start, stop = round(at_s * rate), round((at_s + length_s) * rate)
            for sample, kind, velocity in ((start, Kind.NOTE_ON, 0.8), (stop, Kind.NOTE_OFF, 0.5)):
                event = Event(kind, number, f0_hz, velocity, tone, sample % BLOCK)
                events.setdefault(sample // BLOCK, []).append(event)
        at_s += length_s
    frame.gate = not notes
    length_s = seconds or (at_s + TAIL_S if notes else 8.0)
    blocks = []
    for index in range(-(-round(length_s * rate) // BLOCK)):
        heard = None
        if live is not None:
            heard = np.zeros(BLOCK, np.float32)
            piece = live[index * BLOCK : (index + 1) * BLOCK]
            heard[: len(piece)] = piece
        # A note that begins as another ends comes first: that is a legato.
        happened = sorted(events.get(index, []), key=lambda event: (event.offset, event.kind))
        blocks.append(engine.render(BLOCK, frame, heard, happened))
    return np.concatenate(blocks, axis=1)


def write_wav(path: Path, sample_rate: int, blocks: Iterable[np.ndarray]) -> None:
    """Blocks [2, n] into a float32 WAV, whole or not at all."""
    with atomic_write(path) as file:
        file.write(b"\0" * HEADER_BYTES)
        samples = 0
        for block in blocks:
            file.write(np.ascontiguousarray(block.T, "<f4").tobytes())
            samples += block.shape[1]
        file.seek(0)
        file.write(wav_header(sample_rate, 2, samples))


def _recorded(path: Path) -> np.ndarray:
    import soundfile

    try:
        return soundfile.read(path, dtype="float32", always_2d=True)[0]
    except (soundfile.LibsndfileError, OSError) as error:
        raise NeurorackError(
            f"{path}, the recorded sound, cannot be read: it must lie beside the take."
        ) from error
