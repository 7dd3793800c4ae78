"""State as plain numbers and arrays: what a part of the engine depends on, so that a take can be repeated
bit for bit.

A part with state has `state() -> dict` and `restore(state)`; a whole of several parts joins theirs under
dotted names ("lfo1.phase"). Values are int, float or numpy arrays: np.savez keeps them without pickle.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np

State = dict[str, Any]
"""Name -> int, float or np.ndarray."""

_WORD = (1 << 64) - 1


class Stateful(Protocol):
    """A part whose state can be taken and put back."""

    def state(self) -> State:
        """Everything the part's future depends on, as copies."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        ...


def gather(parts: Mapping[str, Stateful]) -> State:
    """The states of named parts in one flat dict."""
    return {f"{name}.{key}": value for name, part in parts.items() for key, value in part.state().items()}


def scatter(parts: Mapping[str, Stateful], state: Mapping[str, Any]) -> None:
    """Give every named part its share of what `gather` made."""
    for name, part in parts.items():
        part.restore(under(name, state))


def under(name: str, state: Mapping[str, Any]) -> State:
    """The entries `name.*`, without that beginning."""
    head = name + "."
    return {key[len(head) :]: value for key, value in state.items() if key.startswith(head)}


def attributes(part: object, names: Iterable[str]) -> State:
    """Attributes of a part as state, under their own names; arrays are copied."""
    found = {name: getattr(part, name) for name in names}
    return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in found.items()}


def set_attributes(part: object, names: Iterable[str], state: Mapping[str, Any]) -> None:
    """Undo `attributes`: arrays in place, numbers in the type the attribute has now. ValueError where an
    array has another shape, or stands for a number."""
    for name in names:
        value, present = state[name], getattr(part, name)
        if not isinstance(present, list) and np.shape(value) != np.shape(present):
            raise ValueError(f"the state {name} has another shape")
        if isinstance(present, np.ndarray):
            np.copyto(present, value)
        else:
            setattr(part, name, type(present)(value))


def generator_state(generator: np.random.Generator) -> np.ndarray:
    """uint64 [6]: a PCG64 generator's state."""
    whole = generator.bit_generator.state
    numbers = (whole["state"]["state"], whole["state"]["inc"])
    words = [part for n in numbers for part in (n & _WORD, n >> 64)]
    return np.array([*words, whole["has_uint32"], whole["uinteger"]], np.uint64)


def restore_generator(generator: np.random.Generator, words: np.ndarray) -> None:
    """Put a PCG64 generator into the state that `generator_state` gave."""
    low, high, inc_low, inc_high, has, left = (int(w) for w in words)
    generator.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": low | high << 64, "inc": inc_low | inc_high << 64},
        "has_uint32": has,
        "uinteger": left,
    }


def reseed(generator: np.random.Generator, seed: int) -> None:
    """Start a PCG64 generator afresh, in a tenth of the time that making another would take.

    The seed is spread over all bits by SplitMix64 (Steele et al., 2014).
    """
    words = []
    for turn in (1, 2, 3):
        word = (abs(seed) + turn * 0x9E3779B97F4A7C15) & _WORD
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
        words.append(word ^ (word >> 31))
    generator.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": words[0] | words[1] << 64, "inc": words[2] << 1 | 1},
        "has_uint32": 0,
        "uinteger": 0,
    }
