"""manifest.json <-> Manifest: every field validated by hand, every complaint naming the field.

Fields a newer minor version adds are ignored; a newer major version is refused before anything else is read.
"""

import dataclasses
import json

from neurorack.core.errors import NeurorackError
from neurorack.core.manifest import (
    FORMAT_MAJOR,
    Clip,
    Control,
    GraphSpec,
    Manifest,
    Measured,
    PresetEntry,
    Prior,
)
from neurorack.core.strict_json import Field, parse
from neurorack.core.timebase import HOP

NAME = r"[^\W_][\w .\-]{0,63}"
IDENTIFIER = r"[a-z][a-z0-9_]{0,47}"
MEMBER_PATH = r"[A-Za-z0-9_][A-Za-z0-9_.\-]*(/[A-Za-z0-9_][A-Za-z0-9_.\-]*){0,7}"
SHA256 = r"[0-9a-f]{64}"

REQUIRED_GRAPHS = ("encoder", "descriptors", "decoder")
SLOW_GRAPH = "descriptors_slow"
PRIOR_GRAPHS = {"prior_controls": "controls", "prior_latent": "latent"}
"""Graphs an instrument may have, and the name of each in `prior.noise`."""
FIXED_UNITS = {"loudness": "dB", "pitch": "Hz"}
"""Units of the two controls that also reach the decoder in physical units."""


def manifest_to_json(manifest: Manifest) -> bytes:
    """UTF-8 JSON, indented, fields in the order of the dataclass, without an absent prior. Refuses non-finite
    numbers.
    """
    fields = dataclasses.asdict(manifest)
    if manifest.prior is None:
        del fields["prior"]
    try:
        text = json.dumps(fields, indent=1, allow_nan=False, ensure_ascii=False)
    except (ValueError, TypeError) as error:
        raise NeurorackError(
            f"The manifest cannot be written as JSON ({error}); use finite numbers, text, lists and dicts."
        ) from error
    return text.encode("utf-8")


def manifest_from_json(data: bytes) -> Manifest:
    """Validated Manifest. Raises NeurorackError with the path of the first field that is wrong."""
    root = Field(parse(data))
    major = root.get("format_major").integer(0, 10**6)
    if major > FORMAT_MAJOR:
        raise NeurorackError(
            f"it was made by a newer Neurorack (format {major}, this one reads up to {FORMAT_MAJOR}): "
            f"upgrade with pip install --upgrade neurorack"
        )
    if major < FORMAT_MAJOR:
        raise NeurorackError(f"its format {major} was never released; export the instrument again")
    files = {path: item.matching(SHA256, "a sha256 in hex") for path, item in root.get("files").members()}
    manifest = Manifest(
        name=root.get("name").matching(NAME, "a name of letters, digits, spaces, - _ . (at most 64)"),
        title=root.get("title").text(1, 200),
        description=root.get("description").text(),
        licence=root.get("licence").text(1, 2000),
        sample_rate=root.get("sample_rate").integer(8_000, 192_000),
        hop=root.get("hop").integer(HOP, HOP),
        latency_frames=root.get("latency_frames").integer(0, 1024),
        latent_size=root.get("latent_size").integer(1, 256),
        z_scale=tuple(item.number(1e-9, 1e9) for item in root.get("z_scale").items(1, 256)),
        controls=tuple(_control(item) for item in root.get("controls").items(1, 64)),
        measured=tuple(_measured(item) for item in root.get("measured").items(1, 64)),
        coupling=tuple(
            tuple(cell.number(-1.001, 1.001) for cell in row.items(1, 64))
            for row in root.get("coupling").items(1, 64)
        ),
        graphs={name: _graph(item) for name, item in root.get("graphs").members()},
        clips=tuple(_clip(item) for item in root.get("clips").items(0, 256)),
        z_anchors_path=_path(root.get("z_anchors_path")),
        support_path=_path(root.get("support_path")),
        support_radius=root.get("support_radius").number(0.0, 1e6),
        files=files,
        architecture=root.get("architecture").table(),
        training=root.get("training").table(),
        provenance=[item.table() for item in root.get("provenance").items(0, 10_000)],
        scores=root.get("scores").table(),
        snapshot_path=_path(root.get("snapshot_path")),
        presets=tuple(_preset(item) for item in root.get("presets").items(0, 256))
        if root.has("presets")
        else (),
        prior=_prior(root.get("prior")) if root.has("prior") else None,
        format_major=major,
        format_minor=root.get("format_minor").integer(0, 10**6),
    )
    _check_whole(manifest)
    return manifest


def _path(item: Field) -> str:
    return item.matching(MEMBER_PATH, "a plain relative path such as clips/one.npy")


def _control(item: Field) -> Control:
    scale = item.get("scale").matching("linear|log", '"linear" or "log"')
    control = Control(
        name=item.get("name").matching(IDENTIFIER, "a lower-case identifier"),
        label=item.get("label").text(1, 60),
        unit=item.get("unit").text(0, 20),
        scale="log" if scale == "log" else "linear",
        knots=tuple(knot.number() for knot in item.get("knots").items(2, 1025)),
        low=item.get("low").number(),
        high=item.get("high").number(),
        default=item.get("default").number(),
        lag_frames=item.get("lag_frames").integer(0, 1024),
    )
    if any(b <= a for a, b in zip(control.knots, control.knots[1:], strict=False)):
        raise NeurorackError(f"{item.path}.knots must rise strictly")
    if not control.low < control.high:
        raise NeurorackError(f"{item.path}.low must be below {item.path}.high")
    if not control.low <= control.default <= control.high:
        raise NeurorackError(f"{item.path}.default must lie between low and high")
    if control.scale == "log" and control.low <= 0:
        raise NeurorackError(f"{item.path}.low must be above zero on a log scale")
    unit = FIXED_UNITS.get(control.name)
    if unit and control.unit != unit:
        raise NeurorackError(f'{item.path}.unit must be "{unit}" for {control.name}')
    return control


def _measured(item: Field) -> Measured:
    return Measured(
        name=item.get("name").matching(IDENTIFIER, "a lower-case identifier"),
        unit=item.get("unit").text(0, 20),
        slow=item.get("slow").boolean(),
        default=item.get("default").number(),
    )


def _graph(item: Field) -> GraphSpec:
    return GraphSpec(
        path=_path(item.get("path")),
        sha256=item.get("sha256").matching(SHA256, "a sha256 in hex"),
        state_size=item.get("state_size").integer(1, 4_000_000),
    )


def _clip(item: Field) -> Clip:
    return Clip(
        name=item.get("name").text(1, 100),
        path=_path(item.get("path")),
        frames=item.get("frames").integer(1, 10_000_000),
        source=item.get("source").text(0, 2000),
    )


def _preset(item: Field) -> PresetEntry:
    return PresetEntry(
        name=item.get("name").text(1, 64),
        path=_path(item.get("path")),
        kind=item.get("kind").matching(IDENTIFIER, "a lower-case identifier"),
        about=item.get("about").text(0, 500),
    )


def _prior(item: Field) -> Prior:
    return Prior(
        every=item.get("every").integer(1, 1024),
        noise={name: count.integer(1, 1024) for name, count in item.get("noise").members()},
        family=item.get("family").text(0, 2000),
        scores=item.get("scores").table(),
    )


def _check_whole(m: Manifest) -> None:
    """What no single field can tell: sizes, names and paths that must agree with each other."""
    count = len(m.controls)
    if len(m.z_scale) != m.latent_size:
        raise NeurorackError(
            f"z_scale must have latent_size = {m.latent_size} elements, not {len(m.z_scale)}"
        )
    if len(m.coupling) != count or any(len(row) != count for row in m.coupling):
        raise NeurorackError(f"coupling must be {count} x {count}, one row and column for each control")
    for i, row in enumerate(m.coupling):
        if abs(row[i] - 1.0) > 1e-3 or any(abs(row[j] - m.coupling[j][i]) > 1e-3 for j in range(i)):
            raise NeurorackError(f"coupling[{i}] must be symmetric with 1 on the diagonal")
    for kind, names in (
        ("controls", [c.name for c in m.controls]),
        ("measured", [d.name for d in m.measured]),
        ("clips", [c.name for c in m.clips]),
        ("presets", [p.name for p in m.presets]),
    ):
        if len(set(names)) != len(names):
            raise NeurorackError(f"{kind} must not repeat a name")
    measured = {d.name for d in m.measured}
    for i, control in enumerate(m.controls):
        if control.name not in measured:
            raise NeurorackError(f"controls[{i}].name: {control.name} must also be listed in measured")
    if all(d.slow for d in m.measured):
        raise NeurorackError("measured must list at least one descriptor that is not slow")
    expected = {*REQUIRED_GRAPHS, SLOW_GRAPH} if any(d.slow for d in m.measured) else set(REQUIRED_GRAPHS)
    if set(m.graphs) - set(PRIOR_GRAPHS) != expected:
        raise NeurorackError(
            f"graphs must be exactly {', '.join(sorted(expected))}; {' and '.join(PRIOR_GRAPHS)} may be added"
        )
    noise = {PRIOR_GRAPHS[name] for name in m.graphs if name in PRIOR_GRAPHS}
    if noise != (set(m.prior.noise) if m.prior else set()):
        raise NeurorackError(
            "prior.noise must have one number for each of the graphs "
            f"{' and '.join(PRIOR_GRAPHS)} that there are, and be missing where there are none"
        )
    for name, graph in m.graphs.items():
        if m.files.get(graph.path) != graph.sha256:
            raise NeurorackError(f"graphs.{name}.sha256 must equal the one that files gives {graph.path}")
    for field, path in (
        ("z_anchors_path", m.z_anchors_path),
        ("support_path", m.support_path),
        ("snapshot_path", m.snapshot_path),
        *((f"clips[{i}].path", clip.path) for i, clip in enumerate(m.clips)),
        *((f"presets[{i}].path", preset.path) for i, preset in enumerate(m.presets)),
    ):
        if path not in m.files:
            raise NeurorackError(f"{field}: {path} is not listed in files")
