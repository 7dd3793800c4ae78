"""Prior: the instrument's own models of how it is played and of what sounds, stepped beside the sound.

Two graphs, each with a state of its own: prior_controls goes on with the descriptors, given what hands hold,
the gate and the beat; prior_latent goes on with z, given the descriptors. Each is stepped once in `every`
frames, the two never in the same frame, and its values go in straight lines from step to step. All that is
random comes from seeded normals, so that the same seed gives the same hour.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from neurorack.core.manifest_io import PRIOR_GRAPHS
from neurorack.core.normaliser import OVERSHOOT
from neurorack.play.engine.graph_stream import GraphStream
from neurorack.play.engine.graphs import Graphs
from neurorack.play.engine.plain_state import (
    State,
    Stateful,
    attributes,
    gather,
    generator_state,
    restore_generator,
    scatter,
    set_attributes,
)
from neurorack.play.engine.sources.breath import Breath
from neurorack.play.engine.sources.leash import Leash
from neurorack.play.engine.support import Support

CONTROLS, LATENT = PRIOR_GRAPHS
SINCE_S = 2.0
"""The time since the gate changed is told up to here."""
MOST_Z = 8.0
"""Furthest z may go, in units of its scale: no graph, however wrong, leads the decoder beyond."""


class Proposed(NamedTuple):
    """What a prior plays in this frame: z [Z] and controls [C], None where it has no graph for them."""

    z: np.ndarray | None
    controls: np.ndarray | None


class Chain:
    """One graph's values: at each step they set off in a straight line for what the graph gave."""

    _STATE = ("now", "to", "_by", "_left")

    def __init__(
        self,
        graphs: Graphs,
        name: str,
        output: str,
        ends: tuple[np.ndarray, np.ndarray],
        every: int,
        leash: Leash | None = None,
    ) -> None:
        """ends: least and largest values, [size] each; leash: for controls, which are then told a `mask`."""
        prior = graphs.manifest.prior
        assert prior is not None
        self._stream: GraphStream = graphs.stream(name)
        self._output, self._ends, self._every = output, ends, every
        self._leash = leash
        self._which = int(name == LATENT)
        self._noise = np.zeros(prior.noise[PRIOR_GRAPHS[name]], np.float32)
        size = len(ends[0])
        self.now = np.zeros(size, np.float32)
        """Present values [size]."""
        self.to = np.zeros(size, np.float32)
        """Where they go until the next step."""
        self._by = np.zeros(size, np.float32)
        self._left = 0
        self.restart(0)

    def restart(self, seed: int) -> None:
        """Another sequence of normals."""
        self._random = np.random.Generator(np.random.PCG64([abs(seed), self._which]))

    def begin(self, values: np.ndarray) -> None:
        """Forget everything, and stand at these values."""
        self._stream.reset()
        np.copyto(self.now, values)
        np.copyto(self.to, values)
        self._left = 0

    def step(
        self,
        inputs: Mapping[str, np.ndarray | Sequence[float]],
        surprise: float,
        at_once: bool = False,
        instead: np.ndarray | None = None,
    ) -> None:
        """Step the graph; `inputs` by name, one value a row. at_once: be there without a way. instead: where
        to go in place of what the graph gives.
        """
        ports = self._stream.inputs(1)
        for name, values in inputs.items():
            ports[name][0, :, 0] = values
        self._random.standard_normal(out=self._noise, dtype=np.float32)
        ports["noise"][0, :, 0] = self._noise
        ports["temperature"].fill(surprise)
        found = self._stream.run(1)[self._output][0, :, 0]
        if math.isfinite(float(found.sum())):
            np.clip(found, *self._ends, out=self.to)
            if self._leash is not None:
                self._leash.draw_in(self.to, inputs["mask"])
        else:
            # It goes on from where it is, having forgotten how it came there.
            self._stream.reset()
            np.copyto(self.to, self.now)
        if instead is not None:
            np.copyto(self.to, instead)
        if at_once:
            np.copyto(self.now, self.to)
            self._left = 0
        else:
            np.subtract(self.to, self.now, out=self._by)
            self._by *= np.float32(1.0 / self._every)
            self._left = self._every

    def move(self) -> None:
        """One frame on the way."""
        if self._left > 1:
            self.now += self._by
            self._left -= 1
        elif self._left == 1:
            np.copyto(self.now, self.to)
            self._left = 0

    def follow(self, other: "Chain") -> None:
        """Stand where another chain of the same graph stands."""
        for mine, its in ((self.now, other.now), (self.to, other.to), (self._by, other._by)):
            np.copyto(mine, its)
        np.copyto(self._stream.state, other._stream.state)
        self._left = other._left

    def state(self) -> State:
        """Everything later values depend on."""
        memory = {"memory": self._stream.state.copy(), "random": generator_state(self._random)}
        return {**attributes(self, self._STATE), **memory}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, self._STATE, state)
        np.copyto(self._stream.state, state["memory"])
        restore_generator(self._random, state["random"])


class Prior:
    """Both chains of an instrument, and when each is stepped. A chain is None where there is no graph."""

    _STATE = ("_at", "_gate", "_since", "_seed")

    def __init__(self, graphs: Graphs, support: Support) -> None:
        m = graphs.manifest
        assert m.prior is not None
        self.every = m.prior.every
        """Frames in a step."""
        self.frame_s = m.hop / m.sample_rate
        most = np.full(len(m.controls), OVERSHOOT, np.float32)
        least = -most
        if m.gained:
            # Only a hand asks for more than the loudest of the corpus.
            most[m.control_index("loudness")] = 1.0
        edge = (least, most)
        far = MOST_Z * np.asarray(m.z_scale, np.float32)
        there = m.graphs
        leash = Leash(support, m.control_index("loudness") if m.gained else -1)
        plays = CONTROLS in there
        self.controls = Chain(graphs, CONTROLS, "controls", edge, self.every, leash) if plays else None
        self.latent = Chain(graphs, LATENT, "z", (-far, far), self.every) if LATENT in there else None
        self.aside = Chain(graphs, CONTROLS, "controls", edge, self.every, leash) if plays else None
        """Where the controls that hands hold would go: only shown, and not part of the state."""
        self.breath = Breath(self.every * self.frame_s)
        self.proposed = Proposed(
            None if self.latent is None else self.latent.now,
            None if self.controls is None else self.controls.now,
        )
        """The present values, always the same arrays."""
        self._latent_at, self._aside_at = self.every // 2, self.every // 4
        self._clock = np.zeros(4, np.float32)
        self._seed = 0
        self._at = 0
        self._gate, self._since = False, 0

    def restart(self, seed: int) -> None:
        """Go another way from here."""
        self._seed = seed
        self.breath.restart(seed)
        for chain in (self.controls, self.latent):
            if chain is not None:
                chain.restart(seed)

    def begin(self, z: np.ndarray, controls: np.ndarray) -> None:
        """Start afresh from what sounds: z [Z], controls [C] normalised."""
        self.restart(self._seed)
        self.breath.reset()
        for chain, values in ((self.controls, controls), (self.aside, controls), (self.latent, z)):
            if chain is not None:
                chain.begin(values)
        self._at = 0
        self._gate, self._since = False, 0

    def tick(self, gate: bool, started: bool) -> str:
        """A frame begins; says what is due in it: "controls", "latent", "aside" or nothing.

        started: a note starts in this frame: it is answered at once.
        """
        self._since += 1
        if gate != self._gate or started:
            self._gate, self._since = gate, 0
            if started:
                self._at = 0
        at, self._at = self._at, (self._at + 1) % self.every
        if at == 0:
            return "controls"
        if at == self._latent_at:
            return "latent"
        return "aside" if at == self._aside_at else ""

    @property
    def one_frame(self) -> bool:
        """Whether steps follow each other so closely that both graphs share a frame."""
        return self.every == 1

    def clock(self, beat: float | None) -> np.ndarray:
        """What the graph is told of time [4]: gate, time since it changed, and the beat's phase if any."""
        told = self._clock
        told[0] = self._gate
        told[1] = min(self._since * self.frame_s / SINCE_S, 1.0)
        angle = 0.0 if beat is None else 2.0 * math.pi * beat
        told[2], told[3] = (0.0, 0.0) if beat is None else (math.sin(angle), math.cos(angle))
        return told

    def move(self) -> None:
        """Everything goes on by a frame."""
        for chain in (self.controls, self.latent, self.aside):
            if chain is not None:
                chain.move()

    def _parts(self) -> dict[str, Stateful]:
        named = {"controls": self.controls, "latent": self.latent, "breath": self.breath}
        return {name: part for name, part in named.items() if part is not None}

    def state(self) -> State:
        """Everything later values depend on."""
        return {**attributes(self, self._STATE), **gather(self._parts())}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, self._STATE, state)
        scatter(self._parts(), state)
        if self.aside is not None and self.controls is not None:
            self.aside.follow(self.controls)
