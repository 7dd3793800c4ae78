"""The test instrument is a real one: it streams exactly, obeys its controls, and its snapshot agrees."""

import numpy as np
import onnxruntime as ort
import pytest

from neurorack.core.level import level_weights
from neurorack.core.noise import white
from neurorack.core.nrk import Archive, read_nrk
from neurorack.core.snapshot import SLOW_SHARE

FRAMES = 240


def stream(archive: Archive, name: str, chunks: list[int], **inputs: np.ndarray) -> np.ndarray:
    """First output of graph `name`, fed `chunks` frames at a time with the state carried on."""
    session = ort.InferenceSession(archive.graph(name), providers=["CPUExecutionProvider"])
    state = np.zeros((1, archive.manifest.graphs[name].state_size), np.float32)
    outputs, frame = [], 0
    for count in chunks:
        feeds = {
            key: x[:, 128 * frame : 128 * (frame + count)] if x.ndim == 2 else x[..., frame : frame + count]
            for key, x in inputs.items()
        }
        output, state = session.run(None, {**feeds, "state": state})
        outputs.append(output)
        frame += count
    return np.concatenate(outputs, axis=-1)


def ask(
    archive: Archive, frames: int = FRAMES, f0_hz: float = 261.63, level_db: float = -20.0, **rows: float
):
    """Decoder inputs that stand still: the named controls (normalised), all else in the middle."""
    manifest = archive.manifest
    controls = np.zeros((1, len(manifest.controls), frames), np.float32)
    for name, value in rows.items():
        controls[:, manifest.control_index(name)] = value
    inputs = {
        "z": np.full((1, manifest.latent_size, frames), 0.3, np.float32),
        "controls": controls,
        "level_db": np.full((1, 1, frames), level_db, np.float32),
        "noise": white(1, 0, 128 * frames)[None],
    }
    if manifest.pitched:
        inputs["f0_hz"] = np.full((1, 1, frames), f0_hz, np.float32)
    return inputs


@pytest.fixture(params=["tiny_nrk", "tiny_unpitched_nrk"])
def archive(request) -> Archive:
    return read_nrk(request.getfixturevalue(request.param))


def test_chunked_equals_offline(archive):
    rng = np.random.default_rng(0)
    audio = (0.1 * rng.standard_normal((1, 128 * FRAMES))).astype(np.float32)
    inputs = ask(archive)
    inputs["controls"] = rng.uniform(-1, 1, inputs["controls"].shape).astype(np.float32)
    inputs["z"] = rng.standard_normal(inputs["z"].shape).astype(np.float32)
    for name in archive.manifest.graphs:
        fed = inputs if name == "decoder" else {"audio": audio}
        odd = [4, 12, 24, 200] if name == "descriptors_slow" else [1, 2, 3, 30, 204]
        np.testing.assert_allclose(
            stream(archive, name, odd, **fed), stream(archive, name, [FRAMES], **fed), rtol=1e-5, atol=1e-5
        )


def test_level_and_pitch_are_what_was_asked(tiny_nrk):
    archive = read_nrk(tiny_nrk)
    for level_db, f0_hz in ((-12.0, 110.0), (-30.0, 440.0)):
        audio = stream(archive, "decoder", [FRAMES], **ask(archive, FRAMES, f0_hz, level_db, noisiness=-1))[0]
        power = (audio.reshape(-1, 128) ** 2).mean(axis=1)
        level = 10 * np.log10(np.convolve(power, level_weights(44_100)) + 1e-9)[20:FRAMES]
        assert abs(np.median(level) - level_db) < 0.5
        spectrum = np.abs(np.fft.rfft(audio[4096:] * np.hanning(audio.size - 4096)))
        hz = np.linspace(0, 22_050, spectrum.size)
        fundamental = hz[np.argmax(spectrum * (hz < 1.4 * f0_hz))]
        assert abs(fundamental / f0_hz - 1) < 0.02
        measured = stream(archive, "descriptors_slow", [FRAMES], audio=audio[None])[0, 0, 10:]
        assert abs(1200 * np.log2(np.median(measured) / f0_hz)) < 15


@pytest.mark.parametrize("name", ["brightness", "noisiness", "boominess"])
def test_controls_are_obeyed_where_the_normaliser_says(archive, name):
    column = [d.name for d in archive.manifest.measured if not d.slow].index(name)
    measured = []
    for value in (-0.75, 0.0, 0.75):
        audio = stream(archive, "decoder", [FRAMES], **ask(archive, f0_hz=150.0, **{name: value}))
        measured.append(np.median(stream(archive, "descriptors", [FRAMES], audio=audio)[0, column, 20:]))
    control = archive.manifest.controls[archive.manifest.control_index(name)]
    assert measured[0] < measured[1] < measured[2]
    np.testing.assert_allclose(control.normaliser.to_control(np.array(measured)), [-0.75, 0, 0.75], atol=0.35)


def test_the_snapshot_agrees(archive):
    shot = archive.snapshot()
    decoder = {"z": shot.z, "controls": shot.controls, "level_db": shot.level_db, "noise": shot.noise}
    if shot.f0_hz is not None:
        decoder["f0_hz"] = shot.f0_hz
    for name, fed, expected, share in (
        ("encoder", {"audio": shot.audio}, shot.encoder_z, 1.0),
        ("descriptors", {"audio": shot.audio}, shot.descriptors_values, 1.0),
        ("descriptors_slow", {"audio": shot.audio}, shot.descriptors_slow_values, SLOW_SHARE),
        ("decoder", decoder, shot.decoder_audio, 1.0),
    ):
        if expected is not None:
            assert shot.agrees(stream(archive, name, [shot.frames], **fed), expected).mean() >= share
            assert shot.agrees(expected + 0.5, expected).mean() < 0.5 or name.startswith("descriptors")
