"""Chunked equals offline for encoder and decoder, in torch and exported, whatever the block sizes.

(The descriptors' graphs: tests/learn/descriptors/test_export.py.)
"""

import numpy as np
import onnxruntime as ort
import pytest
import torch

from neurorack.core.timebase import HOP
from neurorack.learn.export.graphs import decoder_graph, encoder_graph
from neurorack.learn.model.autoencoder import Autoencoder
from neurorack.learn.model.config import make_config
from neurorack.learn.model.pqmf import BANDS, DELAY_BAND_SAMPLES, Pqmf
from neurorack.learn.model.streaming import Tape, has_begun

CONTROLS = ("loudness", "brightness", "boominess", "noisiness", "pitch")
BLOCKS_FRAMES = (1, 2, 7, 64, 65, 1000, 8193)
RATE = 44_100


def model(controls: tuple[str, ...] = CONTROLS, size: str = "rack") -> Autoencoder:
    torch.manual_seed(3)
    return Autoencoder(make_config(size, controls, RATE)).eval()


def inputs(names: list[str], latent: int, controls: int, frames: int) -> dict[str, np.ndarray]:
    """Lively random inputs: gliding pitch, jumping controls, level from silence to full."""
    random = np.random.default_rng(0)
    t = np.arange(frames)
    made = {
        "audio": random.standard_normal((1, frames * HOP))
        * (0.1 + 0.1 * np.sin(np.arange(frames * HOP) / 9000)),
        "noise": random.standard_normal((1, frames * HOP)),
        "z": random.standard_normal((1, latent, frames)),
        "controls": random.uniform(-1.2, 1.2, (1, controls, frames)),
        "level_db": np.maximum(-45 + 60 * np.sin(t / 20), -90)[None, None],
        "f0_hz": (220 * 2 ** np.sin(t / 200))[None, None],
    }
    for name in ("audio", "noise"):
        made[name][:, 20 * HOP : 60 * HOP] = 0  # digital silence: exporters may drop small floors
    return {name: made[name].astype(np.float32) for name in names}


def cut(array: np.ndarray, frames: int, start: int, stop: int) -> np.ndarray:
    return array[..., start * HOP : stop * HOP] if array.shape[-1] == frames * HOP else array[..., start:stop]


@pytest.mark.parametrize("controls", [CONTROLS, ("loudness", "brightness"), ("brightness", "pitch")])
def test_modules_chunked_equal_offline(controls: tuple[str, ...]) -> None:
    net = model(controls)
    frames = 200
    for module, names in ((net.encoder, ["audio"]), (net.decoder, net.decoder.input_names)):
        given = inputs(names, net.config.latent_size, len(controls), frames)
        with torch.no_grad():
            offline = module.offline(*(torch.from_numpy(v) for v in given.values()))
            for block in (1, 3, 64, 65):
                state, parts = torch.zeros(1, module.state_size), []
                for start in range(0, frames, block):
                    piece = (torch.from_numpy(cut(v, frames, start, start + block)) for v in given.values())
                    out, state = module.step(*piece, state=state)
                    parts.append(out)
                assert (torch.cat(parts, -1) - offline).abs().max() < 1e-4


def test_exported_graphs_chunked_equal_offline_and_torch() -> None:
    net = model()
    frames = 8193
    for module, graph, names in (
        (net.encoder, encoder_graph(net.encoder), ["audio"]),
        (net.decoder, decoder_graph(net.decoder), net.decoder.input_names),
    ):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        given = inputs(names, net.config.latent_size, len(CONTROLS), frames)
        zeros = np.zeros((1, module.state_size), np.float32)
        offline: dict[int, np.ndarray] = {}
        for block in BLOCKS_FRAMES:
            used = frames if block == 8193 else 2000 if block == 1000 else 195
            if used not in offline:
                whole = {k: cut(v, frames, 0, used) for k, v in given.items()}
                offline[used] = session.run(None, {**whole, "state": zeros})[0]
            state, parts = zeros, []
            for start in range(0, used, block):
                stop = min(start + block, used)
                piece = {k: cut(v, frames, start, stop) for k, v in given.items()}
                out, state = session.run(None, {**piece, "state": state})
                parts.append(out)
            got, want = np.concatenate(parts, -1), offline[used]
            assert got.shape == want.shape and np.isfinite(want).all()
            assert (np.abs(got - want) / np.maximum(1.0, np.abs(want))).max() < 1e-4, (names, block)
        with torch.no_grad():
            pieces = (torch.from_numpy(cut(v, frames, 0, 195)) for v in given.values())
            reference = module.offline(*pieces).numpy()
        want = offline[195]
        assert np.abs(reference[:, : want.shape[1]] - want).max() < 1e-4


@pytest.mark.parametrize("f_hz", [440.0, 1378.125, 5000.3, 12_000.0, 19_999.0])
def test_a_sine_through_the_filterbank_stays_a_sine(f_hz: float) -> None:
    bank, n = Pqmf(), 16 * 3000
    sine = torch.sin(2 * torch.pi * f_hz * torch.arange(n, dtype=torch.float64) / RATE).float()[None]
    out, tape_a, tape_s = [], None, None
    for block in sine.split(16 * 8, dim=1):
        a = Tape(tape_a, None if tape_a is None else [bank.bands * 12])
        s = Tape(tape_s, None if tape_s is None else [bank.bands * 12])
        out.append(bank.synthesise(bank.analyse(block, a), s))
        tape_a, tape_s = a.state_out(block), s.state_out(block)
    heard = torch.cat(out, 1)[0, 8000 : 8000 + 32768]
    wanted = sine[0, 8000 - BANDS * DELAY_BAND_SAMPLES :][:32768]
    assert (heard - wanted).abs().max() < 2e-3
    spectrum = torch.fft.rfft(heard.double() * torch.hann_window(32768, dtype=torch.float64)).abs()
    peak = round(f_hz / RATE * 32768)
    rest = spectrum.clone()
    rest[max(0, peak - 8) : peak + 9] = 0
    assert 20 * torch.log10(rest.max() / spectrum.max()) < -50


@torch.no_grad()
def test_a_held_code_sings_in_tune_and_without_a_buzz() -> None:
    """Whatever the weights: harmonics of the asked pitch and nothing at the frame rate (344.53 Hz)."""
    net, n, frames = model(), 131_072, 344 * 4
    window = torch.kaiser_window(n, True, 14.0, dtype=torch.float64)
    bins = torch.arange(n // 2 + 1) * RATE / n
    for f0_hz in (58.0, 98.0, 220.0, 587.3):
        z, controls = torch.randn(1, 8, 1).repeat(1, 1, frames), torch.zeros(1, 5, frames)
        level, f0 = torch.full((1, 1, frames), -20.0), torch.full((1, 1, frames), f0_hz)
        audio = net.decoder.offline(z, controls, level, f0, torch.zeros(1, frames * HOP))
        power = torch.fft.rfft(audio[0, 20_000 : 20_000 + n].double() * window).abs().square()
        harmonic = (bins / f0_hz - (bins / f0_hz).round()).abs() * f0_hz < 3
        line = (bins / 344.53125 - (bins / 344.53125).round()).abs() * 344.53125 < 1.5
        buzz = power[line & ~harmonic & (bins > 100)].max()
        assert 10 * torch.log10(power[harmonic].sum() / power[~harmonic].sum()) > 40
        assert 10 * torch.log10(buzz / power.max()) < -50


def test_a_fresh_network_stands_as_if_it_had_always_been_asked_the_same() -> None:
    net = model()
    z, controls = torch.randn(2, 8, 1).repeat(1, 1, 30), torch.rand(2, 5, 1).repeat(1, 1, 30)
    tape = Tape(None, None)
    with torch.no_grad():
        features = net.decoder.control(z, controls, tape, has_begun(z, tape))
        assert (features - features[..., -1:]).abs().max() < 1e-5
        # The mark by which a player tells the network that it is fresh comes first in the state.
        rest = (torch.full((2, 1, 30), -20.0), torch.full((2, 1, 30), 220.0), torch.zeros(2, 30 * HOP))
        _, state = net.decoder.step(z, controls, *rest, state=torch.zeros(2, net.decoder.state_size))
    assert torch.equal(state[:, 0], torch.ones(2))


def test_zero_excitation_gives_zero_sound_and_silence_is_silent() -> None:
    net = model(("brightness",))
    given = inputs(net.decoder.input_names, net.config.latent_size, 1, 50)
    given["noise"][:] = 0
    with torch.no_grad():
        assert net.decoder.offline(*(torch.from_numpy(v) for v in given.values())).abs().max() == 0
        loud = model(("loudness",))
        given = inputs(loud.decoder.input_names, 8, 1, 50)
        given["level_db"][:] = -90
        out = loud.decoder.offline(*(torch.from_numpy(v) for v in given.values()))
    assert out.abs().max() < 1e-4


def test_pulse_train_is_at_the_asked_pitch_without_aliases() -> None:
    from neurorack.learn.model.excitation import PulseTrain

    for f0_hz in (46.0, 220.0, 987.77, 3000.0):
        with torch.no_grad():
            x = PulseTrain(RATE)(torch.full((1, 1, 700), f0_hz), Tape(None, None))[0].double()
        n = 65536
        spectrum = torch.fft.rfft(x[:n] * torch.hann_window(n, dtype=torch.float64)).abs()
        bins = torch.arange(len(spectrum)) * RATE / n
        near = (bins / f0_hz - (bins / f0_hz).round()).abs() * f0_hz < 4 * RATE / n
        between = spectrum[~near & (bins > f0_hz / 2)]
        assert between.max() < 10 ** (-45 / 20) * spectrum.max()
        top = max(range(1, 6), key=lambda h: float(spectrum[round(h * f0_hz * n / RATE)]))
        around = spectrum[round(top * f0_hz * n / RATE) - 2 :][:5]
        peak = round(top * f0_hz * n / RATE) - 2 + int(around.argmax())
        a, b, c = spectrum[peak - 1 : peak + 2].log()
        measured_hz = (peak + 0.5 * (a - c) / (a - 2 * b + c)) * RATE / n / top
        assert abs(1200 * np.log2(float(measured_hz) / f0_hz)) < 1.0
        assert abs(float(x.square().mean()) - 1.0) < 0.05


def test_the_gain_stage_obeys() -> None:
    from neurorack.learn.model.gain import GainStage, LevelWindow

    torch.manual_seed(0)
    raw = torch.randn(1, 400 * HOP) * torch.linspace(0.05, 2, 400 * HOP)
    asked = (-30 + 20 * torch.sin(torch.arange(400) / 30))[None, None]
    heard = GainStage(RATE)(raw, asked, None, Tape(None, None))
    power = heard.reshape(1, 1, -1, HOP).square().mean(-1)
    level = 10 * torch.log10(LevelWindow(RATE)(power, Tape(None, None)) + 1e-9)
    error = (level - asked).abs()[..., 30:]
    assert error.median() < 1.0 and error.quantile(0.9) < 2.0  # 40 dB swings of the asked, 32 dB of the raw
