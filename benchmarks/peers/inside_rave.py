"""The part of the comparison that runs in RAVE's environment: drives acids-rave, measures what it exports.

    python inside_rave.py untrained RUN --config v2.gin --config causal.gin --rate 44100
    python inside_rave.py database AUDIO.npy DATABASE --rate 44100
    python inside_rave.py train --minutes 10 --notes trained.json -- <options of rave train>
    python inside_rave.py measure MODEL.ts --run RUN -o speed.json --blocks 512,2048 --seconds 10
    python inside_rave.py render MODEL.ts EXCERPTS.npz -o ANSWERS.npz --block 2048

RAVE (CC BY-NC) is installed and run, never copied: what stands here only calls its package. Nothing of
neurorack is imported, for nothing of it is installed there.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import stream

sys.path.append(str(Path(__file__).resolve().parents[1]))

import passed_on

SEED = 0
LEAST_CHUNKS = 300


def untrained(run: Path, configs: list[str], rate: int) -> None:
    """A run with fresh weights, as `rave export` wants one: config.gin and a checkpoint."""
    import gin
    import rave
    import torch

    torch.manual_seed(SEED)
    gin.bind_parameter("RAVE.n_channels", 1)  # before the rest: parsing locks the configuration
    gin.parse_config_files_and_bindings(configs, [f"SAMPLING_RATE = {rate}"])
    model = rave.RAVE(n_channels=1)
    folder = run / "version_0" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": model.state_dict(), "callbacks": {}, "global_step": 0}, folder / "last.ckpt")
    (run / "config.gin").write_text(gin.operative_config_str(), encoding="utf-8")


def database(audio: Path, target: Path, rate: int, signal: int) -> None:
    """What `rave preprocess` makes (int16 chunks of two crops each in an LMDB) of int16 samples [N] in a .npy
    file.

    That command needs ffmpeg and drops what does not fill a chunk, which of short recordings is everything:
    here they stand end to end, over and over until a fiftieth of the chunks, which RAVE keeps for validation,
    is enough for the principal components of its code.
    """
    import lmdb
    import yaml
    from udls.generated import AudioExample

    sound = np.load(audio)
    chunk = 2 * signal
    count = max(-(-len(sound) // chunk), LEAST_CHUNKS)
    sound = np.resize(sound, count * chunk)
    target.mkdir(parents=True, exist_ok=True)
    store = lmdb.open(str(target), map_size=4 * sound.nbytes + 2**24)
    with store.begin(write=True) as changes:
        for index, piece in enumerate(sound.reshape(count, chunk)):
            buffer = AudioExample.AudioBuffer(
                shape=(1, chunk), sampling_rate=rate, data=piece.astype("<i2").tobytes(),
                precision=AudioExample.Precision.INT16,
            )  # fmt: skip
            changes.put(
                f"{index:08d}".encode(), AudioExample(buffers={"waveform": buffer}).SerializeToString()
            )
    store.close()
    facts = {"lazy": False, "channels": 1, "n_seconds": len(sound) / rate, "sr": rate}
    (target / "metadata.yaml").write_text(yaml.safe_dump(facts), encoding="utf-8")


def train(minutes: float, notes: Path, threads: int, options: list[str]) -> None:
    """`rave train OPTIONS`, stopped after so many minutes; then one validation, in which RAVE finds the
    principal components that its export needs, and a checkpoint. Writes steps and minutes into `notes`."""
    import pytorch_lightning as pl
    import torch
    from absl import app

    torch.set_num_threads(threads)
    torch.manual_seed(SEED)

    class Timed(pl.Trainer):
        def __init__(self, *arguments: Any, **given: Any) -> None:
            self.clock = pl.callbacks.Timer({"seconds": 60.0 * minutes})
            super().__init__(*arguments, **{**given, "callbacks": [*given["callbacks"], self.clock]})

        def fit(self, model: Any, train: Any, validation: Any, ckpt_path: str | None = None) -> None:
            super().fit(model, train, validation, ckpt_path=ckpt_path)
            took, steps = self.clock.time_elapsed("train") / 60.0, self.global_step
            self.validate(model, validation, verbose=False)
            folder = Path(self.logger.log_dir) / "checkpoints"
            folder.mkdir(parents=True, exist_ok=True)
            for other in folder.glob("*.ckpt"):  # export takes whichever it finds
                other.unlink()
            self.save_checkpoint(folder / "last.ckpt")
            notes.write_text(
                json.dumps({"minutes": took, "steps": steps, "threads": threads}), encoding="utf-8"
            )

    pl.Trainer = Timed
    sys.argv = ["train", *options, *([] if torch.cuda.is_available() else ["--gpu", "-1"])]
    from scripts import train as script

    app.run(script.main)


def load(model: Path) -> Any:
    """A scripted model with the same random numbers and the same empty memory each time, on one thread."""
    import torch

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    torch.manual_seed(SEED)
    return torch.jit.load(str(model)).eval()


def as_stream(scripted: Any) -> stream.Stream:
    """Its `forward` (encode, decode) as a stream."""
    import torch

    def process(block: np.ndarray) -> np.ndarray:
        return scripted(torch.from_numpy(block).reshape(1, 1, -1))[0, 0].numpy()

    return process


def measure(model: Path, run: Path, blocks: list[int], seconds: float) -> dict[str, object]:
    """Every figure of the speed table for one exported model."""
    before = stream.memory_mb()
    scripted = load(model)
    rate, ratio, code = int(scripted.sr), int(scripted.encode_params[3]), int(scripted.encode_params[2])
    timed: dict[str, dict[str, object]] = {"transfer": {}, "decoder": {}}
    for block in blocks:
        fresh = load(model)
        why = stream.why_not_at(as_stream(fresh), block)
        for part, make in (("transfer", as_stream), ("decoder", lambda m: _decoder(m, code, ratio))):
            timed[part][str(block)] = (
                {"why_not": why} if why else stream.factors(make(fresh), block, rate, seconds)
            )
    memory = stream.memory_mb()
    smallest = min(int(b) for b, figures in timed["transfer"].items() if "why_not" not in figures)
    return {
        "model": model.stem,
        "sample_rate": rate,
        "rtf": timed,
        "smallest_block": smallest,
        "ratio": ratio,
        "code": code,
        "latency": stream.latency(lambda: as_stream(load(model)), smallest, rate),
        "memory_mb": memory | {"before": before.get("now")},
        "model_mb": model.stat().st_size * 1e-6,
        "parameters": {part: _learnt(getattr(scripted, part)) for part in ("encoder", "decoder")},
        "gmac_per_s": multiply_adds(run, rate),
        "threads": 1,
        "load_average": stream.load_average(),
    }


def _learnt(part: Any) -> int:
    return sum(p.numel() for p in part.parameters())


def _decoder(scripted: Any, code: int, ratio: int) -> stream.Stream:
    """Its `decode` alone, told the same code throughout."""
    import torch

    return lambda block: scripted.decode(torch.zeros(1, code, len(block) // ratio))[0, 0].numpy()


def multiply_adds(run: Path, rate: int) -> dict[str, float]:
    """{"encoder", "decoder", "transfer"}: billions of multiply-adds a second, of convolutions and matrix
    products (PyTorch's own counter), the filterbank counted with the part that uses it."""
    import cached_conv
    import gin
    import rave
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    cached_conv.use_cached_conv(False)
    gin.clear_config()
    gin.parse_config_file(str(run / "config.gin"))
    model = rave.RAVE(n_channels=1).eval()
    sound = torch.zeros(1, 1, 2**16)
    found = {}
    with torch.no_grad():
        code = model.encoder.reparametrize(model.encode(sound))[0]
        for part, work in (("encoder", lambda: model.encode(sound)), ("decoder", lambda: model.decode(code))):
            with FlopCounterMode(display=False) as counter:
                work()
            found[part] = counter.get_total_flops() / 2 * rate / sound.shape[-1] * 1e-9
    return found | {"transfer": sum(found.values())}


def render(model: Path, excerpts: Path, output: Path, block: int) -> None:
    """Answers of the stream to every excerpt, each from silence: arrays of the same names and lengths."""
    with np.load(excerpts) as given:
        answers = {key: stream.run(as_stream(load(model)), given[key], block) for key in given.files}
    np.savez(output, **answers)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("job", choices=("untrained", "database", "train", "measure", "render"))
    parser.add_argument("paths", type=Path, nargs="*")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--config", action="append", default=[])
    parser.add_argument("--rate", type=int, default=44100)
    parser.add_argument("--signal", type=int, default=131072, help="samples of a crop, RAVE's n_signal")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--notes", type=Path)
    parser.add_argument("--blocks", default="128,256,512,1024,2048")
    parser.add_argument("--block", type=int, default=2048)
    parser.add_argument("--seconds", type=float, default=10.0)
    own, rest = passed_on.split(sys.argv[1:])
    o = parser.parse_args(own)
    if o.job == "untrained":
        untrained(o.paths[0], o.config, o.rate)
    elif o.job == "database":
        database(o.paths[0], o.paths[1], o.rate, o.signal)
    elif o.job == "train":
        train(o.minutes, o.notes, o.threads, rest)
    elif o.job == "measure":
        found = measure(o.paths[0], o.run, [int(b) for b in o.blocks.split(",")], o.seconds)
        o.output.write_text(json.dumps(found, indent=1), encoding="utf-8")
    else:
        render(o.paths[0], o.paths[1], o.output, o.block)


if __name__ == "__main__":
    main()
