"""Ports of this machine."""

import socket
import time

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port of loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Whether nobody else could listen on a port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def becomes_free(port: int, *, seconds: float) -> bool:
    """Whether a port of loopback is free, now or within `seconds`."""
    deadline = time.monotonic() + seconds
    while is_taken(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
