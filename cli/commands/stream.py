"""`careloop stream` and `careloop dead-letters`: what an operator does about events."""

from typing import Annotated, Literal
from uuid import UUID

import typer

from cli.commands.shop_data import JsonOption, TenantOption, run_with_database, show_rows
from cli.errors import OperatorError
from shared.ids import TenantId

_ERROR_SHOWN = 120
stream = typer.Typer(help="The event stream between the parts.", no_args_is_help=True)
dead_letters = typer.Typer(help="Events that could not be applied.", no_args_is_help=True)

PartArgument = Annotated[
    Literal["gateway", "customer", "segmentation", "support_ticket", "messaging"],
    typer.Argument(help="The part that could not apply them"),
]


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
        for letter in run_with_database(lambda: dead_letters_of(part, TenantId(tenant)))
    ]
    show_rows(rows, as_json=as_json, nothing="Nothing is set aside.")


@dead_letters.command("replay")
def replay_dead_letters(
    part: PartArgument,
    tenant: TenantOption,
    letter: Annotated[UUID | None, typer.Option("--id", help="One of them; all without it")] = None,
) -> None:
    """Apply them again, oldest first. Stops at the first that fails, and exits 1."""
    from cli.operations import replay  # noqa: PLC0415

    count = run_with_database(lambda: replay(part, TenantId(tenant), letter))
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
    status = run_with_database(lambda: rebuild(TenantId(tenant), wait=wait))
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
        for position in run_with_database(lambda: stream_positions(TenantId(tenant)))
    ]
    show_rows(rows, as_json=as_json, nothing="No part has told anything of this shop.")


def _in_short(error: str) -> str:
    return " ".join(error.split())[:_ERROR_SHOWN]
