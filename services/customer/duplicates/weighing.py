"""What others ask to be weighed, who know of a change and not of what makes people alike."""

from collections.abc import Collection, Iterable
from typing import Protocol
from uuid import UUID

from services.customer.duplicates.repository import Proposal


class Weighing(Protocol):
    """Keeps open pairs true, from when they are found on, whatever changes of the two."""

    async def propose(self, proposals: Iterable[Proposal]) -> None:
        """Keep pairs for a person to look at, with all that speaks for and against them.

        Everybody is written already. A pair for which nothing speaks is not kept.
        """

    async def weigh_again(self, root_ids: Collection[UUID]) -> None:
        """Give the open pairs of people who were changed the score that they have now.

        A pair for which nothing speaks any more is withdrawn. The people are locked, and named by
        the records that stand for them.
        """
