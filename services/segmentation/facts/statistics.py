"""Keeps the planner's idea of the tables' size from lagging behind a load.

Until a table has statistics, PostgreSQL takes every index that begins with the tenant for equally
good, and autovacuum looks once a minute only: a new shop's first import would run a hundred times
slower than the same import a minute later.
"""

from typing import Final

from shared.db.unit_of_work import UnitsOfWork

BATCHES_BETWEEN_LOOKS: Final = 8
_REFRESH: Final = "SELECT segmentation.refresh_statistics()"


class Statistics:
    """Has tables analysed that have grown to a multiple of what they were."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units
        self._batches = 0

    async def batch_applied(self) -> None:
        """Look now and then whether a table has grown; to be awaited after a commit."""
        self._batches += 1
        if self._batches % BATCHES_BETWEEN_LOOKS == 1:
            await self._units.ask(_REFRESH)
