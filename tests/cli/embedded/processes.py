"""What the tests of this folder do to processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cli.embedded.processes import runs_in, wait_until

ROOT = Path(__file__).parents[3]
STARTER = Path(__file__).with_name("starter.py")


def pid_in(file: Path) -> int:
    """The pid in the first line of a server's pid file."""
    return int(file.read_bytes().split()[0])


def kill(pid: int, *, folder: Path) -> None:
    """kill -9, and wait until the process has gone from its folder."""
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not runs_in(pid, folder), timeout=5)


@contextmanager
def starter(
    kind: str, folder: Path, account: Sequence[int] = (), python_path: Sequence[Path] = ()
) -> Iterator[subprocess.Popen[str]]:
    """A process that runs starter.py; killed at the end if it still runs."""
    path = [*python_path, ROOT, *sys.path]
    with subprocess.Popen(
        [sys.executable, STARTER, kind, folder, *map(str, account)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    """The URL that a starter prints, or the first line of its trouble."""
    assert process.stdout is not None
    return process.stdout.readline().strip()
