"""Keeping Python's garbage collector out of the sound."""

import gc


def freeze_garbage() -> None:
    """Keep the collector from ever walking the heap in the middle of a block: rendering makes no cycles."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.disable()
