"""Many customers of other systems at once: each row for itself, in one transaction."""

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter

from services.customer.customers.batch_schemas import (
    CustomerBatchRead,
    CustomerBatchResult,
    CustomerBatchRow,
    RowFault,
    RowOutcome,
    RowProblem,
    Unreadable,
)
from services.customer.customers.service import CustomerService
from shared.db.unit_of_work import UnitOfWork
from shared.errors import CareloopError, FieldError, LostRace, Unavailable


class BatchUpsert:
    """Creates and changes customers, inside one unit of work: rows that are refused leave nothing.

    Of two rows with one id the later one is heard last. Ids are taken in an order of their own, so
    that two batches about the same people wait for each other once and not for ever.
    """

    def __init__(self, *, uow: UnitOfWork, customers: CustomerService) -> None:
        self._uow = uow
        self._customers = customers

    async def put(self, rows: Sequence[CustomerBatchRow | Unreadable]) -> CustomerBatchRead:
        """What became of each. Raises LostRace, Unavailable: then of none."""
        in_turn = sorted(enumerate(rows), key=_turn)
        results = [await self._put(number, row) for number, row in in_turn]
        results.sort(key=attrgetter("row"))
        found = Counter(result.outcome for result in results)
        return CustomerBatchRead(
            created=found["created"],
            updated=found["updated"],
            unchanged=found["unchanged"],
            refused=found["refused"],
            data=results,
        )

    async def _put(self, number: int, row: CustomerBatchRow | Unreadable) -> CustomerBatchResult:
        if isinstance(row, Unreadable):
            return _refused(number, row.error)
        began = self._uow.clock.now()
        try:
            async with self._uow.savepoint():
                record, created = await self._customers.upsert(
                    source=row.source, external_id=row.external_id, given=row
                )
        except (LostRace, Unavailable):
            raise
        except CareloopError as error:
            self._customers.start_anew()
            return _refused(number, error)
        changed: RowOutcome = "unchanged" if record.updated_at < began else "updated"
        return CustomerBatchResult(
            row=number,
            outcome="created" if created else changed,
            customer_id=record.id,
            code=record.code,
            version=record.version,
            problem=None,
        )


def _turn(numbered: tuple[int, CustomerBatchRow | Unreadable]) -> tuple[str, str]:
    _, row = numbered
    return ("", "") if isinstance(row, Unreadable) else (row.source, row.external_id)


def _refused(number: int, error: CareloopError) -> CustomerBatchResult:
    problem = RowProblem(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        errors=[_fault_of(number, each) for each in error.errors],
    )
    return CustomerBatchResult(
        row=number,
        outcome="refused",
        customer_id=None,
        code=None,
        version=None,
        problem=problem,
    )


def _fault_of(number: int, fault: FieldError) -> RowFault:
    """The same, of a row of the request."""
    within = fault.pointer.removeprefix("/body")
    return RowFault(
        pointer=f"/body/customers/{number}{within}", code=fault.code, detail=fault.detail
    )
