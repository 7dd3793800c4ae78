"""Numpy arrays from strangers: .npy and .npz read from memory, without pickle, sized before allocation."""

import io
import math
import tokenize

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.safe_zip import pack, unzip

_NPZ_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,63}\.npy"


def npy_bytes(array: np.ndarray) -> bytes:
    """The .npy file (version 1.0) of a C-contiguous little-endian copy of `array`."""
    array = np.asarray(array)
    if array.dtype.kind not in "fiub":
        raise NeurorackError(f"Arrays of type {array.dtype} cannot be stored; use numbers.")
    buffer = io.BytesIO()
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)
    np.lib.format.write_array(buffer, little, version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def npy_array(data: bytes) -> np.ndarray:
    """Read-only array of the .npy file `data`; refuses pickles, records and sizes that do not fit."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        elif version == (2, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
        else:
            raise ValueError(f"version {version}")
    except (
        ValueError,
        SyntaxError,
        tokenize.TokenError,
        TypeError,
        RecursionError,
        MemoryError,
        KeyError,
    ) as error:
        raise NeurorackError("it is not a readable .npy array; export it again") from error
    if dtype.kind not in "fiub" or dtype.hasobject or dtype.byteorder == ">":
        raise NeurorackError(
            "it is not an array of plain little-endian numbers; export it again without pickle"
        )
    body = data[stream.tell() :]
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != len(body):
        raise NeurorackError(f"its {len(body)} bytes do not fill the shape {shape}; export it again")
    return np.frombuffer(body, dtype=dtype).reshape(shape, order="F" if fortran else "C")


def npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """An uncompressed .npz of `arrays`."""
    return pack({f"{name}.npy": npy_bytes(array) for name, array in arrays.items()})


def npz_arrays(data: bytes) -> dict[str, np.ndarray]:
    """Arrays of the .npz file `data`, by name; the same limits as for a whole instrument."""
    return {name.removesuffix(".npy"): npy_array(body) for name, body in unzip(data, _NPZ_NAME).items()}
