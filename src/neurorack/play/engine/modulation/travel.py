"""All of PARAMS between values and knob travels at once: what a ControlSpec does for one, made cheap."""

import math
from collections.abc import Callable

import numpy as np

from neurorack.core.control_spec import ControlSpec
from neurorack.play.engine.params import PARAMS

Mover = Callable[[float, float], float]
"""(value, travel added) -> value, within the parameter's range."""

_LOW = np.array([spec.low for spec in PARAMS])
_HIGH = np.array([spec.high for spec in PARAMS])
_DEFAULT = np.array([spec.default for spec in PARAMS])
_STEPPED = np.array([spec.stepped for spec in PARAMS])
_LOG = np.array([spec.curve == "log" for spec in PARAMS])
_SPAN = np.where(
    _LOG, np.log(_HIGH / np.where(_LOG, _LOW, 1.0), where=_LOG, out=np.ones(len(PARAMS))), _HIGH - _LOW
)


def clamped(values: np.ndarray) -> list[float]:
    """float64 [len(PARAMS)] -> the nearest values allowed; NaN becomes the default. As ControlSpec.clamp."""
    found = np.where(np.isnan(values), _DEFAULT, np.clip(values, _LOW, _HIGH))
    return np.where(_STEPPED, np.rint(found), found).tolist()


def travels(values: list[float]) -> np.ndarray:
    """Allowed values of all PARAMS -> knob travels 0..1, float64 [len(PARAMS)]. As ControlSpec.to_travel."""
    array = np.array(values)
    linear = array - _LOW
    logarithmic = np.log(array / np.where(_LOG, _LOW, 1.0), where=_LOG, out=linear.copy())
    return np.clip(np.where(_LOG, logarithmic, linear) / _SPAN, 0.0, 1.0)


def mover(spec: ControlSpec) -> Mover:
    """A function that moves a value of `spec` by some travel, and stops at the ends."""
    low, high = spec.low, spec.high
    span = high - low
    if spec.curve == "log":
        ratio = math.log(high / low)

        def move(value: float, travel: float) -> float:
            return min(max(value * math.exp(ratio * travel), low), high)

    elif spec.stepped:

        def move(value: float, travel: float) -> float:
            return float(round(min(max(value + span * travel, low), high)))

    else:

        def move(value: float, travel: float) -> float:
            return min(max(value + span * travel, low), high)

    return move


MOVERS: tuple[Mover, ...] = tuple(mover(spec) for spec in PARAMS)
"""One for each of PARAMS."""
