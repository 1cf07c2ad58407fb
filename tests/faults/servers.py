"""A PostgreSQL and a Valkey of the fault driver's own: they are stopped in the middle of work."""

import asyncio
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cli.embedded.postgres import EmbeddedPostgres
from cli.embedded.processes import end
from cli.embedded.valkey import EmbeddedValkey
from migrations.runner import migrate
from tests.support.nursery import Nursery, nursery
from tests.support.servers import ROOT_KEY, TEMPLATE, create_database, database_url, execute

# Few enough that the processes' pools and a flood of strangers compete for them.
MAX_CONNECTIONS = 150
_END_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class FaultServers:
    """Both servers, and where the house's processes come from.

    A crash of PostgreSQL loses no commit; only a crash of the machine might.
    """

    folder: Path
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    nursery: Nursery

    @classmethod
    def start(cls) -> "FaultServers":
        """Start both and migrate a template from which each run gets its database."""
        folder = Path(tempfile.mkdtemp(prefix="careloop-faults-"))
        folder.chmod(0o755)
        settings = {"max_connections": str(MAX_CONNECTIONS), "synchronous_commit": "on"}
        servers = cls(
            folder,
            EmbeddedPostgres(folder / "postgres", durable=False, settings=settings),
            EmbeddedValkey(folder / "valkey", persistent=False),
            nursery(),
        )
        try:
            servers.postgres.start()
            servers.valkey.start()
            asyncio.run(_make_template(servers.postgres.url()))
        except BaseException:
            servers.stop()
            raise
        return servers

    def stop(self) -> None:
        """Stop both and remove everything."""
        self.valkey.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def fresh_database(self, name: str) -> str:
        """A migrated, empty database; its administrator's URL."""
        return await create_database(self.postgres.url(), name)

    def crash_postgres(self) -> None:
        """Immediate mode: no checkpoint, no goodbye. The next start recovers from the log."""
        _end(self.folder / "postgres" / EmbeddedPostgres.pid_file, signal.SIGQUIT)

    def kill_valkey(self) -> None:
        """`kill -9`; nothing was ever written down."""
        _end(self.folder / "valkey" / EmbeddedValkey.pid_file, signal.SIGKILL)


async def _make_template(url: str) -> None:
    await execute(url, f"CREATE DATABASE {TEMPLATE}")
    await migrate(database_url(url, TEMPLATE), root_key=ROOT_KEY)


def _end(pid_file: Path, number: signal.Signals) -> None:
    pid = int(pid_file.read_text().split("\n", 1)[0])
    if not end(pid, folder=pid_file.parent, signals=[(number, _END_SECONDS)]):
        raise TimeoutError(f"process {pid} outlived {number.name}")
