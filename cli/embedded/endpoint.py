"""Where a server listens: a unix socket in a short private folder, else a loopback port.

A choice once made is kept where possible, so that addresses survive a restart of the server.
"""

import os
import re
import shutil
import socket
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cli.embedded.processes import Account

LOOPBACK = "127.0.0.1"
_FOLDER_PREFIX = "careloop-"
# sun_path holds 104 bytes on macOS and 108 on Linux; a folder's name and a socket's take up to 36.
_LONGEST_PARENT = 103 - 36
# Clients parse URLs in their own ways, so nothing in the path may need quoting.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`folder` holds the server's socket; without a folder it listens on a loopback port."""

    folder: Path | None
    port: int

    @property
    def is_lost(self) -> bool:
        """Whether the folder was cleaned away: whoever listens there cannot be reached."""
        return self.folder is not None and not self.folder.exists()


def choose_endpoint(remembered: Endpoint | None, *, account: Account, port: int) -> Endpoint:
    """A usable endpoint: the remembered one if possible, else a new socket, else a free port.

    `port` is the number to go with a socket (PostgreSQL names its socket by it).
    """
    if remembered is not None and _is_usable(remembered, account):
        return remembered
    folder = _new_folder(account)
    return Endpoint(folder, port) if folder else Endpoint(None, _free_port())


def release(endpoint: Endpoint) -> None:
    """Remove what a stopped server leaves of its endpoint."""
    if endpoint.folder is not None and endpoint.folder.name.startswith(_FOLDER_PREFIX):
        shutil.rmtree(endpoint.folder, ignore_errors=True)


def _is_usable(endpoint: Endpoint, account: Account) -> bool:
    if endpoint.folder is None:
        return _is_free(endpoint.port)
    try:
        endpoint.folder.mkdir(mode=0o700)
        account.give(endpoint.folder)
    except FileExistsError:
        pass
    except OSError:
        return False
    return _is_private(endpoint.folder, account) and _takes_sockets(endpoint.folder, account)


def _new_folder(account: Account) -> Path | None:
    parent = Path(tempfile.gettempdir())
    if len(os.fsencode(parent)) > _LONGEST_PARENT or not _PLAIN_PATH.fullmatch(str(parent)):
        return None
    try:
        folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX, dir=parent))
        account.give(folder)
    except OSError:
        return None
    return folder if _takes_sockets(folder, account) else None


def _is_private(folder: Path, account: Account) -> bool:
    """Temporary folders are open to all: another user may have made one of this name first."""
    info = folder.lstat()
    return stat.S_ISDIR(info.st_mode) and info.st_uid == account.uid and not info.st_mode & 0o077


def _takes_sockets(folder: Path, account: Account) -> bool:
    """Empty the folder of a dead server's sockets and see whether a new one can be made."""
    trial = folder / "trial"
    try:
        for leftover in folder.iterdir():
            leftover.unlink()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(trial))
        trial.unlink()
        return account.may_pass(folder)
    except OSError:
        return False


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except (OSError, OverflowError):
            return False
    return True


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port
