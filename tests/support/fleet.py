"""The processes of a house, each of which may be killed, frozen and started anew."""

import os
import signal
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from cli.processes import EXIT_WITH_PARENT
from tests.support.nursery import Nursery

_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Command:
    """How a process is started, and where it answers if it is an API."""

    arguments: Sequence[str]
    url: str | None = None


class Fleet:
    """All processes of one house, by name."""

    def __init__(
        self,
        commands: Mapping[str, Command],
        environment: Mapping[str, str],
        *,
        folder: Path,
        nursery: Nursery,
    ) -> None:
        self.commands = commands
        self._environment = {**environment, EXIT_WITH_PARENT: "1"}
        self._folder = folder
        self._nursery = nursery
        self._pids: dict[str, int] = {}
        self.started_at: dict[str, datetime] = {}
        self.killed_at: defaultdict[str, list[datetime]] = defaultdict(list)

    @property
    def names(self) -> list[str]:
        """Every process there should be."""
        return list(self.commands)

    @property
    def workers(self) -> list[str]:
        """The processes without a door."""
        return [name for name, command in self.commands.items() if command.url is None]

    def log_of(self, name: str) -> Path:
        """What a process says goes here, over all its lives."""
        return self._folder / f"{name}.log"

    def pid_of(self, name: str) -> int:
        """The pid of a running process. Raises KeyError."""
        return self._pids[name]

    def is_running(self, name: str) -> bool:
        """Whether it lives."""
        return name in self._pids and self._nursery.code(self._pids[name]) is None

    def start(self, name: str) -> None:
        """Start a process that does not run."""
        self.started_at[name] = datetime.now(UTC)
        self._pids[name] = self._nursery.start(
            self.commands[name].arguments, self._environment, self.log_of(name)
        )

    def start_all(self) -> None:
        """Start whatever does not run."""
        for name in self.commands:
            if not self.is_running(name):
                self.start(name)

    def kill(self, name: str) -> None:
        """`kill -9`. Raises AssertionError when it had ended by itself."""
        code = self._nursery.code(self._pids[name])
        assert code is None, f"{name} ended by itself with {code}: {self._last_words(name)}"
        os.kill(self._pids[name], signal.SIGKILL)
        self.wait_for_end(name)
        self.killed_at[name].append(datetime.now(UTC))

    def ask_to_end(self, name: str) -> None:
        """SIGTERM, as every supervisor begins."""
        os.kill(self._pids[name], signal.SIGTERM)

    def wait_for_end(self, name: str, seconds: float = _STOP_SECONDS) -> int:
        """Its exit code, once it has ended. Raises TimeoutError."""
        code = self._nursery.wait(self._pids[name], seconds)
        del self._pids[name]
        return code

    def freeze(self, name: str) -> None:
        """Take its time away, as a machine under pressure does."""
        os.kill(self._pids[name], signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let it go on as if nothing had been."""
        if self.is_running(name):
            os.kill(self._pids[name], signal.SIGCONT)

    def stop(self) -> None:
        """End everything, kindly first."""
        running = [name for name in self._pids if self.is_running(name)]
        for name in running:
            self.thaw(name)
            self.ask_to_end(name)
        for name in running:
            try:
                self.wait_for_end(name)
            except TimeoutError:
                self.kill(name)

    @property
    def doors(self) -> list[str]:
        """Where those that are APIs answer."""
        return [command.url for command in self.commands.values() if command.url]

    async def ready(self, name: str) -> bool:
        """Whether a process with a door says that it can work."""
        url = self.commands[name].url
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            try:
                return (await client.get(f"{url}/readyz")).is_success
            except httpx.HTTPError:
                return False

    async def all_ready(self) -> bool:
        """Whether those with a door are ready. Raises ChildProcessError when one does not run."""
        for name in self.commands:
            if not self.is_running(name):
                raise ChildProcessError(f"{name} ended by itself: {self._last_words(name)}")
        return all([await self.ready(name) for name, c in self.commands.items() if c.url])

    def last_words(self) -> str:
        """The end of what each process has said."""
        return "\n".join(f"{name}: {self._last_words(name)}" for name in self.names)

    def _last_words(self, name: str) -> str:
        return self.log_of(name).read_text(errors="replace")[-2000:]
