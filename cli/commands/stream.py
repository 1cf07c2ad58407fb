"""`careloop stream` and `careloop dead-letters`: what an operator does about events."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from cli.installation import Installation
from shared.ids import TenantId

T = TypeVar("T")
stream = typer.Typer(help="The event stream between the parts.", no_args_is_help=True)
dead_letters = typer.Typer(help="Events that could not be applied.", no_args_is_help=True)

PartArgument = Annotated[
    str, typer.Argument(help="customer, segmentation, support_ticket or messaging")
]
TenantOption = Annotated[UUID, typer.Option("--tenant", help="The shop's id")]


@dead_letters.command("list")
def list_dead_letters(part: PartArgument, tenant: TenantOption) -> None:
    """Show what a part has set aside, oldest first."""
    from cli.operations import dead_letters_of  # noqa: PLC0415

    letters = _run(lambda: dead_letters_of(part, TenantId(tenant)))
    table = Table("id", "source", "position", "type", "attempts", "error")
    for letter in letters:
        event = letter.event
        table.add_row(
            str(letter.id),
            event.source,
            str(event.position),
            event.type,
            str(letter.attempts),
            letter.error[:120],
        )
    Console().print(table if letters else "Nothing is set aside.")


@dead_letters.command("replay")
def replay_dead_letters(
    part: PartArgument,
    tenant: TenantOption,
    letter: Annotated[UUID | None, typer.Option("--id", help="One of them; all without it")] = None,
) -> None:
    """Apply them again, oldest first. Stops at the first that fails."""
    from cli.operations import replay  # noqa: PLC0415

    count = _run(lambda: replay(part, TenantId(tenant), letter))
    typer.echo(f"{count} replayed.")


@stream.command("rebuild")
def rebuild_stream(
    part: PartArgument,
    tenant: TenantOption,
    wait: Annotated[bool, typer.Option(help="Wait until it is done")] = True,
) -> None:
    """Have a part forget what it was told and be told everything again."""
    from cli.operations import rebuild  # noqa: PLC0415

    if part != "segmentation":
        raise typer.BadParameter("only segmentation is built from events alone")
    status = _run(lambda: rebuild(TenantId(tenant), wait=wait))
    typer.echo(f"Rebuild {status}.")


@stream.command("status")
def stream_status(tenant: TenantOption) -> None:
    """How far every consumer is with every source."""
    from cli.operations import stream_positions  # noqa: PLC0415

    table = Table("source", "consumer", "sent", "acknowledged", "last")
    for row in _run(lambda: stream_positions(TenantId(tenant))):
        table.add_row(row.source, row.consumer, str(row.sent), str(row.acked), str(row.last))
    Console().print(table)


def _run(work: Callable[[], Awaitable[T]]) -> T:
    installation = Installation.open()
    installation.find_servers()
    if "DATABASE_URL" not in installation.environment:
        raise typer.BadParameter("no server is running; set DATABASE_URL or use `careloop up`")
    installation.apply()

    async def run() -> T:
        return await work()

    return asyncio.run(run())
