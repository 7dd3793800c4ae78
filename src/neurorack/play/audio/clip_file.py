"""The file in which the session hands latent clips to the audio process: an .npz of arrays c0, c1, …"""

import zipfile

import numpy as np

from neurorack.core.errors import NeurorackError

MAX_CLIPS = 512


def read_clips(path: str, rows: int) -> list[np.ndarray]:
    """The clips in playing order, each float32 [rows, T]. Raises NeurorackError if one does not fit."""
    try:
        with np.load(path, allow_pickle=False) as file:
            clips = [np.ascontiguousarray(file[f"c{i}"], np.float32) for i in range(len(file.files))]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise NeurorackError(f"The clips {path} cannot be read ({error}): load them again.") from error
    for i, clip in enumerate(clips):
        if clip.ndim != 2 or clip.shape[0] != rows or clip.shape[1] < 1 or not np.isfinite(clip).all():
            raise NeurorackError(
                f"Clip {i} has the shape {clip.shape}, this instrument needs {rows} rows of finite numbers: "
                "encode the sound again with this instrument."
            )
    if len(clips) > MAX_CLIPS:
        raise NeurorackError(f"There are {len(clips)} clips: delete some, the player takes {MAX_CLIPS}.")
    return clips
