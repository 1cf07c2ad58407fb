"""The operator's command."""

import typer

from cli.commands.demo import demo
from cli.commands.doctor import doctor
from cli.commands.health import health
from cli.commands.serve import migrate, serve, worker
from cli.commands.stream import dead_letters, stream
from cli.commands.up import up

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
app.command()(health)
app.add_typer(stream, name="stream")
app.add_typer(dead_letters, name="dead-letters")

if __name__ == "__main__":
    app()
