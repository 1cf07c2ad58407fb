"""`careloop up`: from nothing to serving, on one machine."""

import asyncio
import socket
from typing import Annotated

import typer
from rich.console import Console

from cli.embedded.errors import EmbeddedServerError
from cli.installation import Installation
from cli.mail_catcher import LOOPBACK, MailCatcher
from cli.processes import Children, StopSignal
from cli.readiness import NotReady, wait_until_ready

_console = Console(stderr=True, highlight=False)
_START_SECONDS = 60.0


def up(
    port: Annotated[int | None, typer.Option(help="Default: CARELOOP_PORT or 8080")] = None,
    demo: Annotated[bool, typer.Option(help="Create the demo shop when it is missing")] = True,
) -> None:
    """Start everything on this machine and serve until Ctrl-C."""
    stop = StopSignal()
    installation = Installation.open(port=port)
    _refuse_taken_port(installation.port)
    catcher = _catch_mail(installation)
    children: Children | None = None
    try:
        _say("Starting PostgreSQL and Valkey")
        installation.start_servers()
        _say("Checking schemas")
        asyncio.run(_migrate(installation))
        _say("Starting API and worker")
        children = Children(installation.environment)
        children.start("api", ["serve", "--port", str(installation.port)])
        children.start("worker", ["worker"])
        wait_until_ready(installation.base_url, children=children, seconds=_START_SECONDS)
        if demo:
            _welcome(installation)
        _watch(children, stop)
    except (EmbeddedServerError, NotReady) as error:
        _console.print(f"[red]{error}[/red]\nRun [bold]careloop doctor[/bold] for more.")
        raise typer.Exit(1) from error
    finally:
        if children is not None:
            children.stop()
        if catcher is not None:
            catcher.stop()
        installation.stop_servers()


async def _migrate(installation: Installation) -> None:
    from migrations.runner import migrate  # noqa: PLC0415  (the servers start meanwhile)

    environment = installation.environment
    await migrate(environment["DATABASE_URL"], root_key=environment["CARELOOP_SECRET_KEY"])


def _welcome(installation: Installation) -> None:
    from cli.demo.seed import ensure_demo_shop, show_demo_shop  # noqa: PLC0415

    ensure_demo_shop(installation)
    show_demo_shop(installation, _console)


def _watch(children: Children, stop: StopSignal) -> None:
    while not stop.wait(0.5):
        ended = children.ended()
        if ended is not None:
            raise NotReady(f"The {ended.name} process has ended by itself; its log is above.")
    _say("Stopping")


def _catch_mail(installation: Installation) -> MailCatcher | None:
    """Keep outgoing mail on this machine unless an SMTP server is configured."""
    if "CARELOOP_SMTP_HOST" in installation.environment:
        return None
    catcher = MailCatcher(installation.home / "mail")
    catcher.start()
    installation.environment["CARELOOP_SMTP_HOST"] = LOOPBACK
    installation.environment["CARELOOP_SMTP_PORT"] = str(catcher.port)
    return catcher


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            _console.print(
                f"[red]Port {port} is taken.[/red] Set CARELOOP_PORT to a free one, "
                "or end the program that uses it."
            )
            raise typer.Exit(1) from error


def _say(what: str) -> None:
    _console.print(f"[dim]careloop[/dim] {what}")
