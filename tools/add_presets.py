"""Put a folder of presets into an instrument: every .json of it, in the order of the numbers they begin with.

    python tools/add_presets.py tools/presets/winds src/neurorack/instruments/winds.nrk

The instrument's former presets are replaced; everything else in it stays as it is, to the byte. A preset that
cannot be read, or names a control or clip that the instrument lacks, is refused with a sentence.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

from neurorack.core.errors import NeurorackError
from neurorack.core.manifest import FORMAT_MINOR, Manifest, PresetEntry
from neurorack.core.nrk import read_nrk, write_nrk
from neurorack.play.engine.params import PARAM_BY_NAME
from neurorack.play.session.presets import Preset, preset_from_bytes


def add_presets(folder: Path, instrument: Path) -> Manifest:
    """Write `instrument` again with the presets in `folder`; its manifest. Raises NeurorackError."""
    archive = read_nrk(instrument)
    former = {entry.path for entry in archive.manifest.presets}
    members = {name: data for name, data in archive.members.items() if name in archive.manifest.files}
    members = {name: data for name, data in members.items() if name not in former}
    entries = []
    for file in sorted(folder.glob("*.json"), key=_place):
        data = file.read_bytes()
        try:
            preset = preset_from_bytes(data, own=False)
            _check(preset, archive.manifest)
        except NeurorackError as error:
            raise NeurorackError(f"{file}: {error}") from error
        path = f"presets/{file.name}"
        entries.append(PresetEntry(preset.name, path, preset.kind, preset.about))
        members[path] = data
    manifest = dataclasses.replace(archive.manifest, presets=tuple(entries), format_minor=FORMAT_MINOR)
    return write_nrk(instrument, manifest, members)


def _place(file: Path) -> tuple[int, str]:
    """By the number, so that 10 follows 9; what has none comes last."""
    number = file.name.split("-")[0]
    return (int(number) if number.isdecimal() else sys.maxsize, file.name)


def _check(preset: Preset, manifest: Manifest) -> None:
    """Refuse names that the instrument does not know: a bundled preset has no excuse."""
    patch = preset.patch
    controls = {control.name for control in manifest.controls}
    clips = {clip.name[:64] for clip in manifest.clips} | {""}
    targets = {route.target for route in patch.routes.values()}
    named = {*patch.asked, *patch.origin, *patch.offset, *patch.scale, *(targets - PARAM_BY_NAME.keys())}
    if named - controls:
        raise NeurorackError(f"{manifest.title} has no control {sorted(named - controls)[0]}.")
    lacking = {patch.clip, patch.other, patch.morph_clip} - clips
    if lacking:
        raise NeurorackError(f"{manifest.title} has no clip {sorted(lacking)[0]!r}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("instrument", type=Path)
    given = parser.parse_args()
    try:
        written = add_presets(given.folder, given.instrument)
    except NeurorackError as error:
        sys.exit(f"Error: {error}")
    print(f"{given.instrument}: {', '.join(preset.name for preset in written.presets)}")
