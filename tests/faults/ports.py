"""Ports for servers that are killed and come back to the same one."""

import random
import socket
from typing import Final

from cli.ports import LOOPBACK

# Below those that systems give to outgoing connections: one of these would take the port of a
# server that is away for a second, and keep it.
_FROM: Final = range(12_000, 30_000)
_TRIES: Final = 100


def lasting_port() -> int:
    """A port that nobody listens on, and that nobody gets by accident."""
    for _ in range(_TRIES):
        port = random.choice(_FROM)
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
