"""Checkpoints without pickle: tensors in one safetensors file, everything else as JSON in its header.

A checkpoint is written to a temporary file, flushed and renamed, so that a kill at any moment leaves the one
before intact.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write

NAME = "checkpoint.safetensors"


def _optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{key}": value if isinstance(value, Tensor) else torch.tensor(float(value))
        for index, entry in state.items()
        for key, value in entry.items()
    }


def save_checkpoint(
    path: Path, modules: dict[str, nn.Module], optimizers: dict[str, Optimizer], extra: dict[str, Any]
) -> None:
    """Write `modules` and `optimizers` (by name) and JSON-able `extra` to `path`."""
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        tensors |= {f"module.{name}.{k}": v for k, v in module.state_dict().items()}
    for name, optimizer in optimizers.items():
        tensors |= {f"optimizer.{name}.{k}": v for k, v in _optimizer_tensors(optimizer).items()}
    tensors = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    with atomic_write(path) as file:
        file.write(save(tensors, metadata={"extra": json.dumps(extra)}))


def load_checkpoint(
    path: Path, modules: dict[str, nn.Module], optimizers: dict[str, Optimizer] | None = None
) -> dict[str, Any]:
    """Restore what `save_checkpoint` wrote, in place; returns `extra`."""
    try:
        with safe_open(str(path), framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}
            extra = json.loads((file.metadata() or {})["extra"])
    except FileNotFoundError as error:
        raise NeurorackError(f"{path} does not exist: train first, or give the folder of a run.") from error
    except Exception as error:
        raise NeurorackError(f"{path} cannot be read as a checkpoint; delete it and train again.") from error
    for name, module in modules.items():
        prefix = f"module.{name}."
        module.load_state_dict({k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)})
    for name, optimizer in (optimizers or {}).items():
        prefix = f"optimizer.{name}."
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith(prefix):
                index, field = key[len(prefix) :].split(".", 1)
                state.setdefault(int(index), {})[field] = value
        current = optimizer.state_dict()
        optimizer.load_state_dict({"state": state, "param_groups": current["param_groups"]})
    return extra
