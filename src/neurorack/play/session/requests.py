"""What HTTP requests ask of the session: sounds, tunings and instruments that were dropped on the panel."""

from typing import Any

from neurorack.core.errors import NeurorackError
from neurorack.play.session.hub import Hub


async def answer(hub: Hub, said: dict[str, Any]) -> dict[str, Any]:
    """The answer to {"what": …, …}. Raises NeurorackError where the request is refused."""
    raise NeurorackError("This cannot be done here.")
