"""`careloop up`: from nothing to serving, on one machine."""

from typing import Annotated

import typer
from rich.console import Console

from cli.embedded.errors import EmbeddedServerError
from cli.errors import NotReady, OperatorError, StoppedEarly
from cli.installation import Installation
from cli.ports import becomes_free
from cli.processes import Children, StopSignal

_console = Console(stderr=True, highlight=False)
# What a killed supervisor leaves behind ends by itself about this fast.
_LEFTOVERS_SECONDS = 3.0


def up(
    port: Annotated[int | None, typer.Option(help="Default: CARELOOP_PORT or 8080")] = None,
    demo: Annotated[bool, typer.Option(help="Create the demo shop when it is missing")] = True,
) -> None:
    """Start everything on this machine and serve until Ctrl-C."""
    from cli.demo.seed import ensure_demo_shop, show_demo_shop  # noqa: PLC0415
    from cli.running import running  # noqa: PLC0415

    stop = StopSignal()
    installation = Installation.open(port=port)
    _refuse_taken_port(installation.port)
    try:
        with running(installation, say=_say, stop=stop) as children:
            if demo:
                show_demo_shop(ensure_demo_shop(installation), installation, _console)
            _watch(children, stop)
    except StoppedEarly:
        _say("Stopped before it was ready")
    except (EmbeddedServerError, OperatorError) as error:
        _console.print(str(error), style="red", markup=False)
        _console.print("Run [bold]careloop doctor[/bold] for more.")
        raise typer.Exit(1) from error


def _watch(children: Children, stop: StopSignal) -> None:
    while not stop.wait(0.5):
        ended = children.ended()
        if ended is not None:
            raise NotReady(f"The {ended.name} process has ended by itself; its log is above.")
    _say("Stopping")


def _refuse_taken_port(port: int) -> None:
    if not becomes_free(port, seconds=_LEFTOVERS_SECONDS):
        _console.print(
            f"[red]Port {port} is taken.[/red] Set CARELOOP_PORT to a free one, "
            "or end the program that uses it."
        )
        raise typer.Exit(1)


def _say(what: str) -> None:
    _console.print(f"[dim]careloop[/dim] {what}")
