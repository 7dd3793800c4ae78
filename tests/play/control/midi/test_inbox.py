"""A flood from a driver's thread: bounded, notes last to be lost, everything let go when one was."""

import asyncio
import threading

from neurorack.play.control.midi.inbox import CALM, FULL, Inbox


def test_knobs_are_lost_before_notes_and_lost_notes_are_told():
    async def run():
        handled, losses = [], []
        inbox = Inbox(asyncio.get_running_loop(), handled.append, lambda: losses.append(len(handled)))

        def flood(knobs, notes):
            for n in range(knobs):
                inbox.put([0xB0, 20, n % 128])
            for n in range(notes):
                inbox.put([0x90, n % 128, 64])

        async def settle(count):
            while len(handled) < count:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.01)

        thread = threading.Thread(target=flood, args=(2 * CALM, 100))
        thread.start()
        thread.join()  # the loop had no turn meanwhile
        await settle(CALM + 100)
        assert len(handled) == CALM + 100 and inbox.dropped == CALM and losses == []
        flood(0, FULL + 1)
        await settle(CALM + 100 + FULL)
        assert inbox.dropped == CALM + 1 and losses == [CALM + 100 + FULL]
        inbox.close()
        flood(1, 1)
        await asyncio.sleep(0.01)
        assert len(handled) == CALM + 100 + FULL

    asyncio.run(run())
