"""The operator's command."""

import sys

import typer
from rich.console import Console

from cli.commands.backup import backup, restore
from cli.commands.db import db
from cli.commands.demo import demo
from cli.commands.doctor import doctor
from cli.commands.health import health
from cli.commands.import_file import import_file
from cli.commands.keys import keys
from cli.commands.secrets import secrets
from cli.commands.serve import migrate, serve, worker
from cli.commands.staff import staff
from cli.commands.stream import dead_letters, stream
from cli.commands.tenants import tenants
from cli.commands.up import up
from cli.commands.webhooks import webhooks
from cli.embedded.errors import EmbeddedServerError
from cli.errors import OperatorError

app = typer.Typer(
    name="careloop",
    help="Careloop: a headless customer-care backend.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(up)
app.command()(demo)
app.command()(doctor)
app.command()(serve)
app.command()(worker)
app.command()(migrate)
app.command()(backup)
app.command()(restore)
app.command()(health)
app.command("import")(import_file)
app.add_typer(stream, name="stream")
app.add_typer(secrets, name="secrets")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(staff, name="staff")
app.add_typer(keys, name="keys")
app.add_typer(tenants, name="tenants")
app.add_typer(db, name="db")
app.add_typer(webhooks, name="webhooks")


def main() -> None:
    """Run a command; what the operator can act on is a sentence, not a traceback."""
    try:
        app()
    except (OperatorError, EmbeddedServerError) as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            str(error), style="red", markup=False
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
