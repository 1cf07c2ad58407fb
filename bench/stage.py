"""Where the measurements are made: a durable PostgreSQL, a Valkey, the bare program, a house.

Everything runs on this machine, on a data folder of its own that is removed afterwards.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from cli.installation import Installation
from cli.ports import free_port
from cli.processes import Children
from cli.readiness import wait_until_ready
from migrations.runner import migrate

ROOT = Path(__file__).parent.parent


@dataclass
class Stage:
    """The running programs of a benchmark."""

    installation: Installation
    bare_url: str
    dsn: str

    @property
    def base_url(self) -> str:
        """The public door of the house."""
        return self.installation.base_url

    @property
    def operator_key(self) -> str:
        """Who may create shops."""
        return self.installation.environment["CARELOOP_OPERATOR_KEY"]

    async def analyze(self) -> None:
        """Tell the planner what is in the tables, as autovacuum does in time.

        Until then statements stay planned for the empty tables of a fresh installation.
        """
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute("ANALYZE")
        finally:
            await connection.close()

    @contextmanager
    def house(self) -> Iterator[Children]:
        """The API of all parts, in one process, without its worker."""
        with self._children() as children:
            children.start("api", ["serve", "--port", str(self.installation.port)])
            wait_until_ready(self.base_url, children=children, seconds=60)
            yield children

    @contextmanager
    def worker(self, parts: Sequence[str] = ("all",)) -> Iterator[None]:
        """The worker (of all parts, or one process per part named)."""
        with self._children() as children:
            for part in parts:
                children.start(f"{part} worker", ["worker", "--part", part])
            yield

    @contextmanager
    def part(self, part: str, port: int, **environment: str) -> Iterator[str]:
        """One part as a process of its own; its URL."""
        with self.serving(part, port, **environment):
            yield f"http://127.0.0.1:{port}"

    @contextmanager
    def serving(self, part: str, port: int, **environment: str) -> Iterator[Children]:
        """One part as a process of its own."""
        with self._children(**environment) as children:
            children.start(part, ["serve", "--part", part, "--port", str(port)])
            wait_until_ready(f"http://127.0.0.1:{port}", children=children, seconds=60)
            yield children

    @contextmanager
    def _children(self, **environment: str) -> Iterator[Children]:
        children = Children({**self.installation.environment, **environment})
        try:
            yield children
        finally:
            children.stop()


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Start servers and the bare program; stop and remove everything afterwards."""
    with tempfile.TemporaryDirectory(prefix="careloop-bench-") as folder:
        Path(folder).chmod(0o755)
        installation = Installation.open(home=Path(folder) / "home", port=free_port())
        installation.environment |= {
            "CARELOOP_ACCESS_LOG": "false",
            "CARELOOP_LOG_LEVEL": "warning",
            "CARELOOP_SMTP_HOST": "127.0.0.1",
        }
        # The limits count, and let everything through: one client does the work of thousands.
        installation.environment |= {
            f"CARELOOP_RATE_LIMIT_{kind}": "100000000/1"
            for kind in ("KEY", "STAFF", "SHOPPER", "SHOP", "ADDRESS", "PAGE", "HOOK")
        }
        for name in ("DATABASE_URL", "REDIS_URL"):
            installation.environment.pop(name, None)
        installation.start_servers()
        try:
            _migrate(installation)
            dsn = _plain_dsn(installation.environment["DATABASE_URL"])
            with _bare(dsn) as bare_url:
                yield Stage(installation, bare_url, dsn)
        finally:
            installation.stop_servers()


def _migrate(installation: Installation) -> None:
    import asyncio  # noqa: PLC0415

    environment = installation.environment
    asyncio.run(migrate(environment["DATABASE_URL"], root_key=environment["CARELOOP_SECRET_KEY"]))


@contextmanager
def _bare(dsn: str) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.bare", dsn, str(port)], cwd=ROOT, env=dict(os.environ)
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/rows?limit=1")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


def _plain_dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
