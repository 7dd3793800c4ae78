"""A MIDI byte stream cut into whole messages: running status, real-time bytes in between, SysEx skipped.

Drivers mostly deliver whole messages already, but not all of them do, and none can be trusted to. mido reads
what a whole message means; its own stream parser knows no running status and loses a message that a clock
pulse interrupts, hence this one.
"""

from collections.abc import Iterable, Iterator

import mido

_DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
_SYSTEM_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}
_REAL_TIME = frozenset((0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF))


class ByteParser:
    """One of these for each input port; it keeps the running status."""

    def __init__(self) -> None:
        self._status = 0
        """Status that the next data bytes belong to; 0: none, they are skipped."""
        self._data: list[int] = []
        self._wanted = 0

    def feed(self, data: Iterable[int]) -> Iterator[mido.Message]:
        """Whole messages in `data` (what is no byte is skipped), without SysEx and active sensing."""
        for byte in data:
            if not isinstance(byte, int) or not 0 <= byte <= 255:
                continue
            message = self._status_byte(byte) if byte >= 0x80 else self._data_byte(byte)
            if message is not None and message[0] != 0xFE:
                yield mido.Message.from_bytes(message)

    def _status_byte(self, byte: int) -> list[int] | None:
        if byte in _REAL_TIME:
            return [byte]  # allowed anywhere, even inside another message
        self._data = []
        self._status = 0
        if byte < 0xF0:
            self._status, self._wanted = byte, _DATA_BYTES[byte & 0xF0]
        elif byte in _SYSTEM_DATA_BYTES:
            self._status, self._wanted = byte, _SYSTEM_DATA_BYTES[byte]
            if self._wanted == 0:
                self._status = 0
                return [byte]
        return None  # SysEx and undefined ones: their data bytes have no status and are skipped

    def _data_byte(self, byte: int) -> list[int] | None:
        if not self._status:
            return None
        self._data.append(byte)
        if len(self._data) < self._wanted:
            return None
        message = [self._status, *self._data]
        self._data = []
        if self._status >= 0xF0:
            self._status = 0  # system messages have no running status
        return message
