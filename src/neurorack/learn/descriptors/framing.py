"""Audio to analysis windows: one row per frame, by a single gather (streaming) or a view (offline)."""

import torch
from torch import Tensor

from neurorack.core.timebase import HOP


def stream_windows(audio: Tensor, state: Tensor, window: int, hop: int) -> tuple[Tensor, Tensor]:
    """Windows that end with each hop of `audio`, and the history the next call needs.

    audio [B, hop*T], state [B, window - hop] (the samples before `audio`; zeros start a stream).
    Returns windows [B, T, window] and state_out [B, window - hop]. Exports as one Gather, no loop.
    """
    joined = torch.cat([state, audio], dim=1)
    blocks = joined.reshape(joined.shape[0], -1, hop)
    count = audio.shape[1] // hop
    per_window = window // hop
    index = torch.arange(count, device=audio.device)[:, None] + torch.arange(per_window, device=audio.device)
    # index_select is one Gather; indexing would export as two transpositions around a slower operator.
    windows = blocks.index_select(1, index.flatten()).reshape(joined.shape[0], count, window)
    return windows, joined[:, -(window - hop) :]


def offline_windows(audio: Tensor, window: int, every: int) -> Tensor:
    """View [B, T // every, window]: windows that end with frames every-1, 2*every-1, … of `audio` [B, HOP*T].

    Silence precedes the audio, as in a stream started from zeros.
    """
    step = HOP * every
    history = torch.zeros(audio.shape[0], window - HOP, device=audio.device, dtype=audio.dtype)
    joined = torch.cat([history, audio], dim=1)[:, (every - 1) * HOP :]
    if joined.shape[1] < window:
        return joined.new_zeros(audio.shape[0], 0, window)
    return joined.unfold(1, window, step)
