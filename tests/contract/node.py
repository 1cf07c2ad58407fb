"""The tools that come from npm. `.ci/run` installs them; a test without them is skipped."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

FOLDER = Path(__file__).with_name("npm")
MODULES = FOLDER / "node_modules"
_TOOLS = ("spectral", "openapi-typescript", "tsc")

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not all((MODULES / ".bin" / tool).exists() for tool in _TOOLS),
    reason="no node, or its tools are not installed: npm ci --prefix tests/contract/npm",
)


def run_tool(tool: str, *arguments: str, folder: Path = FOLDER) -> str:
    """Run one of the tools; what it printed. Fails the test when the tool fails."""
    return run([str(MODULES / ".bin" / tool), *arguments], folder=folder)


def run(command: Sequence[str], *, folder: Path) -> str:
    """Run a command to its end; what it printed. Fails the test when it fails."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "NO_UPDATE_NOTIFIER": "1", "SCARF_ANALYTICS": "false"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    if ended.returncode:
        pytest.fail(f"{Path(command[0]).name} ended with {ended.returncode}:\n{ended.stdout}")
    return ended.stdout
