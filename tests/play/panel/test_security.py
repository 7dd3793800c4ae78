"""Nobody but the panel's own page gets in, and no flood of nonsense reaches the sound."""

import asyncio
import json

import aiohttp
import pytest
from playing import Player


async def _status(player: Player, path: str, headers: dict | None = None) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.get(player.origin + path, headers=headers) as answer,
    ):
        return answer.status


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 403),
        ("/?token=guess", {}, 403),
        ("/main.js", {}, 403),
        ("/?token={token}", {}, 200),
        ("/?token={token}", {"Host": "evil.example:7373"}, 403),
        ("/?token={token}", {"Origin": "http://evil.example"}, 403),
        ("/main.js?token={token}", {}, 200),
        ("/..%2fserver.py?token={token}", {}, 404),
        ("/input?rate=0&token={token}", {}, 400),
    ],
)
def test_who_gets_what(player, path, headers, status):
    assert asyncio.run(_status(player, path.format(token=player.token), headers)) == status


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://127.0.0.1:1"])
def test_sockets_refuse_foreign_origins(player, origin):
    async def knock(path: str) -> int:
        headers = {"Origin": origin} if origin else {}
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{player.origin}/{path}?token={player.token}", headers=headers)
            return refused.value.status

    for path in ("ws", "audio", "input"):
        assert asyncio.run(knock(path)) == 403


def test_a_flood_of_nonsense_leaves_the_sound_alone(player):
    async def frames(socket: aiohttp.ClientWebSocketResponse, count: int = 3) -> list[dict]:
        seen: list[dict] = []
        while len(seen) < count:
            message = json.loads((await socket.receive(5)).data)
            if message["type"] == "telemetry":
                seen.append(message)
        return seen

    async def flood(session: aiohttp.ClientSession) -> int:
        socket = await session.ws_connect(f"{player.origin}/ws?token={player.token}")
        try:
            for i in range(6000):
                await socket.send_str('{"type":"control","name":[' + "9" * (i % 50))
        except ConnectionError:
            pass
        await socket.close()
        return socket.close_code or 0

    async def scene() -> None:
        async with aiohttp.ClientSession(headers={"Origin": player.origin}) as session:
            good = await session.ws_connect(f"{player.origin}/ws?token={player.token}")
            before = (await frames(good))[-1]
            floods = [asyncio.create_task(flood(session)) for _ in range(3)]
            mic = await session.ws_connect(f"{player.origin}/input?rate=48000&token={player.token}")
            await mic.send_bytes(b"odd")
            await mic.send_bytes(b"\xff" * 4096)  # NaN
            during = await frames(good, 30)
            for task in floods:
                task.cancel()
            assert during[-1]["frames"] > before["frames"]
            assert during[-1]["status"]["restarts"] == before["status"]["restarts"]
            assert during[-1]["non_finite"] == before["non_finite"]
            await mic.send_bytes(b"\x00" * 100_000)  # too large: only this socket ends
            assert (await mic.receive(5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
            await good.send_str(json.dumps({"type": "ping", "time": 1}))
            while json.loads((await good.receive(5)).data)["type"] != "pong":
                pass

    asyncio.run(scene())
