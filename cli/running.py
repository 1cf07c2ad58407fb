"""A whole installation, running for as long as a block lasts."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from cli.errors import NotReady
from cli.installation import Installation
from cli.mail_catcher import MailCatcher
from cli.processes import Children, StopSignal
from cli.readiness import wait_until_ready

_START_SECONDS = 60.0


def _quietly(_what: str) -> None:
    """Say nothing."""


@contextmanager
def running(
    installation: Installation,
    *,
    say: Callable[[str], None] = _quietly,
    stop: StopSignal | None = None,
) -> Iterator[Children]:
    """Start servers, migrate, start API and worker; stop everything in reverse order.

    Raises EmbeddedServerError, NotReady, or StoppedEarly on the signal.
    """
    catcher = _catch_mail(installation)
    if sys.stderr.isatty():
        installation.environment.setdefault("CARELOOP_LOG_FORMAT", "console")
    children: Children | None = None
    try:
        say("Starting PostgreSQL and Valkey")
        installation.start_servers()
        say("Checking schemas")
        asyncio.run(_migrate(installation))
        say("Starting API and worker")
        children = Children(installation.environment)
        children.start("api", ["serve", "--port", str(installation.port)])
        children.start("worker", ["worker"])
        wait_until_ready(
            installation.base_url, children=children, seconds=_START_SECONDS, stop=stop
        )
        yield children
    finally:
        if children is not None:
            children.stop()
        if catcher is not None:
            catcher.stop()
        installation.stop_servers()


async def _migrate(installation: Installation) -> None:
    from migrations.runner import migrate  # noqa: PLC0415  (heavy, and needed here only)

    environment = installation.environment
    try:
        await migrate(environment["DATABASE_URL"], root_key=installation.root_key)
    except (SQLAlchemyError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise NotReady(f"The schemas could not be brought up to date: {reason}") from error


def _catch_mail(installation: Installation) -> MailCatcher | None:
    """Keep outgoing mail on this machine unless an SMTP server is configured."""
    if "CARELOOP_SMTP_HOST" in installation.environment:
        return None
    catcher = MailCatcher(installation.home / "mail")
    catcher.start()
    installation.environment |= catcher.environment
    return catcher
