"""Where the panel is: its listening socket, its address, the key to it."""

import errno
import secrets
import socket

from neurorack.core.errors import NeurorackError

HOST, ANY_HOST = "127.0.0.1", "0.0.0.0"


def new_token() -> str:
    """128 random bits, safe in an address."""
    return secrets.token_urlsafe(16)


def bind(port: int, lan: bool = False) -> socket.socket:
    """A listening socket on `port` (0: any free port) of this machine alone, or of all its addresses;
    NeurorackError if the port is taken or forbidden.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows: SO_REUSEADDR would share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ANY_HOST if lan else HOST, port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            taken = error.errno == errno.EADDRINUSE
            what = "is taken (is another neurorack playing?)" if taken else "is reserved"
            raise NeurorackError(f"Port {port} {what}: choose another with --port, or 0 for any.") from error
        raise
    return listener


def lan_address() -> str:
    """The address by which other machines most likely reach this one; 127.0.0.1 if it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation; nothing is sent
        except OSError:
            return HOST
        return probe.getsockname()[0]
