"""Many customers of other systems at once: each row for itself, in one transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from services.customer.customers.schemas import CustomerUpsert, ExternalId, Source
from services.customer.customers.service import CustomerService
from shared.bodies import Body
from shared.db.unit_of_work import UnitOfWork
from shared.errors import CareloopError, FieldError, Invalid, LostRace, Unavailable
from shared.web.faults import field_errors

MOST_ROWS: Final = 1000

RowOutcome = Literal["created", "updated", "unchanged", "refused"]


class CustomerBatchRow(CustomerUpsert):
    """A customer, and what a system knows them by."""

    source: Source
    external_id: ExternalId


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that is no customer."""

    error: Invalid


def _read_alone(row: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """A row that does not fit refuses none of the others."""
    try:
        return read(row)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        return Unreadable(Invalid(errors=field_errors(faults, body=row)))


class CustomerBatch(Body):
    """Customers whom other systems know by ids of their own."""

    customers: Annotated[
        list[Annotated[CustomerBatchRow, WrapValidator(_read_alone)]],
        Field(min_length=1, max_length=MOST_ROWS),
    ]


class RowFault(BaseModel):
    """What is wrong with one field of a row; `pointer` leads into the request."""

    pointer: str
    code: str
    detail: str


class RowProblem(BaseModel):
    """Why a row was refused, as it would be told of one customer alone."""

    status: int
    code: str
    title: str
    detail: str
    errors: list[RowFault]


class CustomerBatchResult(BaseModel):
    """What became of a row."""

    row: int = Field(description="Its place in the request, from 0")
    outcome: RowOutcome
    customer_id: UUID | None = Field(description="Who it is; `null` for a row that was refused")
    code: str | None
    version: int | None
    problem: RowProblem | None


class CustomerBatchRead(BaseModel):
    """What became of a batch, row by row."""

    object: Literal["customer_batch"] = "customer_batch"
    created: int
    updated: int
    unchanged: int
    refused: int
    data: list[CustomerBatchResult]


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
