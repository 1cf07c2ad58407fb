"""What can go wrong with an embedded server, said so that a user can act on it.

EmbeddedServerError
├── ProgramsMissing        no wheel with programs for this platform
├── DataFolderUnusable     another owner, another version, not ours, no permission
├── DiskFull
├── ServerBusy             another process is starting or stopping it and does not finish
├── ServerNotStarted       asked for the address of a server that was never started
├── ServerStartFailed      it ended or never answered; carries the end of its log
└── ServerStopFailed       it ignored every signal
"""

import errno
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

LOG_LINES_SHOWN = 12
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_NO_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)


class EmbeddedServerError(Exception):
    """Root of this tree; the message is one a user can act on."""


class ProgramsMissing(EmbeddedServerError):
    """No installed package brings programs that run here."""

    def __init__(self, title: str, *, packages: Sequence[str], url_variable: str) -> None:
        names = " nor ".join(name.replace("_", "-") for name in packages)
        super().__init__(
            f"There is no embedded {title} for this platform ({platform.system()}"
            f" {platform.machine()}): neither {names} is installed with programs that run here."
            f" Install one of them, or set {url_variable} to a server of your own."
        )


class DataFolderUnusable(EmbeddedServerError):
    """The data folder, or a file beside it, cannot be used as it is."""


class DiskFull(EmbeddedServerError):
    """There is no room for the server's files."""

    def __init__(self, title: str, folder: Path) -> None:
        super().__init__(
            f"The disk that holds {folder} is full: {title} cannot write its files."
            " Free some space, or set CARELOOP_HOME to a folder on another disk."
        )


class ServerBusy(EmbeddedServerError):
    """The lock of the data folder did not become free in time."""

    def __init__(self, lock: Path, *, waited: float) -> None:
        super().__init__(
            f"Another process has been starting or stopping the server for {waited:.0f} s"
            f" (it holds {lock}). Wait for it or end it, then try again."
        )


class ServerNotStarted(EmbeddedServerError):
    """The address of a server is known from its first start on."""

    def __init__(self, title: str, folder: Path) -> None:
        super().__init__(f"The embedded {title} in {folder} has not been started.")


class ServerStartFailed(EmbeddedServerError):
    """The server ended, or did not answer in time."""

    def __init__(self, title: str, *, log: Path, output: str) -> None:
        tail = "\n".join(output.strip().splitlines()[-LOG_LINES_SHOWN:])
        super().__init__(
            f"The embedded {title} did not start. Its last words (more in {log}):\n{tail}"
        )


class ServerStopFailed(EmbeddedServerError):
    """The server is still there after the last signal."""

    def __init__(self, title: str, *, pid: int) -> None:
        super().__init__(f"The embedded {title} (process {pid}) does not stop; end it by hand.")


@contextmanager
def actionable(title: str, folder: Path) -> Iterator[None]:
    """Turn the operating system's errors about `folder` into ones of this tree."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise DiskFull(title, folder) from error
        if error.errno in _NO_ACCESS:
            raise DataFolderUnusable(
                f"The embedded {title} cannot use {error.filename or folder}: {error.strerror}."
                " Run as the user who owns it, or set CARELOOP_HOME to another folder."
            ) from error
        raise EmbeddedServerError(f"The embedded {title} in {folder}: {error}") from error
