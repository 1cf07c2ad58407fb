"""`careloop secrets`: the root secret and what is sealed with it."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.commands.backup import Bar, run_on_servers
from cli.errors import OperatorError
from cli.installation import Installation

if TYPE_CHECKING:
    from cli.secrets.rotation import Outcome

secrets = typer.Typer(help="What is sealed with CARELOOP_SECRET_KEY.", no_args_is_help=True)


@secrets.command("rotate")
def rotate_secrets(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count")] = False,
) -> None:
    """Seal everything anew that a key of CARELOOP_SECRET_KEYS_OLD has sealed.

    Nothing has to be stopped. Run it again as often as you like; exits 1 when something is sealed
    with a key that is not there.
    """
    outcomes: list[Outcome] = []

    async def work(installation: Installation, bar: Bar) -> None:
        from cli.backup.databases import admin_urls  # noqa: PLC0415  (loads what only it needs)
        from cli.secrets.rotation import rotate  # noqa: PLC0415

        outcomes.extend(
            await rotate(
                urls=admin_urls(installation.environment),
                root_key=installation.root_key,
                telling=bar,
                dry_run=dry_run,
            )
        )

    run_on_servers(work)
    _show(outcomes, dry_run=dry_run)
    if unreadable := sum(outcome.unreadable for outcome in outcomes):
        raise OperatorError(
            f"{unreadable} sealed values open with no key of CARELOOP_SECRET_KEY and "
            "CARELOOP_SECRET_KEYS_OLD. Add the key that sealed them, or enter them again."
        )


def _show(outcomes: "list[Outcome]", *, dry_run: bool) -> None:
    table = Table("column", "current", "to renew" if dry_run else "renewed", "unreadable", box=None)
    for outcome in outcomes:
        counts = (outcome.current, outcome.renewed, outcome.unreadable)
        if any(counts):
            table.add_row(outcome.column.full_name, *map(str, counts))
    if table.row_count:
        Console(highlight=False, width=100).print(table)
    else:
        typer.echo("Nothing is sealed.")
