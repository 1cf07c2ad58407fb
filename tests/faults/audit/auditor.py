"""Compares what was asked for with what is there, and says what does not add up."""

from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from tests.faults.audit.books import Books, Check, Finding
from tests.faults.audit.copies import copy_checks
from tests.faults.audit.inputs import input_checks
from tests.faults.audit.ledger import ledger_checks
from tests.faults.audit.leftovers import leftover_checks
from tests.faults.audit.public import public_checks
from tests.faults.audit.stream import stream_checks


class Auditor:
    """All checks, in the order in which one would ask."""

    def __init__(self, *, redis_url: str) -> None:
        self.checks: Sequence[Check] = (
            *input_checks(),
            *stream_checks(),
            *copy_checks(),
            *ledger_checks(),
            *public_checks(),
            *leftover_checks(redis_url),
        )

    async def audit(self, connection: AsyncConnection, books: Books) -> list[Finding]:
        """Every check's finding."""
        return [await check(connection, books) for check in self.checks]

    async def unsettled(self, connection: AsyncConnection, books: Books) -> list[str]:
        """What is still on its way: everything here passes once the house is at rest."""
        settling = (*stream_checks(), *ledger_checks(), *self._of("deliveries", "jobs have ended"))
        findings = [await check(connection, books) for check in settling]
        return [f"{f.name}: {fault}" for f in findings for fault in f.faults]

    def _of(self, *names: str) -> Iterable[Check]:
        return (check for check in self.checks if check.name in names)
