"""Generated requests against a running installation: `python -m tests.contract.fuzzing`."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from cli.demo.narration import Script, Step
from cli.demo.story import CareLoop
from cli.mail_catcher import caught
from tests.support.house import House, running_house
from tests.support.servers import ROOT_KEY, Servers, create_database

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
# The operations that take rules of segments; see the configuration.
RULES = ("segments.create", "segments.preview", "segments.update")
# The requests come from one caller as fast as they can; what limits do is tested elsewhere.
UNLIMITED = {
    "CARELOOP_ACCESS_TOKEN_SECONDS": "3600",
    "CARELOOP_LOGIN_FAILURES": "1000",
    "CARELOOP_LOGIN_FAILURES_PER_CLIENT": "100000",
    **{
        f"CARELOOP_RATE_LIMIT_{who}": "1000000/1"
        for who in ("KEY", "STAFF", "SHOPPER", "SHOP", "ADDRESS", "PAGE", "HOOK")
    },
}

# What there is in a shop that the story does not need.
_FURNITURE = (
    ("/v1/teams", {"name": "Chăm sóc"}),
    ("/v1/roles", {"name": "Kho", "scopes": ["orders:read"]}),
    ("/v1/webhook-endpoints", {"url": "http://127.0.0.1:9/care"}),
)


class _Silent:
    def tell(self, step: Step) -> None:
        assert step.ok, step


async def live_through(house: House) -> CareLoop:
    """Tell the story once, so that there is something of every kind to ask for."""
    async with httpx.AsyncClient(base_url=house.base_url, timeout=30, trust_env=False) as http:
        loop = CareLoop(
            http,
            operator_key=house.operator_key,
            mailbox=lambda: caught(house.mail.folder),
            script=Script(_Silent()),
        )
        await loop.tell()
        for path, body in _FURNITURE:
            await loop.api.post(path, body)
    return loop


def schemathesis(
    house: House, loop: CareLoop, arguments: Sequence[str], *, quiet: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run Schemathesis over everything that the installation says it offers."""
    environment = {
        **os.environ,
        "CONTRACT_URL": house.base_url,
        "CONTRACT_API_KEY": loop.shop.api_key,
        "CONTRACT_STAFF_EMAIL": loop.shop.owner_email,
        "CONTRACT_STAFF_PASSWORD": loop.shop.owner_password,
        "CONTRACT_OPERATOR_KEY": house.operator_key,
        "NO_PROXY": "127.0.0.1",
    }
    command = [str(Path(sys.executable).with_name("schemathesis"))]
    command += ["--config-file", str(CONFIGURATION), "run", *arguments]
    command += [f"{house.base_url}/openapi.json"]
    return subprocess.run(
        command,
        env=environment,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        encoding="utf-8",
        check=False,
    )


@contextmanager
def _installation() -> Iterator[House]:
    os.environ.update(UNLIMITED)
    servers = Servers.start()
    try:
        with tempfile.TemporaryDirectory(prefix="careloop-contract-") as folder:
            url = asyncio.run(create_database(servers.postgres.url(), "contract"))
            with running_house(
                "all_in_one",
                database_url=url,
                redis_url=servers.valkey.url(),
                root_key=ROOT_KEY,
                folder=Path(folder),
            ) as house:
                yield house
    finally:
        servers.stop()


if __name__ == "__main__":
    with _installation() as running:
        ended = schemathesis(running, asyncio.run(live_through(running)), sys.argv[1:])
    sys.exit(ended.returncode)
