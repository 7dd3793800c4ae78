"""Sounds inside the page: FLAC, which every browser plays and which hides and adds nothing."""

import base64
import html
import io

import numpy as np
import soundfile


def player(audio: np.ndarray, sample_rate: int, label: str) -> str:
    """<audio> with a sound [N], float or int16, inside as 16-bit FLAC."""
    if audio.dtype != np.int16:
        audio = np.clip(np.rint(audio * 32767.0), -32768, 32767).astype(np.int16)
    data = io.BytesIO()
    soundfile.write(data, audio, sample_rate, format="FLAC", subtype="PCM_16")
    text = base64.b64encode(data.getvalue()).decode()
    return (
        f'<audio controls preload="none" aria-label="{html.escape(label)}" '
        f'src="data:audio/flac;base64,{text}"></audio>'
    )


def as_float(audio: np.ndarray) -> np.ndarray:
    """int16 or float -> float32 in [-1, 1]."""
    return audio.astype(np.float32) / np.float32(32767) if audio.dtype == np.int16 else audio
