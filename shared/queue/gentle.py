"""An arq worker that ends without leaving anything behind."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable
from typing import Any

from arq.worker import Worker


class GentleWorker(Worker):
    """Can be told to begin nothing more, and knows when its jobs are over.

    arq's own `close` cancels what runs and does not wait until Redis was told of it.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._picking = asyncio.Lock()
        self._telling: set[asyncio.Task[Any]] = set()

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Begin jobs, unless this is to end."""
        async with self._picking:
            if self.allow_pick_jobs:
                await super().start_jobs(job_ids)

    async def finish_job(self, *arguments: Any, **options: Any) -> None:
        """Tell Redis that a job is over."""
        await self._tell(super().finish_job(*arguments, **options))

    async def finish_failed_job(self, *arguments: Any, **options: Any) -> None:
        """Tell Redis that a job cannot be run."""
        await self._tell(super().finish_failed_job(*arguments, **options))

    async def end(self, *, patience_seconds: float) -> None:
        """Take no more jobs, let those that run come to their end for a while, cancel the rest."""
        self.allow_pick_jobs = False
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_seconds), self._picking:
                    pass  # whoever was about to begin jobs has begun them
            await _over(self.tasks.values(), seconds=patience_seconds)
        finally:
            # Cancelled jobs may come out of it as a cancellation of ours.
            await asyncio.gather(self.close(), return_exceptions=True)
            await _over(self.tasks.values())
            await _over(self._telling)

    async def _tell(self, telling: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(telling)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
        await task


async def _over(tasks: Iterable[asyncio.Task[Any]], *, seconds: float | None = None) -> None:
    if running := list(tasks):
        await asyncio.wait(running, timeout=seconds)
