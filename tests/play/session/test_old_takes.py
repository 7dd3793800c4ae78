"""Takes of another Neurorack or another version of the instrument: a sentence says why they do not render."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_instrument import make_tiny_nrk
from tiny_prior import with_priors

from neurorack.core.errors import NeurorackError
from neurorack.core.nrk import read_nrk
from neurorack.core.version import __version__
from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.events import EVENT_DTYPE
from neurorack.play.engine.frame import FRAME_DTYPE, ControlFrame, Source
from neurorack.play.session import take as takes
from neurorack.play.session.clips import encoding_key, priors_key
from neurorack.play.session.offline import again, write_wav
from neurorack.play.session.take import Take, write_take

BLOCKS, BLOCK = 40, 128


@pytest.fixture(scope="module")
def playing(tiny_nrk, tmp_path_factory) -> Path:
    """The tiny instrument with priors."""
    return with_priors(tiny_nrk, tmp_path_factory.mktemp("playing") / "tiny.nrk")


def recorded(folder: Path, instrument: Path, source: Source = Source.WANDER) -> tuple[Path, Take]:
    """A take, as the player records it, and the sound beside it."""
    manifest = read_nrk(instrument).manifest
    engine = Engine(load_instrument(instrument))
    frames = np.zeros(1, FRAME_DTYPE)
    frame = ControlFrame(gate=True, source=source, seed=3)
    frame.write_to(frames[0:1].reshape(()))
    engine.render(BLOCK, frame)  # not from its very beginning
    state = engine.snapshot()
    path = folder / "x.nrt"
    sound = [engine.render(BLOCK, frame).copy() for _ in range(BLOCKS)]
    write_wav(path.with_suffix(".wav"), manifest.sample_rate, sound)
    take = Take(
        instrument=manifest.name,
        encoding=encoding_key(manifest),
        sample_rate=manifest.sample_rate,
        blocks=np.array([[BLOCK, 1, 0, 0]] * BLOCKS),
        frames=frames,
        events=np.zeros(0, EVENT_DTYPE),
        heard=np.zeros(0, np.float32),
        state=state,
        priors=priors_key(manifest),
        version=__version__,
    )
    write_take(path, take)
    return path, take


def refusal(path: Path, instrument: Path) -> str:
    with pytest.raises(NeurorackError) as refused:
        again(path, None, True, str(instrument))
    text = str(refused.value)
    assert text.endswith(".") and "\n" not in text and ". " not in text
    return text


@pytest.mark.parametrize("source", [Source.WANDER, Source.PRIOR])
def test_a_take_of_this_version_renders(tmp_path, playing, source):
    path, _ = recorded(tmp_path, playing, source)
    told, equal = again(path, None, True, str(playing))
    assert equal and "bit for bit" in told


@pytest.mark.parametrize("version,named", [("0.1.0", "Neurorack 0.1.0"), (None, "an older Neurorack")])
@pytest.mark.parametrize("change", ["less", "more", "longer", "wider"])
def test_state_of_another_engine_names_the_version(tmp_path, tiny_nrk, version, named, change):
    path, take = recorded(tmp_path, tiny_nrk)
    state = dict(take.state)
    if change == "less":
        del state["performer.notes.bend"]
    elif change == "more":
        state["performer.vibrato"] = np.asarray(0.5)
    elif change == "longer":
        state["blocker1._x"] = np.zeros((7, 3))
    else:
        state["level"] = np.zeros(2)
    write_take(path, replace(take, state=state, version=version))
    said = f"recorded with {named}, whose engine kept other state than that of Neurorack {__version__}:"
    assert said in refusal(path, tiny_nrk)


def test_a_knob_that_is_no_more_is_named(tmp_path, tiny_nrk):
    path, take = recorded(tmp_path, tiny_nrk)
    frames = np.zeros(1, [*FRAME_DTYPE.descr, ("wobble", "<f8")])
    write_take(path, replace(take, frames=frames))
    assert f"its frames hold 'wobble', which Neurorack {__version__} does not know" in refusal(path, tiny_nrk)


def test_what_sounds_otherwise_names_the_version(tmp_path, tiny_nrk):
    path, take = recorded(tmp_path, tiny_nrk)
    frames = take.frames.copy()
    frames["seed"] = 4
    write_take(path, replace(take, frames=frames, version="0.1.0"))
    told, equal = again(path, None, True, str(tiny_nrk))
    assert not equal and f"recorded with Neurorack 0.1.0, and this is Neurorack {__version__}." in told


def test_another_version_of_the_instrument_is_named(tmp_path, tiny_nrk):
    path, _ = recorded(tmp_path, tiny_nrk)
    other = make_tiny_nrk(tmp_path / "tiny.nrk", pitched=False, name="tiny")
    assert "was played with another version of tiny: name its file with --instrument" in refusal(path, other)


def test_other_priors_matter_where_they_played(tmp_path, tiny_nrk, playing):
    path, take = recorded(tmp_path, playing, Source.PRIOR)
    assert "was played by other priors than tiny has now" in refusal(path, tiny_nrk)
    write_take(path, replace(take, priors=None))  # a take that does not say
    assert not again(path, None, True, str(tiny_nrk))[1]
    path, _ = recorded(tmp_path, playing, Source.WANDER)
    assert again(path, None, True, str(tiny_nrk))[1]


def test_a_newer_format_is_named(tmp_path, tiny_nrk, monkeypatch):
    path, take = recorded(tmp_path, tiny_nrk)
    with monkeypatch.context() as patch:
        patch.setattr(takes, "VERSION", takes.VERSION + 1)
        write_take(path, take)
    assert "made by a newer Neurorack: upgrade to render it" in refusal(path, tiny_nrk)
