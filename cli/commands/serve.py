"""`careloop serve`, `careloop worker`, `careloop migrate`: what every process of a house runs."""

import asyncio
import os
import signal
from typing import Annotated, Literal

import typer
import uvicorn

from cli.commands.health import HEARTBEAT_SECONDS, heartbeat_file
from cli.errors import NotReady
from cli.interpreter import settle_down
from cli.processes import end_with_parent
from cli.serving import FINISH_SECONDS, GracefulServer
from shared.web.draining import draining_of
from shared.web.http_protocol import GuardedProtocol

Part = Annotated[
    Literal["all", "gateway", "customer", "segmentation", "support_ticket", "messaging"],
    typer.Option(help="Which part; all together without it"),
]


def serve(
    part: Part = "all",
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Default: CARELOOP_PORT or 8080")] = None,
) -> None:
    """Answer HTTP: the whole house in one process, or one part of it."""
    from cli import composition  # noqa: PLC0415  (only commands that need all parts load them)

    end_with_parent()
    app = composition.all_in_one() if part == "all" else composition.single_part(part)
    settings = composition.settings_of("gateway" if part == "all" else part)
    config = uvicorn.Config(
        app,
        host=host,
        port=port or int(os.environ.get("CARELOOP_PORT", "8080")),
        loop="uvloop",
        http=GuardedProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )
    settle_down()
    GracefulServer(config, draining=draining_of(app), grace_seconds=settings.drain_seconds).run()


def worker(
    part: Part = "all",
    host: Annotated[str, typer.Option(help="Address to tell its state at")] = "127.0.0.1",
    status_port: Annotated[
        int | None,
        typer.Option(envvar="CARELOOP_STATUS_PORT", help="Where to tell it; nowhere without"),
    ] = None,
) -> None:
    """Run the background work: streams, sends, receipts of platforms.

    With a status port it answers /healthz and /metrics there.
    """
    from cli import composition  # noqa: PLC0415
    from cli.worker_status import worker_status  # noqa: PLC0415
    from shared.observability.logging import configure_logging  # noqa: PLC0415
    from shared.observability.tracing import configure_tracing  # noqa: PLC0415

    end_with_parent()
    parts = composition.PARTS if part == "all" else (part,)
    settings = composition.settings_of(parts[0])
    configure_logging(level=settings.log_level, style=settings.log_format, part="worker")
    for each in parts:
        configure_tracing(part=each, endpoint=settings.otlp_endpoint)

    async def run() -> None:
        from shared.queue.worker import run_workers  # noqa: PLC0415

        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        beating = asyncio.create_task(_beat())
        async with worker_status(host, status_port):
            await run_workers(composition.workers(parts), stop)
        beating.cancel()

    import uvloop  # noqa: PLC0415

    settle_down()
    uvloop.run(run())


async def _beat() -> None:
    """Show that the event loop turns; `careloop health worker` looks at it."""
    file = heartbeat_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file.touch()
        await asyncio.sleep(HEARTBEAT_SECONDS)


def migrate(
    part: Part = "all",
    contract: Annotated[
        bool,
        typer.Option(
            "--contract",
            help="Also remove what the release before still used; when all run this one",
        ),
    ] = False,
) -> None:
    """Bring roles, schemas and tables of DATABASE_URL to the current state.

    A part with a server of its own is migrated there: DATABASE_URL=... careloop migrate --part ...
    What it does without --contract disturbs no process of the release before.
    """
    from cli.installation import Installation  # noqa: PLC0415
    from migrations.runner import migrate as run  # noqa: PLC0415
    from shared.settings import SCHEMAS  # noqa: PLC0415

    installation = Installation.open()
    installation.find_servers()
    environment = installation.environment
    if "DATABASE_URL" not in environment:
        raise NotReady("No server is running. Set DATABASE_URL, or use careloop up.")
    waiting = asyncio.run(
        run(
            environment["DATABASE_URL"],
            root_key=installation.root_key,
            schemas=SCHEMAS if part == "all" else (part,),
            contract=contract,
        )
    )
    if waiting:
        typer.echo(
            f"Waiting to be removed: {', '.join(waiting)}. "
            "Run careloop migrate --contract when every process runs this release."
        )
        return
    typer.echo("All schemas are current.")
