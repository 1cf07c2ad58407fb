"""Where processes come from: one that has loaded the house's code and forks itself on demand.

Each is a process of its own that runs the commands that people and containers run; it only does
not spend three seconds on imports first. So whole installations cost little, and a run of a minute
holds more deaths and more work between them.
"""

import atexit
import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from shared.settings import SERVICES

_ROOT: Final = Path(__file__).parents[2]
_PAUSE_SECONDS: Final = 0.005
_LOADED: Final = (
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.lifespan.on",
    "uvloop",
    "cli.main",
    "cli.commands.serve",
    "cli.parts.gateway",
    *(f"cli.parts.{service}" for service in SERVICES),
)


class Nursery:
    """Starts processes; they all end when the process that holds this ends, however it does."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.nursery", str(theirs.fileno())],
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
            )
        self._line = ours
        self._file = ours.makefile("rb")
        self._one_at_a_time = threading.Lock()

    def start(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        errors: Path | None = None,
        folder: Path = _ROOT,
    ) -> int:
        """Run `careloop ARGUMENTS` in `folder` with its output at the end of `log`; its pid."""
        order = {
            "arguments": [*arguments],
            "environment": {**environment},
            "log": str(log),
            "errors": str(errors or log),
            "folder": str(folder),
        }
        return int(self._ask(order))

    def run(
        self,
        *arguments: str,
        environment: Mapping[str, str],
        folder: Path = _ROOT,
        seconds: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run `careloop ARGUMENTS` to its end. Raises TimeoutError."""
        with tempfile.TemporaryDirectory(prefix="careloop-command-") as kept:
            log, errors = Path(kept, "out"), Path(kept, "err")
            pid = self.start(arguments, environment, log, errors=errors, folder=folder)
            try:
                code = self.wait(pid, seconds)
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise
            return subprocess.CompletedProcess(
                arguments, code, log.read_text("utf-8"), errors.read_text("utf-8")
            )

    def code(self, pid: int) -> int | None:
        """The exit code of a process that has ended, negative for a signal; None while it runs."""
        code: int | None = self._ask({"code": pid})
        return code

    def wait(self, pid: int, seconds: float) -> int:
        """The exit code, once there is one. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while (code := self.code(pid)) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {pid} still runs after {seconds:.0f} s")
            time.sleep(_PAUSE_SECONDS)
        return code

    def close(self) -> None:
        """Let it end, and its children with it."""
        self._file.close()
        self._line.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(30)

    def _ask(self, order: Mapping[str, Any]) -> Any:
        with self._one_at_a_time:
            self._line.sendall(json.dumps(order).encode() + b"\n")
            return json.loads(self._file.readline())


@cache
def nursery() -> Nursery:
    """The one of this process of tests."""
    made = Nursery()
    atexit.register(made.close)
    return made


def main(line: socket.socket) -> None:
    """Load, then do as told until the other end is closed."""
    for module in _LOADED:
        import_module(module)
    gc.collect()
    gc.freeze()
    codes: dict[int, int] = {}
    with line, line.makefile("rb") as orders:
        for raw in orders:
            order = json.loads(raw)
            _reap(codes)
            if "code" in order:
                answer = codes.get(order["code"])
            else:
                answer = _fork(order, line)
                # Systems give numbers out again; what ended under this one was another.
                codes.pop(answer, None)
            line.sendall(json.dumps(answer).encode() + b"\n")


def _reap(codes: dict[int, int]) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            codes[pid] = os.waitstatus_to_exitcode(status)


def _fork(order: Mapping[str, Any], line: socket.socket) -> int:
    pid = os.fork()
    if pid != 0:
        return pid
    # From here on this is the new process; it never returns to the loop above.
    code = 70
    try:
        line.close()
        code = _live(order)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _live(order: Mapping[str, Any]) -> int:
    os.setsid()
    for stream, name in ((1, "log"), (2, "errors")):
        log = os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(log, stream)
    os.chdir(order["folder"])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["careloop", *order["arguments"]]
    from cli.main import main as careloop  # noqa: PLC0415

    try:
        careloop()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
