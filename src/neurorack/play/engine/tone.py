"""Tone: where one voice's z and own controls come from, frame by frame; changes of the source cross-fade."""

from collections.abc import Mapping, Sequence
from itertools import count as count_from
from typing import Any

import numpy as np

from neurorack.play.engine.frame import ControlFrame, Source
from neurorack.play.engine.params import PARAM_INDEX
from neurorack.play.engine.plain_state import State, attributes, gather, scatter, set_attributes, under
from neurorack.play.engine.sources import Anchors, ClipReader, Wander
from neurorack.play.engine.sources.prior import Proposed

BLEND_FRAMES = 24
"""Cross-fade of rows when the source jumps (70 ms)."""
(_LIFE, _MORPH, _RATE, _DEPTH, _MODE, _SPEED, _START, _END, _PLACE, _OTHER_SPEED) = (
    PARAM_INDEX[name]
    for name in (
        "life", "morph", "wander_rate_hz", "wander_depth", "clip_mode", "clip_speed", "clip_start",
        "clip_end", "clip_position", "other_speed",
    )
)  # fmt: skip
_SOURCE, _SECOND, _OTHER = range(3)
"""What a clip is read for: the source, the second tone of a morph, controls of another sound."""
_STATE = ("_row", "_from", "_blend", "_key", "_seed", "position")


class Clips:
    """Latent clips in playing order, as readers of which every voice takes twins."""

    _serial = count_from()

    def __init__(self, clips: Sequence[np.ndarray]) -> None:
        self.readers = [ClipReader(c) for c in clips]
        self.version = next(self._serial)

    def __len__(self) -> int:
        return len(self.readers)


class Tone:
    """Rows [Z + C] of one voice."""

    def __init__(self, anchors: Anchors, clips: Clips, frame_rate_hz: float) -> None:
        self._anchors, self._clips = anchors, clips
        self._wander = Wander(anchors, frame_rate_hz)
        self._readers: dict[tuple[int, int], ClipReader] = {}
        self._row = anchors.rows[0].copy()
        self._from = self._row.copy()
        self._played = self._row.copy()
        self._blend = 0
        self._key = np.full(2, -1)
        self._seed = 0
        self.position = 0.0

    def nearest(self) -> int:
        """Index of the anchor that the wandering or held tone is nearest to."""
        return self._wander.nearest()

    @property
    def row(self) -> np.ndarray:
        """The last row [Z + C]; valid until the next step."""
        return self._row

    @property
    def blending(self) -> bool:
        """Whether the source has just changed."""
        return self._blend > 0

    def set_clips(self, clips: Clips) -> None:
        """Read other clips; a clip that was read goes over to its successor by a cross-fade."""
        self._clips = clips
        self._readers.clear()
        if self._key[0] == Source.CLIP:
            self._key[1] = -1

    def start(self, seed: int, source: int, restart_clip: bool, same_path: bool) -> None:
        """A note begins from silence: no cross-fade; drift at rest; clips from their start if asked."""
        self._seed = seed
        self._key[:] = -1
        self._blend = 0
        if source not in (Source.WANDER, Source.PRIOR) or same_path:
            self._wander.restart(seed, self._wander.home)
        for reader in self._readers.values():
            reader.reseed(seed)
            if restart_clip:
                reader.restart(smooth=False)

    def reseed(self, seed: int, home: int) -> None:
        """Another path and drift, from anchor `home`."""
        self._wander.restart(seed, home % len(self._anchors))

    def _reader(self, use: int, clip: int) -> ClipReader:
        clip %= len(self._clips)
        found = self._readers.get((use, clip))
        if found is None:
            found = self._readers[use, clip] = self._clips.readers[clip].twin(self._seed)
        return found

    def step(
        self,
        frame: ControlFrame,
        values: list[float],
        anchor: int,
        live: np.ndarray | None,
        place: np.ndarray | None,
        place_anchor: int = 0,
        proposed: Proposed | None = None,
    ) -> np.ndarray:
        """The next row (overwritten by the next step): the source's, morphed into the second tone's.

        values: PARAMS after modulation; anchor: the home; live, place: rows of live input and map, if any;
        place_anchor: the anchor nearest to that place. proposed: what the prior plays, if there is one.
        """
        source = frame.source
        if (
            (source == Source.CLIP and not len(self._clips))
            or (source == Source.LIVE and live is None)
            or (source == Source.MAP and place is None)
        ):
            source = Source.HOLD
        elif source == Source.PRIOR and proposed is None:
            source = Source.WANDER
        anchor %= len(self._anchors)
        if source == Source.CLIP:
            key = int(frame.clip) % len(self._clips)
        else:
            key = anchor if source in (Source.HOLD, Source.WANDER) else 0
        if source != self._key[0] or key != self._key[1]:
            if self._key[0] >= 0:
                np.copyto(self._from, self._row)
                self._blend = BLEND_FRAMES
            self._key[:] = source, key
        if source == Source.CLIP:
            row = self._read(_SOURCE, key, values)
            self.position = self._reader(_SOURCE, key).position
        elif source == Source.WANDER:
            row = self._wander.wander(anchor, values[_RATE], values[_DEPTH])
            self.position = float(self._wander.nearest())
        elif source == Source.LIVE:
            row = live  # type: ignore[assignment]
        elif source == Source.PRIOR:
            assert proposed is not None
            row = self._propose(proposed, anchor, values)
        elif source == Source.MAP:
            assert place is not None
            row = self._wander.drift(place, place_anchor, values[_LIFE])
        else:
            row = self._wander.hold(anchor, values[_LIFE])
            self.position = float(anchor)
        mine = self._row
        if self._blend > 0:
            share = np.float32(self._blend / (BLEND_FRAMES + 1))
            np.subtract(self._from, row, out=mine)
            mine *= share
            mine += row
            self._blend -= 1
        else:
            np.copyto(mine, row)
        morph = values[_MORPH]
        if morph > 0.0:
            if frame.morph_clip >= 0 and len(self._clips):
                second = self._read(_SECOND, int(frame.morph_clip), values)
            else:
                second = self._anchors.rows[int(frame.morph_anchor) % len(self._anchors)]
            mine += np.float32(morph) * (second - mine)
        return mine

    def _propose(self, proposed: Proposed, anchor: int, values: list[float]) -> np.ndarray:
        """The prior's row; what it has no graph for, from a walk among the anchors."""
        z, controls = proposed
        if z is None or controls is None:
            np.copyto(self._played, self._wander.wander(anchor, values[_RATE], values[_DEPTH]))
        latent = self._anchors.latent
        if z is not None:
            self._played[:latent] = z
        if controls is not None:
            self._played[latent:] = controls
        return self._played

    def _read(self, use: int, clip: int, values: list[float]) -> np.ndarray:
        return self._reader(use, clip).read(
            values[_SPEED], values[_START], values[_END], int(values[_MODE]), values[_PLACE]
        )

    def other(self, frame: ControlFrame, values: list[float]) -> np.ndarray | None:
        """The next row of the other sound, for its controls."""
        if not len(self._clips):
            return None
        return self._reader(_OTHER, int(frame.other_clip)).read(values[_OTHER_SPEED], 0.0, 1.0)

    def state(self) -> State:
        """Everything later rows depend on."""
        readers = {f"clip{use}_{clip}": reader for (use, clip), reader in self._readers.items()}
        used = np.array(sorted(self._readers), np.int64).reshape(-1, 2)
        return {**attributes(self, _STATE), "used": used, **gather({"wander": self._wander, **readers})}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
        scatter({"wander": self._wander}, state)
        self._readers.clear()
        for use, clip in state["used"].tolist():
            self._reader(use, clip).restore(under(f"clip{use}_{clip}", state))
