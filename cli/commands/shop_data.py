"""What commands about one shop's data share: the database behind them, and how rows are shown."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Column, Table

from cli.errors import NotReady
from cli.installation import Installation

T = TypeVar("T")
# Where no terminal sets a limit, ids must come out whole.
_WIDTH_OF_A_PIPE = 400

TenantOption = Annotated[UUID, typer.Option("--tenant", help="The shop's id")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print for machines")]


def show_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, nothing: str) -> None:
    """Print rows as a table or as JSON; `nothing` when there are none."""
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not rows:
        typer.echo(nothing)
        return
    table = Table(*(Column(name, overflow="fold") for name in rows[0]))
    for row in rows:
        table.add_row(*map(str, row.values()))
    width = None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE
    Console(width=width, highlight=False, markup=False).print(table)


def run_with_database(work: Callable[[], Awaitable[T]]) -> T:
    """Run `work` with the installation's settings. Raises NotReady without its database."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from shared.errors import Unavailable  # noqa: PLC0415

    installation = Installation.open()
    installation.find_servers()
    if "DATABASE_URL" not in installation.environment:
        raise NotReady("No server is running. Set DATABASE_URL, or use careloop up.")
    installation.apply()

    async def run() -> T:
        return await work()

    try:
        return asyncio.run(run())
    except (Unavailable, SQLAlchemyError, OSError) as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise NotReady(f"The database does not answer: {reason}. See careloop doctor.") from error
