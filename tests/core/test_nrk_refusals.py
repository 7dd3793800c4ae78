"""Every file an instrument must not be is refused in one sentence that names it and says what to do."""

import io
import json
import pickle
import struct
import time
import zipfile

import numpy as np
import onnx
import pytest
from nrk_surgery import manifest_of, resealed, take_apart, with_manifest, zip_bytes

from neurorack.core.errors import NeurorackError
from neurorack.core.npy import npy_bytes, npz_bytes
from neurorack.core.nrk import read_nrk


@pytest.fixture
def refused(tmp_path):
    """Writes bytes as a .nrk, expects the reader to refuse them, returns its one sentence."""

    def run(data: bytes | dict[str, bytes]) -> str:
        path = tmp_path / "bad.nrk"
        path.write_bytes(data if isinstance(data, bytes) else zip_bytes(data))
        with pytest.raises(NeurorackError) as caught:
            read_nrk(path)
        sentence = str(caught.value)
        assert sentence.startswith(str(path)) and sentence.endswith(".") and "\n" not in sentence
        assert sentence.count(str(path)) == 1
        return sentence

    return run


@pytest.fixture(scope="module")
def members(tiny_nrk):
    return take_apart(tiny_nrk)


def test_what_is_no_archive(refused, tmp_path, tiny_nrk):
    assert "is empty" in refused(b"")
    assert "not a Neurorack instrument" in refused(b"just some text\n" * 100)
    assert "not a Neurorack instrument" in refused(b"RIFF\x00\x00\x00\x00WAVEfmt ")
    whole = tiny_nrk.read_bytes()
    for size in (10, 1000, len(whole) // 2, len(whole) - 1):
        assert "cut short" in refused(whole[:size])
    assert "appended" in refused(whole + b"x")
    with pytest.raises(NeurorackError, match="no such file"):
        read_nrk(tmp_path / "absent.nrk")
    with pytest.raises(NeurorackError, match="is a folder"):
        read_nrk(tmp_path)


def test_a_manifest_from_the_future(refused, members):
    manifest = manifest_of(members) | {"format_major": 2}
    # What follows may have changed beyond recognition: the version speaks first.
    manifest["controls"] = "all different now"
    sentence = refused(with_manifest(members, manifest))
    assert "made by a newer Neurorack" in sentence and "pip install --upgrade" in sentence


def test_checksums_and_listing(refused, members):
    flipped = bytearray(members["support.npy"])
    flipped[-1] ^= 1
    assert "support.npy does not match its checksum" in refused({**members, "support.npy": bytes(flipped)})
    manifest = manifest_of(members)
    manifest["files"]["support.npy"] = "0" * 64
    assert "checksum" in refused(with_manifest(members, manifest))
    del manifest["files"]["clips/one.npy"]
    assert "clips/one.npy is not listed in files" in refused(with_manifest(members, manifest))
    manifest = manifest_of(members)
    manifest["graphs"]["decoder"]["sha256"] = "0" * 64
    assert "graphs.decoder.sha256" in refused(with_manifest(members, manifest))
    assert "is not listed in the manifest" in refused({**members, "extra.txt": b"hello"})
    assert "is listed but missing" in refused({k: v for k, v in members.items() if k != "support.npy"})
    assert "no manifest.json" in refused({"readme.txt": b"hello"})


@pytest.mark.parametrize(
    "name", ["../evil.npy", "/etc/passwd", "C:/x.npy", "a\\b.npy", "a//b", ".hidden", "x/"]
)
def test_names_that_leave_the_archive(refused, members, name):
    assert "no instrument needs" in refused({**members, name: b""})


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_twice(refused, members):
    buffer = io.BytesIO(zip_bytes(members))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("decoder.onnx", b"another")
    assert "twice" in refused(buffer.getvalue())
    assert "twice" in refused({**members, "Decoder.onnx": b"another"})


def _peak_mb(action) -> float:
    import tracemalloc

    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def test_bombs_are_refused_before_they_inflate(refused, members):
    zeros = zip_bytes({**members, "zeros.npy": bytes(100 * 2**20)}, zipfile.ZIP_DEFLATED)
    start = time.perf_counter()
    assert _peak_mb(lambda: refused(zeros)) < 5
    assert time.perf_counter() - start < 1
    assert "zip bomb" in refused(zeros)
    assert "members" in refused({**members, **{f"m{i}": b"" for i in range(600)}})
    # The declared size lies: the directory promises little, the data inflates to much.
    lying = bytearray(zip_bytes({"zeros.npy": bytes(20 * 2**20)}, zipfile.ZIP_DEFLATED))
    directory = lying.rfind(b"PK\x01\x02")
    struct.pack_into("<L", lying, directory + 24, 1000)
    assert _peak_mb(lambda: refused(bytes(lying))) < 5
    assert "damaged" in refused(bytes(lying))


def test_exotic_archives(refused, members):
    assert "unusual compression" in refused(zip_bytes(members, zipfile.ZIP_BZIP2))
    encrypted = bytearray(zip_bytes({"manifest.json": b"{}"}))
    encrypted[6] |= 1
    encrypted[encrypted.rfind(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refused(bytes(encrypted))


def test_arrays_that_are_not_plain_numbers(refused, members):
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "support.npy: it is not an array of plain" in refused(
        resealed(members, support__npy=buffer.getvalue())
    )
    assert "not a readable .npy" in refused(resealed(members, support__npy=pickle.dumps([1, 2])))
    good = np.zeros((4, 5), np.float32)
    for bad, complaint in (
        (good.astype(np.float64), "finite float32"),
        (good[:, :4], "any x 5"),
        (good[:0], "finite float32"),
        (good[0], "finite float32"),
        (good * np.nan, "finite float32"),
    ):
        assert complaint in refused(resealed(members, support__npy=npy_bytes(bad)))
    giant = npy_bytes(good).replace(b"(4, 5)", b"(9999999999, 5)".ljust(6))
    assert "npy" in refused(resealed(members, support__npy=giant))
    assert "do not fill the shape" in refused(resealed(members, support__npy=npy_bytes(good) + b"more"))


def test_snapshots(refused, members):
    assert "snapshot.npz: seed must be" in refused(resealed(members, snapshot__npz=npz_bytes({})))
    bomb = zip_bytes({"audio.npy": bytes(50 * 2**20)}, zipfile.ZIP_DEFLATED)
    assert "zip bomb" in refused(resealed(members, snapshot__npz=bomb))


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (["name"], 7, "manifest.json: name must be a name of letters"),
        (["name"], "../up", "name must be"),
        (["licence"], "", "licence must be text"),
        (["title"], "\x1b[2Jboo", "title: must be printable"),
        (["sample_rate"], 44_100.5, "sample_rate must be a whole number"),
        (["sample_rate"], True, "sample_rate must be a whole number"),
        (["hop"], 256, "hop must be a whole number from 128 to 128"),
        (["latent_size"], 5, "z_scale must have latent_size = 5"),
        (["z_scale", 1], -1, "z_scale[1] must be a number from"),
        (["controls", 2, "low"], float("nan"), "NaN"),
        (["controls", 2, "low"], float("inf"), "Infinity"),
        (["controls", 2, "low"], "0.1", "controls[2].low must be a number, not '0.1'"),
        (["controls", 2, "low"], 1e6, "controls[2].low must be below controls[2].high"),
        (["controls", 0, "default"], 1e6, "controls[0].default must lie between"),
        (["controls", 1, "knots", 3], 0.0, "controls[1].knots must rise strictly"),
        (["controls", 1, "scale"], "cubic", 'must be "linear" or "log"'),
        (["controls", 1, "name"], "noisiness", "controls must not repeat a name"),
        (["controls", 1, "name"], "sparkle", "sparkle must also be listed in measured"),
        (["controls", 4, "unit"], "semitones", 'unit must be "Hz" for pitch'),
        (["coupling", 0], [1.0], "coupling must be 5 x 5"),
        (["coupling", 0, 1], 0.9, "coupling[1] must be symmetric"),
        (["measured", 0, "slow"], 0, "measured[0].slow must be true or false"),
        (["graphs", "decoder", "state_size"], 10**12, "graphs.decoder.state_size must be"),
        (["graphs", "decoder", "path"], "/etc/passwd", "must be a plain relative path"),
        (
            ["graphs", "extra"],
            {"path": "decoder.onnx", "sha256": "0" * 64, "state_size": 1},
            "graphs must be exactly",
        ),
        (["clips", 0, "frames"], 344, "clips/one.npy must hold finite float32 numbers, 9 x 344"),
        (["support_radius"], None, "support_radius must be a number"),
        (["training"], [], "training must be an object"),
        (["format_major"], 0, "never released"),
    ],
)
def test_manifest_fields(refused, members, path, value, complaint):
    manifest = manifest_of(members)
    place = manifest
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert complaint in refused(with_manifest(members, manifest))


def test_no_name_inside_the_file_reaches_the_terminal_raw(refused, members):
    model = onnx.load_model_from_string(members["encoder.onnx"])
    model.graph.node[0].domain = "evil\n\x1b[2J" + "x" * 10_000
    sentence = refused(resealed(members, encoder__onnx=model.SerializeToString()))
    assert "evil??[2J" in sentence and len(sentence) < 1000
    for key in ("a\nb", "\x1b[2J", "\u202egnp", "k" * 300):
        assert "unusable name" in refused(with_manifest(members, manifest_of(members) | {key: 1}))


def test_manifest_text(refused, members):
    text = members["manifest.json"]
    for data, complaint in (
        (b"", "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON"),
        (b"[]", "the top level must be an object"),
        (b"{}", "format_major is missing"),
        (b"[" * 100_000, "not valid JSON"),
        (text.replace(b'"hop": 128', b'"hop": 128, "hop": 64'), "twice"),
        (text.replace(b'"minutes": 0', b'"minutes": 1e999'), "training.minutes: must be a finite number"),
        (text.replace(b'"minutes": 0', b'"minutes": ' + b"9" * 5000), "JSON"),
        (text.replace(b'"minutes": 0', b'"m": ' + b"[" * 40 + b"]" * 40), "nested deeper"),
        (json.dumps({"pad": "x" * 9 * 2**20}).encode(), "larger than 8 MB"),
    ):
        assert complaint in refused({**members, "manifest.json": data})
