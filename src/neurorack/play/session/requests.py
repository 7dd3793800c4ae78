"""What HTTP requests ask of the session: sounds, tunings and instruments that were dropped on the panel."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.library import user_dir
from neurorack.core.nrk import read_nrk
from neurorack.play.control.osc.query import host_info, namespace
from neurorack.play.control.tuning import save_tuning
from neurorack.play.session.hub import Hub
from neurorack.play.session.presets import slug


async def answer(hub: Hub, said: dict[str, Any]) -> dict[str, Any]:
    """The answer to {"what": …, …}. Raises NeurorackError where the request is refused."""
    match said:
        case {"what": "sound", "path": path, "name": name}:
            return {"id": await hub.add_sound(Path(path), Path(name).stem)}
        case {"what": "material", "path": path, "name": name, "set": identity, "title": title}:
            return {"set": await hub.gathering.add(identity, title, Path(name).stem, Path(path))}
        case {"what": "tuning", "path": path, "name": name}:
            data = await asyncio.to_thread(Path(path).read_bytes)
            kept = await asyncio.to_thread(save_tuning, name, data)
            hub.refresh_tunings()
            return {"name": kept}
        case {"what": "instrument", "path": path}:
            name = await asyncio.to_thread(_install, Path(path))
            await hub.refresh_instruments()
            return {"name": name}
        case {"what": "osc", "host_info": True}:
            return host_info(hub.inputs["osc"])
        case {"what": "osc"}:
            return namespace(hub)
    raise NeurorackError("This cannot be done here.")


def _install(path: Path) -> str:
    """Verify a .nrk and copy it into the player's folder; the instrument's name."""
    try:
        manifest = read_nrk(path).manifest
    except NeurorackError as error:
        raise NeurorackError(str(error).replace(str(path), "That file")) from error
    with atomic_write(user_dir() / f"{slug(manifest.name)}.nrk") as file, path.open("rb") as source:
        shutil.copyfileobj(source, file)
    return manifest.name
