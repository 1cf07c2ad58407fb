"""Clients that are generated from the description compile, and do the main job.

Nothing that is generated is kept: a client is made anew of what the document says today.
"""

import asyncio
import os
import re
import shutil
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.mail_catcher import caught
from tests.contract.node import MODULES, needs_node, run, run_tool
from tests.support.house import House
from tests.support.waiting import eventually

CLIENTS = Path(__file__).with_name("clients")
_BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def python_client(document_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated package."""
    folder = tmp_path_factory.mktemp("python")
    (folder / "config.yaml").write_text("package_name_override: careloop_client\npost_hooks: []\n")
    command = [str(_BIN / "openapi-python-client"), "generate", "--fail-on-warning"]
    command += ["--path", str(document_file), "--config", "config.yaml"]
    run([*command, "--meta", "none", "--output-path", "careloop_client"], folder=folder)
    return folder


@pytest.fixture(scope="module")
def typescript_client(document_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated types, and with what uses them compiled."""
    folder = tmp_path_factory.mktemp("typescript")
    for name in ("care_loop.ts", "tsconfig.json"):
        shutil.copy(CLIENTS / name, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(MODULES)
    options = ["--default-non-nullable", "false", "--output", str(folder / "schema.d.ts")]
    run_tool("openapi-typescript", str(document_file), *options)
    run_tool("tsc", "--project", ".", folder=folder)
    return folder


def test_the_python_client_is_typed(python_client: Path) -> None:
    """The package as its generator promises it; the program that uses it, strictly."""
    mypy = [sys.executable, "-m", "mypy", "--config-file=", "--cache-dir=cache"]
    run([*mypy, "--package", "careloop_client"], folder=python_client)
    shutil.copy(CLIENTS / "care_loop.py", python_client)
    run([*mypy, "--strict", "--follow-imports=silent", "care_loop.py"], folder=python_client)


async def test_the_python_client_does_the_main_job(house: House, python_client: Path) -> None:
    await _drive([sys.executable, str(CLIENTS / "care_loop.py")], house, python_client)


@needs_node
async def test_the_typescript_client_does_the_main_job(
    house: House, typescript_client: Path
) -> None:
    await _drive(["node", "built/care_loop.js"], house, typescript_client)


async def _drive(command: Sequence[str], house: House, folder: Path) -> None:
    """Run a client; when it asks, give it the token of the survey that came by mail."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "CARELOOP_URL": house.base_url,
        "CARELOOP_OPERATOR_KEY": house.operator_key,
        "NO_PROXY": "127.0.0.1",
    }
    client = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdin=PIPE, stdout=PIPE, stderr=STDOUT
    )
    assert client.stdin is not None
    assert client.stdout is not None
    said = (await client.stdout.readline()).decode()
    asked = re.fullmatch(r"survey of (\S+)\n", said)
    if asked:
        token = await eventually(lambda: _survey_token(house, asked[1]), seconds=60)
        client.stdin.write(f"{token}\n".encode())
    said += (await client.stdout.read()).decode()
    assert (await client.wait(), said.splitlines()[-1:]) == (0, ["done"]), said


async def _survey_token(house: House, address: str) -> str:
    for mail in caught(house.mail.folder):
        part = mail.get_body(preferencelist=("plain", "html"))
        if part is not None and address in str(mail["To"]):
            found = re.search(r"/pages/surveys/([\w-]+)", part.get_content())
            if found:
                return found[1]
    return ""
