"""`careloop backup` and `careloop restore`."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from cli.errors import NotReady, OperatorError
from cli.installation import Installation


def backup(
    file: Annotated[Path | None, typer.Argument(help="Where to; named by the time without")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this shop, by its slug")] = None,
) -> None:
    """Save the whole installation, or one shop, to a file. Nothing has to be stopped.

    Secrets in it stay sealed with CARELOOP_SECRET_KEY; keep that key apart from the backups.
    """
    from cli.backup.saving import save  # noqa: PLC0415  (loads what only it needs)

    path = file or Path(f"careloop-{tenant or 'all'}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.zip")
    if path.exists():
        raise OperatorError(f"{path} exists. Nothing was written.")

    async def work(installation: Installation, bar: "Bar") -> None:
        manifest = await save(
            path,
            urls=_urls(installation),
            root_key=installation.root_key,
            slug=tenant,
            telling=bar,
        )
        size = path.stat().st_size
        bar.say(f"{manifest.rows:,} rows of {manifest.table_count} tables, {size:,} bytes: {path}")

    run_on_servers(work)


def restore(
    file: Annotated[Path, typer.Argument(help="A file that careloop backup wrote")],
    whatever_key: Annotated[
        bool,
        typer.Option("--whatever-key", help="Also when its secrets cannot be opened here"),
    ] = False,
) -> None:
    """Bring a backup back: an installation into an empty database, a shop beside the others."""
    from cli.backup.loading import load  # noqa: PLC0415

    async def work(installation: Installation, bar: "Bar") -> None:
        manifest = await load(
            file,
            urls=_urls(installation),
            root_key=installation.root_key,
            telling=bar,
            whatever_key=whatever_key,
        )
        what = f"The shop {manifest.slug}" if manifest.slug else "The installation"
        bar.say(f"{what} of {manifest.created_at} is back: {manifest.rows:,} rows.")

    run_on_servers(work)


def _urls(installation: Installation) -> dict[str, str]:
    from cli.backup.databases import admin_urls  # noqa: PLC0415

    return admin_urls(installation.environment)


def run_on_servers(work: Callable[[Installation, "Bar"], Awaitable[None]]) -> None:
    """Run `work` on the installation's servers, which are started for it when they are ours."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    installation = Installation.open()

    async def run() -> None:
        with Bar() as bar:
            await work(installation, bar)

    try:
        installation.start_servers()
        asyncio.run(run())
    except (SQLAlchemyError, OSError) as error:
        raise NotReady(f"{str(error).strip().splitlines()[0]}. See careloop doctor.") from error
    finally:
        installation.stop_servers()


class Bar(AbstractContextManager["Bar"]):
    """A progress bar on stderr; on a pipe only what is said at the end."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[table]}"),
            DownloadColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, what: str, *, tables: int = 0, size: int = 0) -> None:
        """A new bar: over the bytes when their number is known."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(what, total=size or None, table=f"{tables} tables")

    def table(self, name: str) -> None:
        """Name the table that is worked on."""
        if self._task is not None:
            self._progress.update(self._task, table=name)

    def advance(self, size: int) -> None:
        """So many bytes more."""
        if self._task is not None:
            self._progress.advance(self._task, size)

    def say(self, what: str) -> None:
        """The outcome, to stdout."""
        self._progress.stop()
        typer.echo(what)
