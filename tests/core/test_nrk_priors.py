"""Format 1.2: an instrument may play by itself; what has no priors is read as before."""

import json

import onnx
import pytest
from nrk_surgery import manifest_of, resealed, take_apart, with_manifest, zip_bytes
from tiny_graphs import Net
from tiny_prior import prior_controls, with_priors

from neurorack.core.errors import NeurorackError
from neurorack.core.graph_check import signature
from neurorack.core.manifest_io import manifest_from_json, manifest_to_json
from neurorack.core.nrk import read_manifest, read_nrk


@pytest.fixture(scope="module")
def instrument(tiny_nrk, tmp_path_factory):
    return with_priors(tiny_nrk, tmp_path_factory.mktemp("priors") / "alive.nrk")


@pytest.fixture(scope="module")
def members(instrument):
    return take_apart(instrument)


@pytest.fixture
def refused(tmp_path):
    def run(members: dict[str, bytes]) -> str:
        (tmp_path / "bad.nrk").write_bytes(zip_bytes(members))
        with pytest.raises(NeurorackError) as caught:
            read_nrk(tmp_path / "bad.nrk")
        return str(caught.value)

    return run


def test_priors_are_read_back(instrument, tiny_nrk):
    archive, plain = read_nrk(instrument), read_nrk(tiny_nrk)
    m = archive.manifest
    assert (m.format_major, m.format_minor) == (1, 2)
    assert m.prior is not None and m.prior.every == 8 and m.prior.noise == {"controls": 5, "latent": 4}
    assert manifest_from_json(manifest_to_json(m)) == m == read_manifest(instrument)
    assert archive.graph("prior_latent").startswith(b"\x08")
    for name in plain.manifest.files:
        assert archive.member(name) == plain.member(name)
    taken = signature(m, "prior_controls").inputs
    assert list(taken) == ["previous", "held", "mask", "clock", "noise", "temperature", "state"]
    assert taken["clock"] == (None, 4, 1) and taken["noise"] == (None, 5, 1)
    assert signature(m, "prior_latent").outputs == {"z": (None, 4, 1), "state_out": (None, 4)}


@pytest.mark.parametrize("minor", [0, 1])
def test_files_of_before_are_read(tiny_nrk, minor):
    manifest = manifest_of(take_apart(tiny_nrk))
    assert "prior" not in manifest
    read = manifest_from_json(json.dumps(manifest | {"format_minor": minor}).encode())
    assert read.prior is None and read.format_minor == minor


def test_one_prior_alone_will_do(members, tmp_path):
    manifest = manifest_of(members)
    del manifest["graphs"]["prior_latent"], manifest["prior"]["noise"]["latent"]
    del manifest["files"]["prior_latent.onnx"]
    rest = {name: data for name, data in members.items() if name != "prior_latent.onnx"}
    (tmp_path / "half.nrk").write_bytes(zip_bytes(with_manifest(rest, manifest)))
    assert "prior_controls" in read_nrk(tmp_path / "half.nrk").manifest.graphs


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (["prior", "every"], 0, "prior.every must be a whole number"),
        (["prior", "noise"], {"controls": 5}, "prior.noise must have one number for each"),
        (["prior", "noise", "controls"], 4, "input noise must have the shape [free, 4, 1]"),
        (["prior", "noise", "latent"], "4", "prior.noise.latent must be a whole number"),
        (["prior", "scores"], [], "prior.scores must be an object"),
        (["prior"], None, "prior.every"),
        (["graphs", "prior_latent", "state_size"], 7, "input state must have the shape [free, 7]"),
    ],
)
def test_fields(refused, members, path, value, complaint):
    manifest = manifest_of(members)
    place = manifest
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    sentence = refused(with_manifest(members, manifest))
    assert complaint in sentence or (path == ["prior"] and "must be an object" in sentence)


def test_graphs_without_the_field_and_with_other_ports(refused, members):
    manifest = manifest_of(members)
    del manifest["prior"]
    assert "prior.noise must have" in refused(with_manifest(members, manifest))
    assert "input previous must have the shape [free, 5, 1]" in refused(
        resealed(members, prior_controls__onnx=prior_controls(4))
    )
    model = onnx.load_model_from_string(members["prior_latent.onnx"])
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "T"
    assert "input previous must have the shape [free, 4, 1]" in refused(
        resealed(members, prior_latent__onnx=model.SerializeToString())
    )
    net = Net()
    net.Add("z_in", net.const(1.0), out="z")
    stranger = net.model({"z_in": ("B", 4, 1)}, {"z": ("B", 4, 1)})
    assert "its inputs are z_in" in refused(resealed(members, prior_latent__onnx=stranger))
