"""Looks at the player from inside during a soak: how long every block took; or lets it render nothing.

Python imports this module by itself when its folder is on PYTHONPATH, in every process of the player; nothing
in the player knows of it. Environment:
- SOAK_TIMES: a file of int64 count and then, for every block, three float32, seconds, index of the source and
  notes started in it, written through a memory map;
- SOAK_SILENT=1: the engine returns silence at once, so that only the rest of the player costs anything.
"""

import importlib.abc
import importlib.util
import os
import sys
import time


def _started(renderer):
    """Notes started so far; 0 where nothing plays them."""
    performer = getattr(renderer._engine, "_performer", None)
    return performer.notes.started if performer is not None else 0


def _time_blocks(renderer):
    import numpy as np

    path = os.environ["SOAK_TIMES"]
    inner = renderer.Renderer.__call__
    maps = []

    def timed(self, *given, **named):
        if not maps:
            maps.append(np.memmap(path, np.int64, "r+", 0, 1))
            maps.append(np.memmap(path, np.float32, "r+", 8).reshape(-1, 3))
            maps.append(0)
        start = time.perf_counter()
        audio = inner(self, *given, **named)
        took = time.perf_counter() - start
        count, notes = int(maps[0][0]), _started(self)
        if count < len(maps[1]):
            maps[1][count] = took, self.frame.source, notes - maps[2]
            maps[0][0], maps[2] = count + 1, notes
        return audio

    renderer.Renderer.__call__ = timed


def _silence(engine):
    import numpy as np

    rows = (np.zeros((0, 1), np.float32), np.zeros(0, np.float32), 0)

    def render(self, n, *_given, **_named):
        self.telemetry.frames += n // self.hop
        return np.zeros((2, n), np.float32)

    engine.Engine.render = render
    engine.Engine.rows = property(lambda self: rows)


class _Hook(importlib.abc.MetaPathFinder):
    """Changes a module right after it was imported."""

    def __init__(self, module, change):
        self.module, self.change = module, change

    def find_spec(self, name, path=None, target=None):
        if name != self.module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            self.change(module)

        spec.loader.exec_module = exec_module
        return spec


if os.environ.get("SOAK_TIMES"):
    sys.meta_path.insert(0, _Hook("neurorack.play.audio.renderer", _time_blocks))
if os.environ.get("SOAK_SILENT") == "1":
    sys.meta_path.insert(0, _Hook("neurorack.play.engine.engine", _silence))
