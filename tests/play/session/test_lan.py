"""--lan opens the panel to other machines: by address and with the token only."""

import asyncio

import aiohttp
import pytest
from playing import playing

from neurorack.play.panel.address import HOST, lan_address


def test_other_machines_need_the_address_and_the_token(home):
    here = lan_address()
    if here == HOST:
        pytest.skip("this machine has no network")

    async def scene(port: int, token: str) -> None:
        async with aiohttp.ClientSession() as session:

            async def status(path: str, **headers: str) -> int:
                async with session.get(f"http://{here}:{port}{path}", headers=headers) as answer:
                    return answer.status

            assert await status(f"/?token={token}") == 200
            assert await status("/?token=guess") == 403
            assert await status(f"/?token={token}", Host="evil.example") == 403
            assert await status(f"/?token={token}", Origin="http://evil.example") == 403

    with playing(home, "tiny", "--backend", "null", "--lan", "--no-osc", "--midi", "none") as player:
        assert here in player.url
        asyncio.run(scene(player.told["port"], player.token))
    with playing(home, "tiny", "--backend", "null", "--no-osc", "--midi", "none") as player:

        async def refused() -> None:
            async with aiohttp.ClientSession() as session:
                with pytest.raises(aiohttp.ClientConnectionError):
                    await session.get(f"http://{here}:{player.told['port']}/?token={player.token}")

        asyncio.run(refused())
