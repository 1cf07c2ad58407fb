"""Server processes: started under the right account, told alive from dead, ended."""

import os
import pwd
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from cli.embedded.errors import EmbeddedServerError

UNPRIVILEGED_ACCOUNT = "nobody"
# Nothing is inherited: PGPORT, PGDATA, LD_PRELOAD or a foreign locale must not reach a server.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_POLL_SECONDS = 0.01
_PROC = Path("/proc")

# Children are kept so that they can be reaped: a zombie looks alive to whoever only probes its pid.
_children: list[subprocess.Popen[bytes]] = []


def wait_until(condition: Callable[[], bool], *, timeout: float) -> bool:
    """Poll `condition` until it holds; False when it does not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


@dataclass(frozen=True, slots=True)
class Account:
    """The account a server runs under."""

    uid: int
    gid: int

    @classmethod
    def ours(cls) -> Self:
        """The account of this process."""
        return cls(os.geteuid(), os.getegid())

    @property
    def is_other(self) -> bool:
        """Whether it is not the account of this process."""
        return self.uid != os.geteuid()

    def give(self, path: Path) -> None:
        """Make the account the owner of `path`."""
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def may_pass(self, folder: Path) -> bool:
        """Whether the account can reach what is inside `folder`, by the permission bits."""
        steps = (folder, *folder.parents)
        return not self.is_other or all(self._may_enter(step) for step in steps)

    def _may_enter(self, folder: Path) -> bool:
        info = folder.stat()
        if info.st_uid == self.uid:
            return bool(info.st_mode & 0o100)
        return bool(info.st_mode & (0o010 if info.st_gid == self.gid else 0o001))


def server_account(data_dir: Path) -> Account:
    """Who shall run the server of `data_dir`: we ourselves, but never root.

    Root hands over to the owner of existing data, else to `nobody`: PostgreSQL refuses root, and
    data of an ordinary user must stay his when root starts the server once.
    """
    if os.geteuid() != 0:
        return Account.ours()
    if data_dir.exists() and (info := data_dir.stat()).st_uid != 0:
        return Account(info.st_uid, info.st_gid)
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_ACCOUNT)
    except KeyError:
        raise EmbeddedServerError(
            f"Database servers do not run as root, and there is no account"
            f" '{UNPRIVILEGED_ACCOUNT}' to run them under. Start Careloop as an ordinary user."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a short program ended: `code` is 0 for success, None when it ran out of time."""

    code: int | None
    output: str


def run(
    command: Sequence[str | Path],
    *,
    account: Account,
    timeout: float,
    cwd: Path | None = None,
    stdin: str = "",
) -> Outcome:
    """Run a short program to its end under `account`, for at most `timeout` seconds."""
    try:
        with _file_with(stdin, account) as given:
            result = subprocess.run(
                command,
                check=False,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                cwd=cwd,
                env=ENVIRONMENT,
                timeout=timeout,
                user=account.uid if account.is_other else None,
                group=account.gid if account.is_other else None,
                extra_groups=[] if account.is_other else None,
                start_new_session=True,
            )
    except subprocess.TimeoutExpired:
        return Outcome(None, f"{command[0]} did not end within {timeout:.0f} s.")
    return Outcome(result.returncode, result.stdout)


def spawn(
    command: Sequence[str | Path], *, account: Account, cwd: Path, log: Path, stdin: str = ""
) -> subprocess.Popen[bytes]:
    """Start a server under `account`, its output appended to `log`.

    It gets a session of its own: Ctrl-C in the terminal reaches only the supervisor, which stops
    the servers in order.
    """
    with _file_with(stdin, account) as given, open(log, "ab", opener=_open_private) as output:
        process = subprocess.Popen(
            command,
            stdin=given,
            stdout=output,
            stderr=output,
            cwd=cwd,
            env=ENVIRONMENT,
            user=account.uid if account.is_other else None,
            group=account.gid if account.is_other else None,
            extra_groups=[] if account.is_other else None,
            start_new_session=True,
        )
    _children.append(process)
    return process


@contextmanager
def _file_with(text: str, account: Account) -> Iterator[IO[bytes]]:
    """A nameless file to be a program's stdin: secrets stay off the disk and the command line."""
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        if account.is_other:
            os.fchown(file.fileno(), account.uid, account.gid)  # so that it can open /dev/stdin
        yield file


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


def runs_in(pid: int, folder: Path) -> bool:
    """Whether `pid` is a living process whose working folder is `folder`.

    A pid alone proves nothing: after a crash it can be a zombie or belong to somebody else.
    Both servers live in their data folder, which a zombie or a stranger does not.
    """
    _reap()
    if not (_PROC / "self" / "cwd").exists():
        return _is_running(pid)
    try:
        return (_PROC / str(pid) / "cwd").samefile(folder)
    except OSError:
        return False


def _is_running(pid: int) -> bool:
    """For systems without /proc: alive and no zombie."""
    answer = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)],
        check=False,
        capture_output=True,
        env=ENVIRONMENT,
    )
    return answer.returncode == 0 and not answer.stdout.strip().startswith(b"Z")


def end(pid: int, *, folder: Path, signals: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Send each signal and wait its seconds for the end; False when the process outlives all."""
    for number, patience in signals:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        if wait_until(lambda: not runs_in(pid, folder), timeout=patience):
            return True
    return False
