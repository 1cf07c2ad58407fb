"""The story on a stage: the installation that runs here, or one that is started for it."""

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import typer
from rich.console import Console

from cli.demo.narration import ConsoleNarrator, JsonNarrator, Narrator, Script
from cli.demo.story import CareLoop
from cli.installation import Installation
from cli.mail_catcher import caught
from cli.ports import free_port
from cli.running import running


def perform(*, as_json: bool) -> bool:
    """Tell the story to a person or, as JSON, to a machine; whether every step succeeded."""
    json_narrator = JsonNarrator()
    narrator: Narrator = json_narrator if as_json else ConsoleNarrator(Console())
    with _stage() as installation:
        ok = asyncio.run(_tell(installation, narrator))
    if as_json:
        typer.echo(json_narrator.document())
    return ok


async def _tell(installation: Installation, narrator: Narrator) -> bool:
    async with httpx.AsyncClient(
        base_url=installation.base_url, timeout=30, trust_env=False
    ) as http:
        story = CareLoop(
            http,
            operator_key=installation.environment["CARELOOP_OPERATOR_KEY"],
            mailbox=lambda: caught(installation.home / "mail"),
            script=Script(narrator),
        )
        try:
            await story.tell()
        except Exception as error:  # noqa: BLE001  (told by the step; here it decides the exit code)
            Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
            return False
    return True


@contextlib.contextmanager
def _stage() -> Iterator[Installation]:
    """The installation running here, or a new one in a folder of its own."""
    installation = Installation.open()
    if _answers(installation.base_url):
        yield installation
        return
    with tempfile.TemporaryDirectory(prefix="careloop-demo-") as folder:
        own = Installation.open(home=Path(folder), port=free_port())
        with running(own):
            yield own


def _answers(base_url: str) -> bool:
    try:
        return httpx.get(f"{base_url}/readyz", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False
