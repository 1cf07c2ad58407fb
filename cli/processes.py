"""The processes of a running installation, watched by one that starts and stops them all."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FrameType

EXIT_WITH_PARENT = "CARELOOP_EXIT_WITH_PARENT"
_STOP_SECONDS = 20.0


@dataclass
class Child:
    """One `careloop` command that runs as a process of its own."""

    name: str
    process: subprocess.Popen[bytes]


class Children:
    """Starts children, tells when one has ended, stops them in reverse order."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        # Nobody but whoever starts them sends them requests: there is nobody to tell to stop.
        quick = {"CARELOOP_DRAIN_SECONDS": "0"}
        self._environment = {**quick, **environment, EXIT_WITH_PARENT: "1"}
        self._children: list[Child] = []

    def start(self, name: str, arguments: Sequence[str]) -> Child:
        """Run `careloop ARGUMENTS`. It ends when this process ends, however that happens."""
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", *arguments],
            env=self._environment,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        child = Child(name, process)
        self._children.append(child)
        return child

    @property
    def pids(self) -> list[int]:
        """The children's process ids."""
        return [child.process.pid for child in self._children]

    def ended(self) -> Child | None:
        """A child that is no longer running, if any."""
        return next((c for c in self._children if c.process.poll() is not None), None)

    def stop(self) -> None:
        """Ask every child to end, wait, and end the stubborn ones."""
        for child in reversed(self._children):
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for child in reversed(self._children):
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
            if child.process.stdin is not None:
                child.process.stdin.close()
        self._children.clear()


def end_with_parent() -> None:
    """Stop this process when the one that started it is gone (its end of our stdin closes)."""
    if os.environ.get(EXIT_WITH_PARENT) != "1":
        return

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


class StopSignal:
    """Remembers that SIGINT or SIGTERM has come."""

    def __init__(self) -> None:
        self._event = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    @property
    def has_come(self) -> bool:
        """Whether it is there."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """True once the signal is there, False after `seconds` without it."""
        return self._event.wait(seconds)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._event.set()
