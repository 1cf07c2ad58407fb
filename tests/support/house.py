"""A whole installation of real processes, in either topology, on the run's servers."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from redis import Redis

from cli.errors import NotReady
from cli.mail_catcher import MailCatcher
from cli.ports import LOOPBACK, free_port
from cli.readiness import wait_until_ready
from shared.settings import SCHEMAS, SERVICES
from tests.support.fleet import Command, Fleet
from tests.support.nursery import nursery
from tests.support.outbound import LOOPBACK as LOOPBACK_NETWORKS

Topology = Literal["all_in_one", "split"]
OPERATOR_KEY = "op_test-operator-key-0123456789"
_START_SECONDS = 90


@dataclass(frozen=True, slots=True)
class House:
    """A running installation."""

    base_url: str
    operator_key: str
    mail: MailCatcher
    environment: dict[str, str]
    folder: Path

    def logs(self) -> str:
        """What all processes have said so far."""
        return "".join(log.read_text("utf-8") for log in sorted(self.folder.glob("*.log")))


@contextmanager
def running_house(
    topology: Topology,
    *,
    database_url: str | None,
    redis_url: str,
    root_key: str,
    folder: Path,
    part_urls: Mapping[str, str] | None = None,
    more: Mapping[str, str] | None = None,
) -> Iterator[House]:
    """Start every process with the commands that containers run, and stop them afterwards.

    What they say is in `folder`. What other tests have left in the queue is gone, as after
    `FLUSHALL`: the workers would do that first.

    All parts use the server of `database_url`, or each its own of `part_urls`. `more` variables
    go before those that are set here.
    """
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
    mail = MailCatcher(folder / "mail")
    mail.start()
    port = free_port()
    environment = {
        **os.environ,
        **({} if database_url is None else {"DATABASE_URL": database_url}),
        **{f"{part.upper()}_DATABASE_URL": url for part, url in (part_urls or {}).items()},
        "REDIS_URL": redis_url,
        "CARELOOP_SECRET_KEY": root_key,
        "CARELOOP_OPERATOR_KEY": OPERATOR_KEY,
        "CARELOOP_PUBLIC_URL": f"http://{LOOPBACK}:{port}",
        "CARELOOP_HOME": str(folder),
        **mail.environment,
        "CARELOOP_LOG_LEVEL": "warning",
        "CARELOOP_POOL_SIZE": "6",
        "CARELOOP_ACCESS_LOG": "false",
        "CARELOOP_DRAIN_SECONDS": "0",
        "CARELOOP_OUTBOUND_ALLOW": LOOPBACK_NETWORKS,
        **(more or {}),
    }
    if topology == "all_in_one":
        commands = {
            "api": Command(["serve", "--port", str(port)], environment["CARELOOP_PUBLIC_URL"]),
            "worker": Command(["worker"]),
        }
    else:
        commands = _split_commands(environment, port)
    fleet = Fleet(commands, environment, folder=folder, nursery=nursery())
    try:
        fleet.start_all()
        base_url = environment["CARELOOP_PUBLIC_URL"]
        try:
            for door in fleet.doors:
                wait_until_ready(door, children=None, seconds=_START_SECONDS)
        except NotReady as error:
            error.add_note(fleet.last_words())
            raise
        yield House(base_url, OPERATOR_KEY, mail, environment, folder)
    finally:
        fleet.stop()
        mail.stop()


def _split_commands(environment: dict[str, str], port: int) -> dict[str, Command]:
    commands: dict[str, Command] = {}
    for service in SERVICES:
        own = free_port()
        url = environment[f"CARELOOP_UPSTREAM_{service.upper()}"] = f"http://{LOOPBACK}:{own}"
        commands[service] = Command(["serve", "--part", service, "--port", str(own)], url)
    url = environment["CARELOOP_PUBLIC_URL"]
    commands["gateway"] = Command(["serve", "--part", "gateway", "--port", str(port)], url)
    for part in SCHEMAS:
        commands[f"{part}-worker"] = Command(["worker", "--part", part])
    return commands
