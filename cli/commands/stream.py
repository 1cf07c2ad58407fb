"""`careloop stream` and `careloop dead-letters`: what an operator does about events."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Column, Table

from cli.errors import NotReady, OperatorError
from cli.installation import Installation
from shared.ids import TenantId

T = TypeVar("T")
_ERROR_SHOWN = 120
# Where no terminal sets a limit, ids must come out whole.
_WIDTH_OF_A_PIPE = 400
stream = typer.Typer(help="The event stream between the parts.", no_args_is_help=True)
dead_letters = typer.Typer(help="Events that could not be applied.", no_args_is_help=True)

PartArgument = Annotated[
    Literal["customer", "segmentation", "support_ticket", "messaging"],
    typer.Argument(help="The part that could not apply them"),
]
TenantOption = Annotated[UUID, typer.Option("--tenant", help="The shop's id")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print for machines")]


@dead_letters.command("list")
def list_dead_letters(
    part: PartArgument, tenant: TenantOption, as_json: JsonOption = False
) -> None:
    """Show what a part has set aside, oldest first."""
    from cli.operations import dead_letters_of  # noqa: PLC0415

    rows = [
        {
            "id": str(letter.id),
            "source": letter.event.source,
            "position": letter.event.position,
            "type": letter.event.type,
            "attempts": letter.attempts,
            "error": letter.error if as_json else _in_short(letter.error),
        }
        for letter in _run(lambda: dead_letters_of(part, TenantId(tenant)))
    ]
    _show(rows, as_json=as_json, nothing="Nothing is set aside.")


@dead_letters.command("replay")
def replay_dead_letters(
    part: PartArgument,
    tenant: TenantOption,
    letter: Annotated[UUID | None, typer.Option("--id", help="One of them; all without it")] = None,
) -> None:
    """Apply them again, oldest first. Stops at the first that fails, and exits 1."""
    from cli.operations import replay  # noqa: PLC0415

    count = _run(lambda: replay(part, TenantId(tenant), letter))
    if letter is not None and count == 0:
        raise OperatorError(f"Nothing with the id {letter} is set aside.")
    typer.echo(f"{count} replayed.")


@stream.command("rebuild")
def rebuild_stream(
    part: Annotated[Literal["segmentation"], typer.Argument(help="Built from events alone")],
    tenant: TenantOption,
    wait: Annotated[bool, typer.Option(help="Wait until it is done")] = True,
) -> None:
    """Have a part forget what it was told and be told everything again."""
    from cli.operations import rebuild  # noqa: PLC0415

    del part
    status = _run(lambda: rebuild(TenantId(tenant), wait=wait))
    typer.echo(f"Rebuild {status}.")
    if status in ("failed", "cancelled"):
        raise typer.Exit(1)


@stream.command("status")
def stream_status(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """How far every consumer is with every source."""
    from cli.operations import stream_positions  # noqa: PLC0415

    rows = [
        {
            "source": position.source,
            "consumer": position.consumer,
            "sent": position.sent,
            "acknowledged": position.acked,
            "last": position.last,
        }
        for position in _run(lambda: stream_positions(TenantId(tenant)))
    ]
    _show(rows, as_json=as_json, nothing="No part has told anything of this shop.")


def _in_short(error: str) -> str:
    return " ".join(error.split())[:_ERROR_SHOWN]


def _show(rows: Sequence[Mapping[str, Any]], *, as_json: bool, nothing: str) -> None:
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


def _run(work: Callable[[], Awaitable[T]]) -> T:
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
