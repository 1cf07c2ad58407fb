"""Customers of other systems as clients write many of them, and what they are told of each."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from services.customer.customers.schemas import CustomerUpsert, ExternalId, Source
from shared.bodies import Body
from shared.errors import Invalid
from shared.web.faults import field_errors

MOST_ROWS: Final = 1000
_MOST_FAULTS: Final = 20

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
        return Unreadable(Invalid(errors=field_errors(faults, body=row)[:_MOST_FAULTS]))


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
