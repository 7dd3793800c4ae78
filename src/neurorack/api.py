"""The Python interface: load an instrument, analyse, synthesise and transfer sound. Needs no torch.

import neurorack
winds = neurorack.load("Winds")
sound = winds.transfer(audio, 44_100, set={"brightness": 0.8})
"""

from neurorack.core.errors import NeurorackError
from neurorack.play.engine.controlling import Request
from neurorack.play.engine.instrument import Analysis, Instrument
from neurorack.play.engine.instrument import load_instrument as load
from neurorack.play.engine.requests import Amount, Curve, read_curve
from neurorack.play.engine.transfer import OtherSound, Transfer

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
