"""GraphStream: one streaming ONNX graph with its state outside, bound to memory that is allocated once.

A graph maps (inputs, state) -> (outputs, state_out). The stream owns two state tensors and swaps them after
every run (ping-pong), so nothing is copied; inputs and outputs live in numpy arrays bound to the session by
IO binding, one set for each length in use.
"""

from dataclasses import dataclass

import numpy as np
import onnxruntime as ort

MAX_STEPS = 64
"""Longest run in one call; longer inputs are cut, so that memory stays bounded."""

_Binding = tuple[ort.IOBinding, ort.IOBinding]


@dataclass(frozen=True)
class Port:
    """One tensor: `channels` None for [B, samples], else [B, channels, steps]; `per_step` values a step."""

    name: str
    channels: int | None
    per_step: int = 1

    def shape(self, batch: int, steps: int) -> tuple[int, ...]:
        """Shape at `steps` steps."""
        if self.channels is None:
            return (batch, self.per_step * steps)
        return (batch, self.channels, self.per_step * steps)


@dataclass
class _Buffers:
    inputs: dict[str, np.ndarray]
    outputs: dict[str, np.ndarray]
    bindings: _Binding


class GraphStream:
    """Runs one graph step by step. `warm` lists the lengths bound at once; others are bound on first use."""

    def __init__(
        self,
        session: ort.InferenceSession,
        inputs: tuple[Port, ...],
        outputs: tuple[Port, ...],
        state_size: int,
        batch: int = 1,
        warm: tuple[int, ...] = (1,),
    ) -> None:
        self._session = session
        self._inputs, self._outputs = inputs, outputs
        self.batch = batch
        self._states = [np.zeros((batch, state_size), np.float32) for _ in range(2)]
        self._state_values = [ort.OrtValue.ortvalue_from_numpy(s) for s in self._states]
        self._current = 0
        self._buffers: dict[int, _Buffers] = {}
        for steps in warm:
            self.bind(steps)
        # The first runs allocate ONNX Runtime's arena: pay here, not in the first audio block. What the
        # longest has allocated serves all.
        for steps in sorted({*warm[:1], *warm[-1:]}, reverse=True):
            self.run(steps)
        self.reset()

    @property
    def state(self) -> np.ndarray:
        """The state [B, S] that the next run reads; may be written between runs."""
        return self._states[self._current]

    def reset(self) -> None:
        """Start afresh: state and all bound inputs to zero."""
        for state in self._states:
            state.fill(0.0)
        for buffers in self._buffers.values():
            for array in buffers.inputs.values():
                array.fill(0.0)

    def bind(self, steps: int) -> _Buffers:
        """The buffers for runs of `steps` steps, made on first use."""
        found = self._buffers.get(steps)
        if found is not None:
            return found
        inputs = {p.name: np.zeros(p.shape(self.batch, steps), np.float32) for p in self._inputs}
        outputs = {p.name: np.zeros(p.shape(self.batch, steps), np.float32) for p in self._outputs}
        values_in = {n: ort.OrtValue.ortvalue_from_numpy(a) for n, a in inputs.items()}
        values_out = {n: ort.OrtValue.ortvalue_from_numpy(a) for n, a in outputs.items()}

        def binding(source: int) -> ort.IOBinding:
            made = self._session.io_binding()
            for name, value in values_in.items():
                made.bind_ortvalue_input(name, value)
            made.bind_ortvalue_input("state", self._state_values[source])
            for name, value in values_out.items():
                made.bind_ortvalue_output(name, value)
            made.bind_ortvalue_output("state_out", self._state_values[1 - source])
            return made

        found = _Buffers(inputs, outputs, (binding(0), binding(1)))
        self._buffers[steps] = found
        return found

    def inputs(self, steps: int) -> dict[str, np.ndarray]:
        """Input arrays to fill before `run(steps)`."""
        return self.bind(steps).inputs

    def run(self, steps: int) -> dict[str, np.ndarray]:
        """Run once on the filled inputs; returns the output arrays, overwritten by the next run(steps)."""
        buffers = self.bind(steps)
        self._session.run_with_iobinding(buffers.bindings[self._current])
        self._current = 1 - self._current
        return buffers.outputs
