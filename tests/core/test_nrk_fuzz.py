"""Whatever the bytes, the reader answers with an instrument or with NeurorackError, and soon."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nrk_surgery import manifest_of, resealed, take_apart, with_manifest, zip_bytes
from tiny_prior import with_priors

from neurorack.core.errors import NeurorackError
from neurorack.core.nrk import Archive, read_nrk

RELAXED = settings(
    max_examples=150,
    deadline=2000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)


@pytest.fixture(scope="module")
def members(tiny_nrk, tmp_path_factory):
    """Of an instrument with everything there may be, priors too."""
    return take_apart(with_priors(tiny_nrk, tmp_path_factory.mktemp("whole") / "whole.nrk"))


@pytest.fixture(scope="module")
def survives(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "fuzzed.nrk"

    def run(data: bytes) -> None:
        path.write_bytes(data)
        try:
            assert isinstance(read_nrk(path), Archive)
        except NeurorackError as error:
            assert str(error).startswith(str(path)) and "\n" not in str(error)

    return run


def _mutate(data: bytes, edits: list[tuple[float, int]], cut: float) -> bytes:
    """Overwrite bytes at relative places, then keep the first `cut` share (more than 1: keep all)."""
    out = bytearray(data)
    for where, value in edits:
        if out:
            out[int(where * (len(out) - 1))] = value
    return bytes(out[: int(cut * len(out))] if cut < 1 else out)


EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=0, max_size=8)
CUT = st.one_of(st.just(1.0), st.floats(0, 1))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


@RELAXED
@given(st.binary(max_size=400), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06"]))
def test_random_bytes(survives, noise, start):
    survives(start + noise)


@RELAXED
@given(EDITS, CUT)
def test_mutated_archives(survives, tiny_nrk, edits, cut):
    survives(_mutate(tiny_nrk.read_bytes(), edits, cut))


@RELAXED
@given(EDITS, st.integers(1, 2000))
def test_mutated_directories(survives, tiny_nrk, edits, tail):
    """The last bytes hold the zip's directory, where a flip tells the most lies."""
    data = tiny_nrk.read_bytes()
    survives(data[:-tail] + _mutate(data[-tail:], edits, 1.0))


@RELAXED
@given(st.data())
def test_mutated_manifests(survives, members, data):
    manifest = copy.deepcopy(manifest_of(members))
    for _ in range(data.draw(st.integers(1, 2))):
        place = manifest
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
                place = place[key]
                continue
            if data.draw(st.booleans()):
                place[key] = data.draw(JSON)
            else:
                del place[key]
            break
    survives(zip_bytes(with_manifest(members, manifest)))


@RELAXED
@given(
    st.sampled_from(
        [
            *("decoder.onnx", "descriptors_slow.onnx", "prior_controls.onnx"),
            *("support.npy", "clips/one.npy", "snapshot.npz"),
        ]
    ),
    EDITS,
    CUT,
    st.booleans(),
)
def test_mutated_members_with_right_checksums(survives, members, name, edits, cut, head_only):
    """A hostile maker seals what he broke. Headers break things most, so half of the edits go there."""
    data = members[name]
    head = 256 if head_only else len(data)
    changed = _mutate(data[:head], edits, 1.0) + data[head:]
    survives(zip_bytes(resealed({**members, name: _mutate(changed, [], cut)})))


@RELAXED
@given(st.binary(max_size=300))
def test_random_graphs_and_arrays(survives, members, noise):
    survives(zip_bytes(resealed({**members, "encoder.onnx": noise})))
    survives(zip_bytes(resealed({**members, "support.npy": b"\x93NUMPY\x01\x00" + noise})))
