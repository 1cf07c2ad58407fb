"""An embedded server's life: a healthy one is adopted, the last of its users stops it."""

import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from signal import Signals
from types import TracebackType
from typing import ClassVar, Self

from cli.embedded.endpoint import Endpoint, choose_endpoint, release
from cli.embedded.errors import (
    DiskFull,
    EmbeddedServerError,
    ProgramsMissing,
    ServerNotStarted,
    ServerStartFailed,
    ServerStopFailed,
    actionable,
)
from cli.embedded.locks import Membership, exclusive
from cli.embedded.memory import State, read_password, read_state, write_state
from cli.embedded.processes import Account, end, runs_in, server_account
from cli.embedded.programs import Program, find_program, reachable_path

LOCK_SECONDS = 120.0
# After a crash a database may have minutes of work to read back before it answers.
RECOVERY_SECONDS = 300.0
SILENCE_SECONDS = 15.0
RETRY_SECONDS = 10.0
_POLL_SECONDS = 0.01
_LARGEST_LOG = 10 * 1024 * 1024


class Health(Enum):
    """What a server says when asked."""

    READY = "ready"
    STARTING = "starting"
    SILENT = "silent"


class EmbeddedServer(ABC):
    """One server on one data folder, shared by all processes that start it.

    Synchronous and safe between processes; an instance belongs to one thread.
    """

    title: ClassVar[str]
    url_variable: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    program_patterns: ClassVar[tuple[str, ...]]
    pid_file: ClassVar[str]
    socket_port: ClassVar[int]
    stop_signals: ClassVar[Sequence[tuple[Signals, float]]]

    def __init__(self, data_dir: Path, *, durable: bool) -> None:
        self._data_dir = data_dir.absolute()
        self._durable = durable
        self._users = Membership(self._beside("users"))
        self._program: Program | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        """The file that takes the server's output."""
        return self._beside("log")

    def start(self) -> None:
        """Make the server run and this instance one of its users; again is harmless.

        A healthy server on the folder is adopted with the settings it has; a dead one is
        replaced, and so is one without durability when durability is asked for.
        Raises EmbeddedServerError.
        """
        with actionable(self.title, self._data_dir):
            self._data_dir.parent.mkdir(parents=True, exist_ok=True)
            with exclusive(self._beside("lock"), timeout=LOCK_SECONDS):
                joined = self._users.join()
                try:
                    if not self._adopt():
                        self._launch()
                except BaseException:
                    if joined:
                        self._users.leave()
                    raise

    def stop(self) -> None:
        """Leave the server, and stop it cleanly when it has no other user in any process.

        A user that was killed has left. Raises EmbeddedServerError.
        """
        if not self._data_dir.parent.exists():
            return
        with (
            actionable(self.title, self._data_dir),
            exclusive(self._beside("lock"), timeout=LOCK_SECONDS),
        ):
            self._users.leave()
            if self._users.is_deserted():
                self._end()
                if (state := self._state()) is not None:
                    release(state.endpoint)

    def is_ready(self) -> bool:
        """Whether the server runs on the data folder and answers."""
        state = self._state()
        return (
            state is not None
            and self._running_pid() is not None
            and self._ask(state.endpoint) is Health.READY
        )

    @abstractmethod
    def _ask(self, endpoint: Endpoint) -> Health:
        """Ask the server at `endpoint` how it is; takes a few seconds at most."""

    @abstractmethod
    def _prepare(self, account: Account) -> None:
        """Make the data folder ready for a start; no server runs on it now."""

    @abstractmethod
    def _spawn(self, account: Account, endpoint: Endpoint) -> subprocess.Popen[bytes]:
        """Start the server's process."""

    @abstractmethod
    def _is_passing(self, output: str) -> bool:
        """Whether a start that failed with `output` may succeed a moment later."""

    def _explain(self, output: str) -> EmbeddedServerError:
        """The error for a start that failed with `output`."""
        if "No space left on device" in output:
            return DiskFull(self.title, self._data_dir)
        return ServerStartFailed(self.title, log=self.log, output=output)

    def _adopt(self) -> bool:
        """Whether a server that suits us runs already; one that does not is ended."""
        pid = self._running_pid()
        if pid is None:
            return False
        state = self._state()
        if (
            state is not None
            and (state.durable or not self._durable)
            and not state.endpoint.is_lost
            and self._answers(state.endpoint, alive=lambda: runs_in(pid, self._data_dir))
        ):
            return True
        self._end()
        return False

    def _launch(self) -> None:
        account = server_account(self._data_dir)
        self._prepare(account)
        remembered = self._state()
        endpoint = choose_endpoint(
            remembered.endpoint if remembered else None, account=account, port=self.socket_port
        )
        try:
            write_state(self._beside("state"), State(endpoint, durable=self._durable))
            self._shorten_log()
            self._launch_at(endpoint, account)
        except Exception:
            release(endpoint)
            raise

    def _launch_at(self, endpoint: Endpoint, account: Account) -> None:
        deadline = time.monotonic() + RETRY_SECONDS
        while (output := self._attempt(account, endpoint)) is not None:
            if not self._is_passing(output) or time.monotonic() > deadline:
                raise self._explain(output)
            time.sleep(_POLL_SECONDS * 10)

    def _attempt(self, account: Account, endpoint: Endpoint) -> str | None:
        """Start the process once; None when it answers, else what it had to say."""
        before = self.log.stat().st_size if self.log.exists() else 0
        process = self._spawn(account, endpoint)
        if self._answers(endpoint, alive=lambda: process.poll() is None):
            return None
        if process.poll() is None:
            end(process.pid, folder=self._data_dir, signals=self.stop_signals)
        with self.log.open("rb") as log:
            log.seek(before)
            return log.read().decode("utf-8", "replace")

    def _answers(self, endpoint: Endpoint, *, alive: Callable[[], bool]) -> bool:
        """Wait until the server is ready; False when it dies, is silent or takes too long."""
        begun = heard = time.monotonic()
        while alive():
            health = self._ask(endpoint)
            now = time.monotonic()
            if health is Health.READY:
                return True
            if health is Health.STARTING:
                heard = now
            if now - heard > SILENCE_SECONDS or now - begun > RECOVERY_SECONDS:
                return False
            time.sleep(_POLL_SECONDS)
        return False

    def _end(self) -> None:
        pid = self._running_pid()
        if pid is not None and not end(pid, folder=self._data_dir, signals=self.stop_signals):
            raise ServerStopFailed(self.title, pid=pid)

    def _running_pid(self) -> int | None:
        """The pid in the server's own pid file, if that process lives in the data folder."""
        try:
            pid = int((self._data_dir / self.pid_file).read_bytes().partition(b"\n")[0])
        except (OSError, ValueError):
            return None
        return pid if pid > 0 and runs_in(pid, self._data_dir) else None

    def _own_program(self) -> Program:
        if self._program is None:
            self._program = find_program(self.packages, self.program_patterns)
        if self._program is None:
            raise ProgramsMissing(
                self.title, packages=self.packages, url_variable=self.url_variable
            )
        return self._program

    def _program_for(self, account: Account) -> Path:
        """The program at a path where `account` can run it."""
        program = self._own_program()
        path = reachable_path(program, account)
        if path is None:
            raise EmbeddedServerError(
                f"The account that shall run the embedded {self.title} (user {account.uid}) can"
                f" reach neither {program.path} nor a copy of it. Start Careloop as an ordinary"
                f" user, or set {self.url_variable} to a server of your own."
            )
        return path

    def _shorten_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG:
            self.log.replace(self._beside("log.old"))

    def _beside(self, suffix: str) -> Path:
        return self._data_dir.with_name(f"{self._data_dir.name}.{suffix}")

    def _state(self) -> State | None:
        return read_state(self._beside("state"))

    def _forget_endpoint(self) -> None:
        """For new data: a server of data that was deleted may still listen at the old place."""
        self._beside("state").unlink(missing_ok=True)

    def _address(self) -> tuple[Endpoint, str]:
        """Where the server listens, and its password."""
        state, password = self._state(), read_password(self._beside("password"))
        if state is None or password is None:
            raise ServerNotStarted(self.title, self._data_dir)
        return state.endpoint, password
