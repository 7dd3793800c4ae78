"""What is loaded and written while the sound goes on: clips, instruments, snapshots, and faulty ones."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from jack_rig import sounding, wait_for, write_frame

from neurorack.play.control.record_ring import RecordReader
from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.events import event_from_record
from neurorack.play.engine.frame import ControlFrame, Source


def _clips(path: Path, *shapes: tuple[int, int]) -> str:
    rng = np.random.default_rng(1)
    np.savez(path, **{f"c{i}": rng.standard_normal(shape).astype("f4") for i, shape in enumerate(shapes)})
    return str(path)


def test_clips_and_instruments_change_while_it_sounds(tiny_nrk, tiny_unpitched_nrk, tmp_path):
    instrument = load_instrument(tiny_nrk)
    rows = instrument.manifest.latent_size + len(instrument.controls)
    good = _clips(tmp_path / "good.npz", (rows, 200), (rows, 50))
    bad = _clips(tmp_path / "bad.npz", (rows + 1, 200))
    torn = tmp_path / "torn.npz"
    torn.write_bytes(Path(good).read_bytes()[:300])
    with sounding(tiny_nrk, backend="null") as supervisor:
        write_frame(supervisor.bridge, ControlFrame(gate=True, f0_hz=220.0, source=Source.CLIP))

        def carried_out(number: int) -> str:
            wait_for(lambda: supervisor.status.command >= number, "the command carried out")
            return supervisor.status.error

        assert carried_out(supervisor.command(clips=good)) == "" and supervisor.status.clips == good
        assert "encode the sound again" in carried_out(supervisor.command(clips=bad))
        assert "cannot be read" in carried_out(supervisor.command(clips=str(torn)))
        assert supervisor.status.clips == good
        assert "nothing.nrk" in carried_out(supervisor.command(str(tmp_path / "nothing.nrk"), clips=good))
        assert supervisor.status.instrument == str(tiny_nrk)
        assert carried_out(supervisor.command(str(tiny_unpitched_nrk), clips="")) == ""
        assert supervisor.status.instrument == str(tiny_unpitched_nrk)
        assert supervisor.restarts == 0 and supervisor.status.dropped_failed == 0


def test_what_sounded_after_a_snapshot_can_be_rendered_again_to_the_bit(tiny_nrk, tmp_path):
    path = tmp_path / "state.npz"
    with sounding(tiny_nrk, backend="null") as supervisor:
        bridge = supervisor.bridge
        frame = ControlFrame(gate=True, f0_hz=220.0, source=Source.WANDER, life=1.0, width=0.5)
        write_frame(bridge, frame)
        wait_for(lambda: bridge.output.written > 20_000, "sound")
        journal, frames, events = (
            RecordReader(ring) for ring in (bridge.journal, bridge.frames_used, bridge.events_used)
        )
        first_frame, first_event = frames.position, events.position
        number = supervisor.command(snapshot=str(path))
        supervisor.command()  # a later command does not swallow it
        wait_for(lambda: supervisor.status.snapshot >= number, "a snapshot")
        start = supervisor.status.snapshot_sample
        write_frame(bridge, ControlFrame(gate=True, f0_hz=330.0, source=Source.WANDER, life=1.0))
        wait_for(lambda: bridge.output.written > start + 40_000, "more sound")
        blocks, used_frames, used_events = journal.read(), frames.read(), events.read()
        blocks = blocks[blocks["start"] >= start]
        stop = int(blocks["start"][-1] + blocks["samples"][-1])
        sound = bridge.output.copy(start, stop - start)
        failed = supervisor.command(snapshot=str(path / "inside a file"))
        wait_for(lambda: supervisor.status.snapshot >= failed, "the failure")
        assert supervisor.status.snapshot_sample == -1
        assert "cannot be written to" in supervisor.status.error and "this folder" in supervisor.status.error
    with np.load(path, allow_pickle=False) as file:
        state = dict(file)
    engine, again, seen = Engine(load_instrument(tiny_nrk)), [], first_event
    engine.restore(state)
    for block in blocks:
        used = [] if used_events is None else used_events[seen - first_event : block["events"] - first_event]
        seen = block["events"]
        one = ControlFrame.read_from(used_frames[block["frame"] - 1 - first_frame])
        again.append(engine.render(int(block["samples"]), one, None, [event_from_record(e) for e in used]))
    np.testing.assert_array_equal(np.concatenate(again, axis=1), sound)
