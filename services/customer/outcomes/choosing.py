"""Which words something can have as its outcome: the shop's, where it has defined some."""

from typing import Any, Literal

from sqlalchemy import Row

from services.customer.outcomes.errors import OutcomeNotDefined
from services.customer.outcomes.repository import OutcomeRepository
from shared.db.unit_of_work import UnitOfWork

Subject = Literal["interaction", "task", "appointment"]


class Outcomes:
    """The words of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._outcomes = OutcomeRepository(uow)

    async def check(
        self, pointer: str, subject: Subject, kind: str | None, word: str | None
    ) -> None:
        """Raises OutcomeNotDefined for a word that is none of the shop's; `pointer` names it.

        Where the shop has defined none for the kind, every word will do.
        """
        if word is None:
            return
        allowed = [row.key for row in await self._of(subject, kind)]
        if allowed and word not in allowed:
            raise OutcomeNotDefined(pointer, allowed)

    async def find(
        self, subject: Subject, kind: str | None, word: str | None
    ) -> Row[*tuple[Any, ...]] | None:
        """What the shop has defined for a word."""
        if word is None:
            return None
        return next((row for row in await self._of(subject, kind) if row.key == word), None)

    async def _of(self, subject: Subject, kind: str | None) -> list[Row[*tuple[Any, ...]]]:
        names = {subject, f"{subject}.{kind}"}
        return [
            row
            for row in await self._outcomes.all()
            if row.active and not names.isdisjoint(row.applies_to)
        ]
