"""Fixed tables of a module: buffers that move with it, export with it, and stay out of checkpoints."""

import numpy as np
import torch
from torch import nn


def put_constant(module: nn.Module, name: str, array: np.ndarray) -> None:
    """Register `array` as non-persistent buffer `name`: float32, or int64 for an index."""
    dtype = np.int64 if np.issubdtype(array.dtype, np.integer) else np.float32
    module.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array, dtype=dtype)), persistent=False)
