"""WavFile: a float32 WAV that is whole at every moment: its sizes are written again as it grows."""

import struct
from pathlib import Path

import numpy as np

HEADER_BYTES = 58
MOST_BYTES = 2**32 - 2**16
"""A WAV counts its bytes in 32 bits: 3 hours 22 minutes of stereo at 44.1 kHz."""


def wav_header(sample_rate: int, channels: int, samples: int) -> bytes:
    """Header (HEADER_BYTES) of a WAV of float32 samples, `samples` per channel."""
    data = 4 * channels * samples
    form = struct.pack("<HHIIHHH", 3, channels, sample_rate, 4 * channels * sample_rate, 4 * channels, 32, 0)
    return (
        struct.pack("<4sI4s4sI", b"RIFF", HEADER_BYTES - 8 + data, b"WAVE", b"fmt ", len(form))
        + form
        + struct.pack("<4sII", b"fact", 4, samples)
        + struct.pack("<4sI", b"data", data)
    )


class WavFile:
    """Created anew at `path`; raises OSError as the disk does. `samples` per channel are safe in it."""

    def __init__(self, path: Path, sample_rate: int, channels: int) -> None:
        self._rate, self._channels = sample_rate, channels
        self._file = path.open("xb", buffering=0)
        self.samples = 0
        self._file.write(wav_header(sample_rate, channels, 0))

    @property
    def full(self) -> bool:
        """Whether a WAV can hold no more."""
        return HEADER_BYTES + 4 * self._channels * self.samples > MOST_BYTES - 2**22

    def write(self, audio: np.ndarray) -> None:
        """Append float32 [channels, n]. When the disk is full, what fits is kept and OSError raised."""
        data = memoryview(np.ascontiguousarray(audio.T, "<f4").tobytes())
        size = 4 * self._channels
        end = HEADER_BYTES + size * (self.samples + audio.shape[1])
        try:
            while data:
                data = data[self._file.write(data) or 0 :]
        finally:
            written = end - len(data) - HEADER_BYTES
            self.samples = written // size

    def update(self) -> None:
        """Make the header say how long it is."""
        self._file.seek(0)
        self._file.write(wav_header(self._rate, self._channels, self.samples))
        self._file.seek(HEADER_BYTES + 4 * self._channels * self.samples)

    def close(self) -> None:
        """Complete the file: a frame that was cut by a full disk is cut off."""
        try:
            self._file.truncate(HEADER_BYTES + 4 * self._channels * self.samples)
            self.update()
        finally:
            self._file.close()


def complete_wav(path: Path) -> None:
    """Make the header of a float32 WAV of ours, left by a crash, say how long the file is."""
    with path.open("r+b") as file:
        header = file.read(HEADER_BYTES)
        channels, sample_rate = struct.unpack_from("<HI", header, 22)
        samples = (path.stat().st_size - HEADER_BYTES) // (4 * channels)
        file.truncate(HEADER_BYTES + 4 * channels * samples)
        file.seek(0)
        file.write(wav_header(sample_rate, channels, samples))
