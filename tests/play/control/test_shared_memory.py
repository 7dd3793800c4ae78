"""Values and audio cross between processes whole, in order, and without anybody waiting."""

import multiprocessing

import numpy as np
import pytest

from neurorack.play.control.bridge import Bridge, BridgeAddress
from neurorack.play.control.latest import LatestValue
from neurorack.play.control.records import Status, from_record, to_record
from neurorack.play.control.ring import AudioRing, RingReader

PAYLOAD = np.dtype([("number", np.int64), ("copies", np.int64, (200,))])


def _hammer(address: BridgeAddress, count: int) -> None:
    bridge = Bridge.attach(address)
    for i in range(count):
        bridge.status.write(to_record(Status(beat=i, command=i, note="x" * (i % 400))))
        bridge.output.write(np.tile(np.arange(64 * i, 64 * (i + 1), dtype=np.float32) % 4096, (2, 1)))
    bridge.close()


def test_another_process_never_shows_a_torn_value_or_a_gap_in_the_sound():
    bridge, count = Bridge.create(), 3000
    try:
        reader = RingReader(bridge.output)
        process = multiprocessing.get_context("spawn").Process(target=_hammer, args=(bridge.address, count))
        process.start()
        seen = heard = 0
        while process.is_alive() or reader.available():
            record = bridge.status.read()
            if record is not None:
                status = from_record(Status, record)
                assert status.beat == status.command and len(status.note) == status.beat % 400
                seen += 1
            start = reader.position
            ready = reader.available()
            if ready and reader.position == start:
                block = reader.read(ready)
                assert block is not None
                np.testing.assert_array_equal(block[1], np.arange(start, start + ready) % 4096)
                heard += ready
        process.join()
        assert process.exitcode == 0 and seen > 10
        assert heard + reader.skipped == 64 * count
    finally:
        bridge.close()


def test_a_writer_killed_in_mid_write_is_noticed():
    memory = memoryview(bytearray(LatestValue.nbytes(PAYLOAD)))
    writer, reader = LatestValue(memory, PAYLOAD), LatestValue(memory, PAYLOAD)
    record = np.zeros((), PAYLOAD)
    record["number"] = 7
    writer.write(record)
    assert reader.read()["number"] == 7
    assert reader.read() is None
    writer.write(record)
    writer._slots[0]["data"]["copies"][3] = 1  # torn: the slot no longer matches its checksum
    assert reader.read() is None
    writer.write(record)
    assert reader.read()["number"] == 7


def test_a_lapped_reader_skips_ahead_and_counts():
    ring = AudioRing(memoryview(bytearray(AudioRing.nbytes(1, 1024))), 1, 1024)
    reader = RingReader(ring)
    for i in range(20):
        ring.write(np.full((1, 100), i, np.float32))
    assert reader.available() == 256
    assert reader.skipped == 2000 - 256
    assert reader.read(256)[0, -1] == 19


def test_a_listener_of_live_sound_goes_on_with_the_newest():
    ring = AudioRing(memoryview(bytearray(AudioRing.nbytes(1, 1024))), 1, 1024)
    reader = RingReader(ring, max_behind=150)
    ring.write(np.zeros((1, 150), np.float32))
    assert reader.available() == 150
    ring.write(np.zeros((1, 1), np.float32))
    assert reader.available() == 0 and reader.skipped == 151
    ring.write(np.ones((1, 10), np.float32))
    assert reader.read(10).all()


def test_the_block_is_gone_after_its_owner_closed_it():
    bridge = Bridge.create()
    address = bridge.address
    bridge.close()
    with pytest.raises(FileNotFoundError):
        Bridge.attach(address)
