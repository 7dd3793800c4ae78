"""The part of the comparison that runs in our player's environment (no PyTorch): an instrument as a stream.

    python inside_ours.py measure NAME -o speed.json --blocks 128,256 --seconds 10
    python inside_ours.py render NAME EXCERPTS.npz -o ANSWERS.npz

The stream is a live transfer: input, encoder, descriptors, control mapping, decoder; "decoder" is that alone.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import stream


def measure(name: str, blocks: list[int], seconds: float) -> dict[str, object]:
    """Every figure of the speed table for one instrument."""
    before = stream.memory_mb()
    from neurorack.core.library import find
    from neurorack.core.nrk import read_nrk
    from neurorack.play.engine.instrument import Instrument

    path = find(name)
    archive = read_nrk(path)
    instrument = Instrument(archive)
    m = instrument.manifest
    timed: dict[str, dict[str, object]] = {"transfer": {}, "decoder": {}}
    for block in blocks:
        process = _live(instrument)
        why = stream.why_not_at(process, block)
        timed["transfer"][str(block)] = {"why_not": why} if why else stream.factors(
            process, block, m.sample_rate, seconds
        )  # fmt: skip
        timed["decoder"][str(block)] = stream.factors(
            _decoder(instrument, block), block, m.sample_rate, seconds
        )
    memory = stream.memory_mb()  # before the cost is counted, which loads everything again
    smallest = min(int(b) for b, figures in timed["transfer"].items() if "why_not" not in figures)
    late = stream.latency(lambda: _live(instrument), smallest, m.sample_rate)
    return {
        "model": instrument.name,
        "sample_rate": m.sample_rate,
        "rtf": timed,
        "smallest_block": smallest,
        "latency": late | {"declared": instrument.latency_samples},
        "memory_mb": memory | {"before": before.get("now")},
        "model_mb": path.stat().st_size * 1e-6,
        "threads": 1,
        "load_average": stream.load_average(),
        **_paper(archive),
    }


def _live(instrument: object) -> stream.Stream:
    """A live transfer that gives as much as it takes: what it holds back at first is silence."""
    transfer = instrument.stream_transfer(instrument.sample_rate, lookahead=False)
    ready = np.zeros(transfer.latency_samples, np.float32)

    def process(block: np.ndarray) -> np.ndarray:
        nonlocal ready
        ready = np.concatenate([ready, transfer.process(block)])
        answer, ready = ready[: len(block)], ready[len(block) :]
        return answer

    return process


def _decoder(instrument: object, block: int) -> stream.Stream:
    """The decoder alone, told the same code, controls and pitch throughout."""
    from neurorack.play.engine.streams import DecoderStream

    m = instrument.manifest
    frames = block // m.hop
    decoder = DecoderStream(instrument.graphs, warm=(frames,))
    z = np.zeros((1, m.latent_size, frames), np.float32)
    controls = np.repeat(instrument.map.default_controls[None, :, None], frames, axis=2)
    level = np.full((1, frames), -20.0, np.float32)
    f0 = np.full((1, frames), 220.0, np.float32)
    return lambda _: decoder.process(z, controls, level, f0)


def _paper(archive: object) -> dict[str, object]:
    """Learnt numbers and multiply-adds, by graph."""
    from neurorack.play.engine.cost import graph_cost

    costs = {graph: graph_cost(archive, graph) for graph in archive.manifest.graphs}
    macs = {graph: cost.macs_per_s * 1e-9 for graph, cost in costs.items()}
    return {
        "parameters": {graph: costs[graph].params for graph in ("encoder", "decoder")},
        "gmac_per_s": macs | {"transfer": sum(macs.values())},
    }


def render(name: str, excerpts: Path, output: Path) -> None:
    """Answers of the live stream to every excerpt, each from silence: as in render of inside_rave.py."""
    from neurorack.core.library import find
    from neurorack.core.nrk import read_nrk
    from neurorack.play.engine.instrument import Instrument

    instrument = Instrument(read_nrk(find(name)))
    with np.load(excerpts) as given:
        answers = {key: stream.run(_live(instrument), given[key], 2048) for key in given.files}
    np.savez(output, **answers)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("job", choices=("measure", "render"))
    parser.add_argument("name", help="a name or a .nrk file")
    parser.add_argument("excerpts", type=Path, nargs="?")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--blocks", default="128,256,512,1024,2048")
    parser.add_argument("--seconds", type=float, default=10.0)
    o = parser.parse_args()
    if o.job == "render":
        render(o.name, o.excerpts, o.output)
        return
    found = measure(o.name, [int(b) for b in o.blocks.split(",")], o.seconds)
    o.output.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
