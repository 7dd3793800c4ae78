"""OSC over real UDP sockets: the whole instrument by addresses, a namespace to be discovered, floods."""

import asyncio
import json
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from neurorack.core.errors import NeurorackError
from neurorack.play.control import messages as m
from neurorack.play.control.message_parser import BadMessage
from neurorack.play.control.osc import packets
from neurorack.play.control.osc.addresses import addresses
from neurorack.play.control.osc.query import host_info, namespace
from neurorack.play.control.osc.server import BURST, OscServer
from neurorack.play.engine.params import PARAMS


def packet(address, *arguments):
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build().dgram


class Client:
    """A plain UDP socket that speaks OSC with the server."""

    def __init__(self, server):
        self.server = server
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)

    def send(self, data):
        self.socket.sendto(data, ("127.0.0.1", self.server.port))

    async def settle(self):
        """Until the server has taken in what was sent."""
        count = -1
        while count != (count := self.server.taken + self.server.refused + self.server.lost):
            await asyncio.sleep(0.02)

    def heard(self):
        """Address -> arguments of everything that has come back."""
        found = {}
        while True:
            try:
                found |= dict(packets.messages(self.socket.recv(65536)))
            except BlockingIOError:
                return found


def over_udp(hub, play):
    """Run `play(client)` against a server on a free port."""

    async def run():
        server = await OscServer.open(hub, 0)
        client = Client(server)
        try:
            await play(client)
        finally:
            server.close()
            client.socket.close()

    asyncio.run(run())


def test_a_performance_by_addresses(hub):
    async def play(client):
        for address, *arguments in (
            ("/note", 60, 0.5),
            ("/note", 60.0, 0.0),
            ("/param/life", 0.25),
            ("/param/voice_mode", "poly"),
            ("/param/attack_s/travel", 1.0),
            ("/control/brightness", 3.0),
            ("/control/brightness/release",),
            ("/control/pitch/origin", "live"),
            ("/gate", True),
            ("/gate", 0.0),
            ("/path", 0.1, 0.2, 0.3, 0.4),
            ("/route", 2, "lfo1", "brightness", 0.5),
            ("/preset/load", "Fog", 2.0),
            ("/keep",),
            ("/panic",),
        ):
            client.send(packet("/neurorack" + address, *arguments))
        await client.settle()

    over_udp(hub, play)
    assert hub.messages == [
        m.Note(True, 60, 0.5),
        m.Note(False, 60, 0.0),
        m.SetNumber("life", 0.25),
        m.SetNumber("voice_mode", 2.0),
        m.SetNumber("attack_s", 2.0),
        m.SetControl("brightness", 1.25),
        m.ReleaseControl("brightness"),
        m.SetOrigin("pitch", "live"),
        m.Gate(True),
        m.Gate(False),
        m.SetPath((0.1, 0.2, 0.3, 0.4)),
        m.Route(2, "lfo1", "brightness", 0.5),
        m.PresetLoad("Fog", 2.0),
        m.Keep(0.0),
        m.Panic(),
    ]
    assert hub.left == [1]  # closing lets the sender's keys go


def test_every_message_of_a_panel_has_an_address(hub):
    """Built from the table's own types, so that a new message without an address fails here."""
    examples = {"i": 0, "f": 0.0, "s": "near"}
    words = {"/source": "hold", "/clip/rename": "near"}
    said = set()
    for path, address in addresses(hub.instrument()["controls"]).items():
        types = address.types.replace("|", "").replace("*", "f")
        arguments = [words.get(path, examples[kind]) for kind in types]
        if path == "/route":
            arguments[1], arguments[5] = "lfo1", "linear"
        if path.endswith("/origin"):
            arguments = ["source"]
        said.add(type(address.message(arguments)))
        assert address.about.endswith(".")
    # What gathers sounds and makes instruments deletes files and starts a process: the page's alone.
    of_the_page = {m.Ping, m.Make, m.MakeStop, m.MaterialTitle, m.MaterialDelete}
    assert said == set(m.TYPES.values()) - of_the_page


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("/note", []),
        ("/note", [60.5, 1.0]),
        ("/note", [60, 2.0]),
        ("/note", ["60", 1.0]),
        ("/gate", [None]),
        ("/param/life", [float("nan")]),
        ("/param/life", [True]),
        ("/param/voice_mode", ["choir"]),
        ("/param/life/travel", [float("inf")]),
        ("/path", [0.1]),
        ("/clip", ["x" * 65]),
        ("/clip", [b"blob"]),
        ("/panic", [1]),
    ],
)
def test_wrong_arguments_are_refused(hub, path, arguments):
    try:
        message = addresses([])[path].message(arguments)
    except BadMessage:
        return
    assert path == "/param/life/travel" and message == m.SetNumber("life", 1.0)  # the end of its travel


def test_discovery_by_ping_state_and_oscquery(hub):
    async def play(client):
        client.send(packet("/neurorack/ping"))
        client.send(packet("/neurorack/state"))
        await client.settle()
        heard = client.heard()
        assert {"/neurorack/note", "/neurorack/param/life", "/neurorack/subscribe"} <= {
            *heard["/neurorack/pong"]
        }
        for spec in PARAMS:
            assert heard[f"/neurorack/param/{spec.name}"] == pytest.approx([spec.default], rel=1e-6)
        assert heard["/neurorack/source"] == ["hold"] and heard["/neurorack/instrument"] == ["winds"]

    over_udp(hub, play)

    tree = namespace(hub)
    json.dumps(tree, allow_nan=False)
    seen = {}

    def walk(node):
        seen[node["FULL_PATH"]] = node
        for name, child in node.get("CONTENTS", {}).items():
            assert child["FULL_PATH"].rstrip("/").rpartition("/")[2] == name
            walk(child)

    walk(tree)
    for path in addresses(hub.instrument()["controls"]):
        assert {"TYPE", "ACCESS", "DESCRIPTION"} <= seen["/neurorack" + path].keys()
    life = seen["/neurorack/param/life"]
    assert life["VALUE"] == [0.3] and life["RANGE"] == [{"MIN": 0.0, "MAX": 1.0}] and life["ACCESS"] == 3
    assert seen["/neurorack/param/life/travel"]["TYPE"] == "f"
    assert seen["/neurorack/source"]["RANGE"] == [{"VALS": list(m.SOURCES)}]
    assert seen["/neurorack/measured/brightness"]["ACCESS"] == 1
    assert host_info(7474)["OSC_PORT"] == 7474


def test_subscribers_hear_measurements_and_what_others_change(hub):
    async def play(client):
        other = Client(client.server)
        client.send(packet("/neurorack/subscribe", other.socket.getsockname()[1]))
        await client.settle()
        assert other.heard()["/neurorack/param/life"] == pytest.approx([0.3])  # begins with all values
        hub.numbers["life"], hub.asked["pitch"] = 0.9, 0.5
        hub.emit("state", {})
        hub.emit(
            "telemetry",
            {"measured": [0.1, None, 0.3], "measured_physical": [1, 2, 3], "measuring": True, "voices": 2},
        )
        heard = other.heard()
        assert heard["/neurorack/param/life"] == pytest.approx([0.9])
        assert heard["/neurorack/control/pitch"] == [0.5]
        assert heard["/neurorack/measured/brightness"] == pytest.approx([0.3, 3.0])
        assert heard["/neurorack/voices"] == [2] and "/neurorack/measured/loudness" not in heard
        assert "/neurorack/param/width" not in heard  # it did not change
        del hub.asked["pitch"]
        hub.emit("state", {})
        assert "/neurorack/control/pitch/release" in other.heard()
        client.send(packet("/neurorack/unsubscribe", other.socket.getsockname()[1]))
        await client.settle()
        hub.emit("telemetry", {"voices": 1})
        assert other.heard() == {}
        for bad in (70_000, "me", -1):
            client.send(packet("/neurorack/subscribe", bad))
        await client.settle()
        assert client.server.refused == 3
        other.socket.close()

    over_udp(hub, play)


def bundle(*contents):
    builder = OscBundleBuilder(IMMEDIATELY)
    for content in contents:
        builder.add_content(content)
    return builder.build()


def test_bundles_within_reason(hub):
    tap = OscMessageBuilder("/neurorack/tap").build()
    inner = bundle(tap, tap)
    assert len(packets.messages(bundle(inner, tap).dgram)) == 3
    deep = inner
    for _ in range(5):
        deep = bundle(deep)
    endless = b"#bundle\0" + b"\0" * 8 + struct.pack(">i", -4) + b"\0" * 8
    for bad in (deep.dgram, bundle(*[tap] * 65).dgram, endless, b"#bundle\0", b"", b"/", b"/a\0\0,[[[[["):
        with pytest.raises(packets.BadPacket):
            packets.messages(bad)


PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"#bundle\0", b"/neurorack/note\0", b",if\0", b"\0\0\0<", struct.pack(">i", -8)]),
    st.builds(lambda n: struct.pack(">i", n), st.integers(-(2**31), 2**31 - 1)),
)


@given(st.lists(PIECES, max_size=8).map(b"".join))
def test_any_packet_is_read_or_refused(data):
    try:
        assert len(packets.messages(data)) <= packets.MAX_MESSAGES
    except packets.BadPacket:
        pass


def test_a_flood_of_nonsense_and_of_sense_is_survived(hub):
    import random

    rng = random.Random(7)

    async def play(client):
        for i in range(3000):
            client.send(rng.randbytes(rng.randrange(200)))
            client.send(packet("/neurorack/param/life", (i % 100) / 100))
            if i % 20 == 0:
                await asyncio.sleep(0.001)
        await client.settle()
        server = client.server
        assert server.refused > 100 and server.taken > 100
        server._senders["127.0.0.1"].tokens = -1e9
        hub.said.clear()
        client.send(packet("/neurorack/note", 60, 1.0))
        await client.settle()
        assert server.lost > 0 and hub.said == []
        server._senders["127.0.0.1"].tokens = BURST
        client.send(packet("/neurorack/note", 61, 1.0))
        await client.settle()
        assert hub.messages == [m.Note(True, 61, 1.0)] and hub.left  # what it held was let go first

    over_udp(hub, play)


def test_a_taken_port_is_one_sentence(hub):
    async def run():
        server = await OscServer.open(hub, 0)
        with pytest.raises(NeurorackError, match="--osc"):
            await OscServer.open(hub, server.port)
        server.close()

    asyncio.run(run())
