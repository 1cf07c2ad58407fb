"""Locks between processes on one data folder. The kernel frees them when their holder is killed."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.embedded.errors import ServerBusy
from cli.embedded.processes import wait_until


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def exclusive(path: Path, *, timeout: float) -> Iterator[None]:
    """Hold the lock `path` alone. Raises ServerBusy after `timeout` seconds of waiting."""
    descriptor = _open(path)
    try:
        if not wait_until(lambda: _try_lock(descriptor, fcntl.LOCK_EX), timeout=timeout):
            raise ServerBusy(path, waited=timeout)
        yield
    finally:
        os.close(descriptor)


class Membership:
    """Who uses a server: each user shares one lock, so the last to leave can tell that it is.

    Call its methods only while holding the server's exclusive lock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def join(self) -> bool:
        """Become a user; False when this object was one already."""
        if self._descriptor is not None:
            return False
        descriptor = _open(self._path)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        self._descriptor = descriptor
        return True

    def leave(self) -> None:
        """Stop being a user; nothing happens when this object is none."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def is_deserted(self) -> bool:
        """Whether nobody, in any process, uses the server."""
        descriptor = _open(self._path)
        try:
            return _try_lock(descriptor, fcntl.LOCK_EX)
        finally:
            os.close(descriptor)
