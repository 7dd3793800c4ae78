"""Neurorack: a stand-alone neural synthesizer played through what the ear hears.

    import neurorack
    winds = neurorack.load("Winds")
    sound = winds.transfer(audio, 44_100, set={"brightness": 0.8})

The names of neurorack.api are found here too; they load on first use, so that `import neurorack` is instant.
"""

import os
from typing import TYPE_CHECKING, Any

from neurorack.core.version import __version__ as __version__

# From 1.29 on, ONNX Runtime reports its use to its makers unless this is set before it is first imported.
# Nothing is to leave this machine, nor is a thread to keep a data base beside the sound.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from neurorack.api import (
        Amount,
        Analysis,
        Curve,
        Instrument,
        NeurorackError,
        OtherSound,
        Request,
        Transfer,
        load,
        read_curve,
    )

__all__ = [
    "Amount",
    "Analysis",
    "Curve",
    "Instrument",
    "NeurorackError",
    "OtherSound",
    "Request",
    "Transfer",
    "load",
    "read_curve",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'neurorack' has no attribute {name!r}")
    from neurorack import api

    return getattr(api, name)
