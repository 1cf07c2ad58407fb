"""`careloop` as a user runs it: processes of its own, in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cli.embedded.processes import wait_until
from tests.cli.embedded.processes import pid_in
from tests.support.nursery import nursery

SERVING = "Careloop is running"
_PROC = Path("/proc")


def user_environment(**extra: str) -> dict[str, str]:
    """The environment of somebody who has set nothing but `extra`."""
    unset = ("CARELOOP_", "DATABASE_URL", "REDIS_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    return {**{n: v for n, v in kept.items() if not n.endswith("_DATABASE_URL")}, **extra}


def careloop(
    *arguments: str, folder: Path, environment: Mapping[str, str], seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in `folder`."""
    return nursery().run(*arguments, folder=folder, environment=environment, seconds=seconds)


class Supervisor:
    """A `careloop up` that can be started again and again on the same folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.home = folder / ".careloop"
        self.base_url = f"http://127.0.0.1:{port}"
        self.environment = user_environment(CARELOOP_PORT=str(port))
        self.pids: set[int] = set()
        self._output = folder / "output.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def ensure_serving(self) -> float:
        """Start it when it does not run; the seconds until it served."""
        if self._process is not None and self._process.poll() is None:
            return 0.0
        begun = time.monotonic()
        self.start()
        assert self.says(SERVING, seconds=60), self.output()
        self.pids = self._own_pids()
        return time.monotonic() - begun

    def start(self) -> None:
        """Run `careloop up` without waiting for anything."""
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "up"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def send(self, number: signal.Signals) -> None:
        """Send the supervisor a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def ends(self, *, seconds: float) -> int:
        """Wait for the supervisor's end; its exit code."""
        assert self._process is not None
        return self._process.wait(seconds)

    def stop(self) -> None:
        """End it whatever state it is in, with everything it started."""
        if self._process is not None and self._process.poll() is None:
            self.send(signal.SIGTERM)
            self.ends(seconds=40)

    def says(self, words: str, *, seconds: float) -> bool:
        """Whether it prints `words` in time; an end of the process ends the wait."""
        assert self._process is not None
        process = self._process
        wait_until(lambda: words in self.output() or process.poll() is not None, timeout=seconds)
        return words in self.output()

    def output(self) -> str:
        """What it has printed since it was started."""
        return self._output.read_text(encoding="utf-8")

    def demo(self) -> dict[str, Any]:
        """The content of demo.json."""
        found: dict[str, Any] = json.loads((self.home / "demo.json").read_text(encoding="utf-8"))
        return found

    def child(self, command: str) -> int:
        """The pid of the child that runs `careloop COMMAND`."""
        return next(pid for pid in self.pids if command in _command_line(pid))

    def _own_pids(self) -> set[int]:
        assert self._process is not None
        own = self._process.pid
        servers = {
            pid_in(self.home / "postgres" / "postmaster.pid"),
            pid_in(self.home / "valkey" / "valkey.pid"),
        }
        return {own, *_children_of(own), *servers}


def living(pids: Iterable[int]) -> set[int]:
    """Those of `pids` that run; a zombie, which nobody may be there to bury, is dead."""
    states = {pid: _status(pid)[:1] for pid in pids}
    return {pid for pid, state in states.items() if state and state[0] not in "ZX"}


def _children_of(parent: int) -> set[int]:
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal())
    return {pid for pid in pids if (status := _status(pid)) and int(status[1]) == parent}


def _status(pid: int) -> list[str]:
    """State and parent and more; empty for a process that is gone."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _command_line(pid: int) -> list[str]:
    try:
        return (_PROC / str(pid) / "cmdline").read_text().split("\0")
    except OSError:
        return []
