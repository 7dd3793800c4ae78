"""OSC packets to messages, safe against anything that comes by UDP.

python-osc reads single messages. Bundles are taken apart here: its own reader follows a negative element size
round and round for ever.
"""

import struct
from collections.abc import Iterator
from typing import Any

from pythonosc.osc_message import OscMessage

MAX_DEPTH = 4
MAX_MESSAGES = 64
MAX_ADDRESS = 128
MAX_ARGUMENTS = 256
TAGS = frozenset("ifsbdhtTFNrm[]")


class BadPacket(ValueError):
    """The packet is no OSC, or more than we take."""


def messages(packet: bytes) -> list[tuple[str, list[Any]]]:
    """(address, arguments) of every message in a packet, in order. Time tags are not waited for."""
    return list(_read(packet, 0))


def _read(packet: bytes, depth: int) -> Iterator[tuple[str, list[Any]]]:
    if packet.startswith(b"#bundle\0"):
        if depth >= MAX_DEPTH:
            raise BadPacket("bundles nested too deeply")
        yield from _bundle(packet, depth)
    else:
        yield _message(packet)


def _bundle(packet: bytes, depth: int) -> Iterator[tuple[str, list[Any]]]:
    at, count = 16, 0
    if len(packet) < at:
        raise BadPacket("a bundle without a time tag")
    while at < len(packet):
        if len(packet) - at < 4:
            raise BadPacket("a bundle's element without a size")
        (size,) = struct.unpack_from(">i", packet, at)
        at += 4
        if not 0 < size <= len(packet) - at or size % 4:
            raise BadPacket("a bundle's element of an impossible size")
        for message in _read(packet[at : at + size], depth + 1):
            count += 1
            if count > MAX_MESSAGES:
                raise BadPacket("too many messages in one bundle")
            yield message
        at += size


def _message(packet: bytes) -> tuple[str, list[Any]]:
    if not packet.startswith(b"/"):
        raise BadPacket("neither a message nor a bundle")
    end = packet.find(b"\0")
    if not 0 < end <= MAX_ADDRESS:
        raise BadPacket("no address, or a very long one")
    tags_at = end + 4 - end % 4
    tags = packet[tags_at : tags_at + MAX_ARGUMENTS + 1].partition(b"\0")[0].decode("latin-1")
    if tags and (tags[0] != "," or not TAGS.issuperset(tags[1:]) or tags.count("[") > MAX_DEPTH):
        raise BadPacket("unknown types")
    if len(tags) > MAX_ARGUMENTS:
        raise BadPacket("too many arguments")
    try:
        message = OscMessage(packet)
        return message.address, list(message.params)
    except Exception as error:  # it was written by anybody: whatever reading it raises, it is a bad packet
        raise BadPacket("not a message") from error
