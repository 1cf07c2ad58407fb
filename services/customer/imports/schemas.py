"""Imports as clients ask for them and read them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, field_validator

from services.customer.customers.record import Stage
from services.customer.customers.schemas import Source
from services.customer.imports.cells import DateOrder
from services.customer.imports.plan import Existing, MatchBy, Outcome
from shared.bodies import Body
from shared.pii import pii
from shared.text import NormalisedStr
from shared.web.patches import NeverNull

ImportStatus = Literal[
    "uploading",
    "reading",
    "ready",
    "checking",
    "running",
    "finished",
    "cancelled",
    "failed",
    "undoing",
    "undone",
]
ImportTransition = Literal["upload", "configure", "dry_run", "run", "cancel", "undo", "discard"]
Encoding = Literal[
    "utf-8", "utf-16-le", "utf-16-be", "cp1258", "cp1252", "gb18030", "shift-jis", "cp1251"
]
Undone = Literal["removed", "restored", "partly", "kept"]
Target = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,2}$", max_length=80),
    Field(examples=["phone", "attributes.shoe_size"]),
]


class ImportColumnMapping(Body):
    """What a column of the file holds."""

    column: Annotated[str, Field(min_length=1, max_length=120, examples=["Số điện thoại"])]
    target: Target
    strict: bool = Field(
        default=False, description="A cell that cannot be read costs the whole row"
    )


class ImportOptions(Body):
    """How rows are read, and what becomes of customers who are known."""

    match_by: Annotated[list[MatchBy], Field(max_length=2)] = Field(
        default_factory=list,
        description="An address or number that belongs to one customer leads to that customer. "
        "External ids of the source and codes always do",
    )
    existing: Existing = Field(
        default="update",
        description="What becomes of customers who are known: `update` by what the file says, "
        "`fill` what is not known of them yet, or `skip` them",
    )
    stage: Stage = Field(default="lead", description="What new customers are")
    date_order: DateOrder = Field(default="dmy", description="Of dates without their year first")
    strict: bool = Field(
        default=False, description="Any cell that cannot be read costs its whole row"
    )


class ImportReading(Body):
    """How the file is read; what is null is found out."""

    encoding: Encoding | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1, examples=[";"])] | None = None
    header_row: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="The number of the row that names the columns; 0: none does"
    )
    sheet: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="Of a workbook; the first by itself"
    )


class ImportCreate(Body):
    """An import to be. The file follows with `PUT /v1/imports/{id}/file`."""

    file_name: NormalisedStr = Field(examples=["khach-hang.csv"])
    source: Source = Field(
        default="import", description="Where the file comes from; its ids are unique within that"
    )
    options: ImportOptions = Field(default_factory=ImportOptions)
    reading: ImportReading = Field(default_factory=ImportReading)


class ImportPatch(Body):
    """A change before the run. Another way of reading has the file read again."""

    mapping: Annotated[list[ImportColumnMapping] | None, Field(max_length=300), NeverNull()] = None
    options: Annotated[ImportOptions | None, NeverNull()] = None
    reading: Annotated[ImportReading | None, NeverNull()] = None


class ImportColumnRead(BaseModel):
    """A column of the file."""

    name: str
    samples: list[Annotated[str, pii("words")]]
    suggestion: str | None = Field(description="What it seems to hold")


class ImportColumnProblem(BaseModel):
    """How often a column had cells with one problem."""

    column: str | None = Field(description="Null: the row as a whole")
    code: str = Field(examples=["phone_not_valid"])
    count: int
    first_row: int


class ImportSample(BaseModel):
    """What becomes of one of the rows."""

    row: int
    outcome: Outcome
    customer_id: UUID | None
    of_row: int | None
    changes: Annotated[dict[str, Any] | None, pii("sensitive")] = Field(
        description="Fields with what they were before and what they are afterwards"
    )
    problems: list[dict[str, Any]]


class ImportCounts(BaseModel):
    """How many rows have come to what. `merged` are of a customer whom an earlier row brought."""

    rows: int = Field(description="Rows dealt with so far")
    created: int
    updated: int
    unchanged: int
    merged: int
    invalid: int
    erased: int = Field(
        default=0, description="Rows of people whose data were erased: they are not taken in again"
    )
    possible_duplicates: int = Field(
        description="Pairs of customers that a person should look at, because they share a contact"
    )
    problems: list[ImportColumnProblem]
    samples: list[ImportSample] = Field(description="Some rows of each outcome")


class ImportUndoCounts(BaseModel):
    """How far rows were taken back."""

    rows: int = Field(description="Rows dealt with so far")
    removed: int = Field(description="Customers of the import whose data was removed")
    restored: int = Field(description="Rows whose changes were all taken back")
    partly: int = Field(description="Rows of which somebody has changed something since")
    kept: int = Field(description="Rows whose customers others have worked with since")


class ImportFault(BaseModel):
    """Why the file could not be read."""

    code: str = Field(examples=["not_a_table"])
    row: int | None


class ImportRead(BaseModel):
    """A file of customers on its way in."""

    id: UUID
    object: Literal["import"] = "import"
    file_name: str
    status: ImportStatus
    allowed_transitions: list[ImportTransition]
    source: str
    received_bytes: int
    rows: int = Field(description="Rows of the file that are not blank, without the header")
    reading: dict[str, Any] = Field(
        description="Encoding, delimiter, header row or sheet, as asked for and as found"
    )
    columns: list[ImportColumnRead]
    mapping: list[ImportColumnMapping]
    options: ImportOptions
    dry_run: ImportCounts | None
    run: ImportCounts | None
    undo: ImportUndoCounts | None
    error: ImportFault | None
    job_id: UUID | None = Field(
        description="What works on it, or did last: follow `/v1/jobs/{id}/events`; the outcome of "
        "every row is at `/v1/jobs/{id}/result`"
    )
    forgotten_at: datetime | None = Field(
        description="Since when it is not kept any more what its rows changed: it cannot be undone"
    )
    created_at: datetime
    updated_at: datetime
    version: int


class ImportRowRead(BaseModel):
    """What became of a row."""

    row: int
    object: Literal["import_row"] = "import_row"
    outcome: Outcome
    customer_id: UUID | None
    code: str | None = Field(description="The customer's")
    of_row: int | None = Field(description="The earlier row that had brought the same customer")
    problems: list[dict[str, Any]] = Field(
        examples=[[{"code": "phone_not_valid", "column": "SĐT"}]]
    )
    changes: Annotated[dict[str, Any] | None, pii("sensitive")]
    undone: Undone | None

    @field_validator("changes", mode="before")
    @classmethod
    def _without_bookkeeping(cls, changes: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Who had said a field before is told by the customer's provenance."""
        if changes is None:
            return None
        return {name: change for name, change in changes.items() if name != "said"}
