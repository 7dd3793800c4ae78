"""OscServer: packets in, messages to the hub; measurements, changes and answers out."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from neurorack.core.errors import NeurorackError
from neurorack.play.control.hands import Hub
from neurorack.play.control.message_parser import BadMessage
from neurorack.play.control.osc import packets
from neurorack.play.control.osc.addresses import ROOT, Address, addresses
from neurorack.play.control.osc.query import ASKING, TOLD, values_of

MAX_PACKET = 8192
PACKET_VALUES = 40
"""Values in one outgoing bundle: it must fit into what networks carry in one piece."""
RATE_HZ, BURST = 2000.0, 4000.0
"""Messages that one sender may send a second, and at once."""
MAX_SENDERS = 32
MAX_SUBSCRIBERS = 8
SUBSCRIBED_S = 60.0
"""A subscription ends when its host has said nothing for so long."""
Peer = tuple[str, int]


@dataclass
class _Sender:
    """A host that sends: its keys are one hand's, whatever port each packet came from."""

    hand: int
    tokens: float
    seen_s: float
    lost: bool = False
    """Messages were lost since its keys were let go."""


class OscServer(asyncio.DatagramProtocol):
    """Everything on the event loop's thread. `taken`, `refused` and `lost` count messages."""

    def __init__(self, hub: Hub) -> None:
        self.taken = self.refused = self.lost = 0
        self._hub = hub
        self._transport: asyncio.DatagramTransport | None = None
        self._senders: dict[str, _Sender] = {}
        self._subscribers: dict[Peer, None] = {}
        self._values: dict[str, Any] = {}
        self._table: dict[str, Address] = {}
        self._table_of: Any = None
        self._unsubscribe = hub.subscribe(self._news, lambda: bool(self._subscribers))

    @classmethod
    async def open(cls, hub: Hub, port: int, lan: bool = False) -> "OscServer":
        """Listen on 127.0.0.1, or, with `lan`, to the whole network. NeurorackError if the port is taken."""
        server = cls(hub)
        host = "0.0.0.0" if lan else "127.0.0.1"
        try:
            await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: server, (host, port), family=socket.AF_INET
            )
        except OSError as error:
            server._unsubscribe()
            raise NeurorackError(
                f"OSC cannot listen on port {port} ({error.strerror}): choose another with --osc."
            ) from error
        return server

    @property
    def port(self) -> int:
        """The UDP port; 0 when closed."""
        return self._transport.get_extra_info("sockname")[1] if self._transport else 0

    def close(self) -> None:
        """Stop listening; every sender lets go of its keys."""
        self._unsubscribe()
        for sender in self._senders.values():
            self._hub.leave(sender.hand)
        self._senders.clear()
        self._subscribers.clear()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    # asyncio's side

    def connection_made(self, transport: Any) -> None:
        """asyncio: the socket is open."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        """asyncio: a packet came."""
        sender = self._sender(addr[0])
        if not self._may_speak(sender):
            self.lost += 1
            sender.lost = True
            return
        if sender.lost:  # the end of a note may have been lost: none hangs
            sender.lost = False
            self._hub.leave(sender.hand)
        try:
            if len(data) > MAX_PACKET:
                raise packets.BadPacket("too long")
            said = packets.messages(data)
        except packets.BadPacket:
            self.refused += 1
            return
        sender.tokens -= len(said) - 1
        for address, arguments in said:
            try:
                self._carry_out(sender, addr, address, arguments)
                self.taken += 1
            except BadMessage:
                self.refused += 1

    def error_received(self, exc: Exception) -> None:
        """asyncio: a subscriber's port is closed; its subscription ends by itself."""

    # What is said

    def _sender(self, host: str) -> _Sender:
        sender = self._senders.get(host)
        now = time.monotonic()
        if sender is None:
            if len(self._senders) >= MAX_SENDERS:
                longest = min(self._senders, key=lambda h: self._senders[h].seen_s)
                self._hub.leave(self._senders.pop(longest).hand)
            sender = self._senders[host] = _Sender(self._hub.hand(), BURST, now)
        sender.tokens = min(BURST, sender.tokens + (now - sender.seen_s) * RATE_HZ)
        sender.seen_s = now
        return sender

    def _may_speak(self, sender: _Sender) -> bool:
        """After a loss a sender waits until it has a little in hand, so that silence is not chopped up."""
        if sender.tokens < (BURST / 10 if sender.lost else 1.0):
            return False
        sender.tokens -= 1.0
        return True

    def _carry_out(self, sender: _Sender, peer: Peer, address: str, arguments: list[Any]) -> None:
        if not address.startswith(ROOT + "/"):
            raise BadMessage("not an address of ours")
        path = address[len(ROOT) :]
        match path:
            case "/ping":
                self._send(peer, [("/pong", sorted(ROOT + path for path in (*self._addresses(), *ASKING)))])
            case "/state":
                self._send(peer, [(path, [value]) for path, value in values_of(self._hub).items()])
            case "/subscribe" | "/unsubscribe":
                self._set_subscription(_reply_to(peer, arguments), path == "/subscribe")
            case _:
                found = self._addresses().get(path)
                if found is None:
                    raise BadMessage("not an address of ours")
                self._hub.perform(sender.hand, found.message(arguments))

    def _addresses(self) -> dict[str, Address]:
        instrument = self._hub.instrument()
        if instrument is not self._table_of:
            self._table_of = instrument
            self._table = addresses(instrument["controls"])
        return self._table

    def _set_subscription(self, peer: Peer, on: bool) -> None:
        self._subscribers.pop(peer, None)
        if on:
            if len(self._subscribers) >= MAX_SUBSCRIBERS:
                del self._subscribers[next(iter(self._subscribers))]
            self._subscribers[peer] = None
            values = values_of(self._hub)
            self._values = self._values or values
            self._send(peer, [(path, [value]) for path, value in values.items()])

    # What is told

    def _news(self, kind: str, data: dict[str, Any]) -> None:
        self._forget_silent()
        if not self._subscribers:
            self._values = {}
        elif kind == "telemetry":
            self._tell(_measurements(self._hub, data))
        elif kind in ("state", "hello"):
            values = values_of(self._hub)
            changed = [(p, [v]) for p, v in values.items() if p not in self._values or self._values[p] != v]
            released: list[tuple[str, list[Any]]] = [
                (p + "/release", [])
                for p in self._values
                if p not in values and p.startswith("/control/") and p.count("/") == 2
            ]
            self._tell([*changed, *released])
            self._values = values

    def _forget_silent(self) -> None:
        now = time.monotonic()
        for peer in list(self._subscribers):
            sender = self._senders.get(peer[0])
            if sender is None or now - sender.seen_s > SUBSCRIBED_S:
                del self._subscribers[peer]

    def _tell(self, values: list[tuple[str, list[Any]]]) -> None:
        for packet in _bundles(values):
            for peer in self._subscribers:
                self._write(peer, packet)

    def _send(self, peer: Peer, values: list[tuple[str, list[Any]]]) -> None:
        for packet in _bundles(values):
            self._write(peer, packet)

    def _write(self, peer: Peer, packet: bytes) -> None:
        if self._transport is not None:
            with contextlib.suppress(OSError):  # nobody there, or the network is away
                self._transport.sendto(packet, peer)


def _reply_to(peer: Peer, arguments: list[Any]) -> Peer:
    """Answers go to the sender's host only, so that nobody can point us at somebody else."""
    if not arguments:
        return peer
    port = int(arguments[0]) if isinstance(arguments[0], int | float) else 0
    if len(arguments) > 1 or not 0 < port < 65536:
        raise BadMessage("not a port")
    return peer[0], port


def _measurements(hub: Hub, telemetry: dict[str, Any]) -> list[tuple[str, list[Any]]]:
    told: list[tuple[str, list[Any]]] = []
    names = [control["name"] for control in hub.instrument()["controls"]]
    for kind in ("measured", "asked"):
        normalised, physical = telemetry.get(kind) or [], telemetry.get(f"{kind}_physical") or []
        if kind == "measured" and not telemetry.get("measuring", True):
            continue
        for name, *pair in zip(names, normalised, physical, strict=False):
            if None not in pair:
                told.append((f"/{kind}/{name}", [float(value) for value in pair]))
    for name, value in zip(names, telemetry.get("proposed") or [], strict=False):
        if value is not None:
            told.append((f"/proposed/{name}", [float(value)]))
    for path, (types, _) in TOLD.items():
        value = telemetry.get(path[1:])
        if value is not None:
            told.append((path, [int(value) if types == "i" else float(value)]))
    return told


def _bundles(values: list[tuple[str, list[Any]]]) -> Iterable[bytes]:
    """Packets of at most PACKET_VALUES messages."""
    for start in range(0, len(values), PACKET_VALUES):
        bundle = OscBundleBuilder(IMMEDIATELY)
        for path, arguments in values[start : start + PACKET_VALUES]:
            message = OscMessageBuilder(ROOT + path)
            for argument in arguments:
                message.add_arg(argument)
            bundle.add_content(message.build())
        yield bundle.build().dgram
