"""What others ask to be weighed again, who know of a change and not of what makes people alike."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID


class Weighing(Protocol):
    """Keeps open pairs true when what speaks for or against them has changed."""

    async def weigh_again(self, root_ids: Collection[UUID]) -> None:
        """Give the open pairs of people who were changed the score that they have now.

        A pair for which nothing speaks any more is withdrawn. The people are locked, and named by
        the records that stand for them.
        """
