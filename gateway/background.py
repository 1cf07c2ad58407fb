"""Small things that a request sets off and does not wait for."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

_log = structlog.get_logger(__name__)


class Background:
    """Runs work beside the requests, so many pieces at a time at most; what fails is logged.

    What is done here may be lost when the process dies: it is for what somebody repeats anyway.
    """

    def __init__(self, *, at_once: int = 100) -> None:
        self._most = at_once
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, what: str, work: Coroutine[Any, Any, None]) -> bool:
        """Begin `work`; False when too much is under way already, and it was dropped."""
        if len(self._tasks) >= self._most:
            work.close()
            _log.warning("background_full", what=what)
            return False
        task = asyncio.create_task(self._run(what, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def drain(self) -> None:
        """Wait until everything that was begun has ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    @staticmethod
    async def _run(what: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001  (nobody waits for it)
            _log.exception("background_failed", what=what)
