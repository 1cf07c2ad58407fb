"""The processes of the houses that are made trouble for."""

import os
from collections.abc import Mapping
from pathlib import Path

from cli.ports import LOOPBACK
from shared.settings import SCHEMAS, SERVICES
from tests.faults.ports import lasting_port
from tests.support.fleet import Command, Fleet
from tests.support.house import Topology
from tests.support.nursery import Nursery


def fleet_of(
    topology: Topology, environment: Mapping[str, str], *, folder: Path, nursery: Nursery
) -> tuple[Fleet, str]:
    """The processes of a house that nobody has started yet, and the address of its door."""
    port = lasting_port()
    door = f"http://{LOOPBACK}:{port}"
    environment = {**os.environ, **environment, "CARELOOP_PUBLIC_URL": door}
    if topology == "all_in_one":
        commands = {
            "api": Command(["serve", "--port", str(port)], door),
            "worker": Command(["worker"]),
        }
    else:
        commands = _split(environment, port, door)
    return Fleet(commands, environment, folder=folder, nursery=nursery), door


def doubled_fleet(
    environment: Mapping[str, str], *, door: str, folder: Path, nursery: Nursery
) -> Fleet:
    """Two processes of each API and one worker of each part; a balancer listens at `door`.

    The gateways are `gateway-1` and `gateway-2`.
    """
    environment = {**os.environ, **environment, "CARELOOP_PUBLIC_URL": door}
    commands: dict[str, Command] = {}
    for part in SCHEMAS:
        urls = [f"http://{LOOPBACK}:{lasting_port()}" for _ in range(2)]
        for number, url in enumerate(urls, start=1):
            port = url.rpartition(":")[2]
            commands[f"{part}-{number}"] = Command(["serve", "--part", part, "--port", port], url)
        if part in SERVICES:
            environment[f"CARELOOP_UPSTREAM_{part.upper()}"] = ",".join(urls)
        commands[f"{part}-worker"] = Command(["worker", "--part", part])
    return Fleet(commands, environment, folder=folder, nursery=nursery)


def _split(environment: dict[str, str], port: int, door: str) -> dict[str, Command]:
    commands: dict[str, Command] = {}
    for service in SERVICES:
        own = lasting_port()
        url = f"http://{LOOPBACK}:{own}"
        environment[f"CARELOOP_UPSTREAM_{service.upper()}"] = url
        commands[service] = Command(["serve", "--part", service, "--port", str(own)], url)
    commands["gateway"] = Command(["serve", "--part", "gateway", "--port", str(port)], door)
    for part in SCHEMAS:
        commands[f"{part}-worker"] = Command(["worker", "--part", part])
    return commands
