"""A disk of a few megabytes that one command has to itself, for tests of full ones."""

import subprocess
from pathlib import Path

import pytest

MOUNT = 'mount -t tmpfs -o size="$1"m tmpfs "$2" && shift 2 && exec "$@"'
"""Of its own file system in "$2", no other process knows."""


def small_disk(folder: Path, megabytes: int) -> list[str]:
    """A command that mounts such a disk in `folder` and becomes the command after it."""
    folder.mkdir()
    tried = []
    for flags in ("-rm", "-m"):  # as anybody, where the system lets anybody; as root
        command = ["unshare", flags, "sh", "-c", MOUNT, "sh", str(megabytes), str(folder)]
        done = subprocess.run([*command, "true"], capture_output=True, text=True)
        if done.returncode == 0:
            return command
        tried.append(done.stderr.strip())
    pytest.skip(f"no disk can be mounted here: {'; '.join(tried)}")  # what .ci/run does not let pass
