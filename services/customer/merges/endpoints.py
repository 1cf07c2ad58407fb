"""`/v1/merges`, and what makes one customer of several records."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Response, status

from services.customer.customers.calendar import Calendar
from services.customer.customers.deps import CalendarDep
from services.customer.customers.record import CustomerRecord
from services.customer.customers.schemas import CustomerRead, customer_json
from services.customer.merges.deps import MergeServiceDep, UndoingDep
from services.customer.merges.schemas import (
    AliasRead,
    MergeCreate,
    MergeOutcome,
    MergeRead,
    MergeUndo,
    UndoOutcome,
)
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1", tag="merges")

_READ = requires("customers:read")
_WRITE = requires("customers:write")
DryRun = Annotated[bool, Query(description="Say what would follow, and change nothing")]
NeverAgain = Annotated[
    bool, Query(description="Tell them apart for ever, as a dismissed duplicate does")
]


@router.post(
    "/customers/{customer_id}/merges",
    status_code=status.HTTP_201_CREATED,
    operation_id="customers.merge",
    dependencies=[_WRITE],
    responses={200: {"model": MergeOutcome, "description": "A dry run: nothing was changed"}},
)
async def merge_customers(
    customer_id: UUID,
    body: MergeCreate,
    response: Response,
    merges: MergeServiceDep,
    calendar: CalendarDep,
    *,
    dry_run: DryRun = False,
) -> MergeOutcome:
    """Merge up to 1,000 customers into this one, which stands for all of them from now on.

    Nothing is moved or lost: what came through a record stays with it and is shown and counted with
    the customer; ids, codes and external ids of all of them lead here for ever. Blank fields are
    filled from the others, tags are united, of consents the newest counts, and of two at one time
    the withdrawal. Undo it with `POST /v1/merges/{id}/undo`.
    """
    merged = await merges.merge(customer_id, body, dry_run=dry_run)
    if dry_run:
        response.status_code = status.HTTP_200_OK
    else:
        response.headers["location"] = f"/v1/merges/{merged.columns['id']}"
        response.headers["etag"] = etag(1)
    conflicts = [
        {**asdict(conflict), "customer_id": conflict.record_id, "others": _others(conflict.others)}
        for conflict in merged.combination.conflicts
    ]
    return MergeOutcome.model_validate(
        {
            **_plain(merged.columns),
            "customer": _customer(merged.customer, calendar),
            "conflicts": conflicts,
            "moves": merged.moves,
        }
    )


@router.get(
    "/customers/{customer_id}/merges",
    operation_id="customers.listMerges",
    dependencies=[_READ],
)
async def list_merges_of_customer(
    customer_id: UUID,
    merges: MergeServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
) -> Page[MergeRead]:
    """List the merges that a customer was part of, those undone too, newest first."""
    rows, cursor = await merges.page(None, customer_id, request)
    return Page(data=[_read(row._asdict()) for row in rows], next_cursor=cursor)


@router.get(
    "/customers/{customer_id}/aliases",
    operation_id="customers.listAliases",
    dependencies=[_READ],
)
async def list_aliases(
    customer_id: UUID,
    merges: MergeServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
) -> Page[AliasRead]:
    """List the records that a customer consists of, the one that stands for them too."""
    records, cursor = await merges.aliases(customer_id, request)
    return Page(data=[_alias(record) for record in records], next_cursor=cursor)


@router.get("/merges", operation_id="merges.list", dependencies=[_READ])
async def list_merges(
    merges: MergeServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    wanted: Annotated[Literal["done", "undone"] | None, Query(alias="status")] = None,
    customer_id: UUID | None = None,
) -> Page[MergeRead]:
    """List merges, newest first; with `customer_id` those that one customer was part of."""
    rows, cursor = await merges.page(wanted, customer_id, request)
    return Page(data=[_read(row._asdict()) for row in rows], next_cursor=cursor)


@router.get("/merges/{merge_id}", operation_id="merges.get", dependencies=[_READ])
async def get_merge(merge_id: UUID, response: Response, merges: MergeServiceDep) -> MergeRead:
    """Get a merge: who decided it, of whom, and which field was taken from which record."""
    row = await merges.get(merge_id)
    response.headers["etag"] = etag(row.version)
    return _read(row._asdict())


@router.post("/merges/{merge_id}/undo", operation_id="merges.undo", dependencies=[_WRITE])
async def undo_merge(
    merge_id: UUID,
    response: Response,
    undoing: UndoingDep,
    calendar: CalendarDep,
    body: MergeUndo | None = None,
    *,
    dry_run: DryRun = False,
    never_again: NeverAgain = False,
) -> UndoOutcome:
    """Undo a merge, also one in the middle of others: everybody stands for themselves again.

    With `customer_ids` only those are taken out of it and the others stay merged; who was taken out
    before stays as they are. When nobody is left in it, the merge is undone.

    What came through a record since then (an order of its platform id, say) goes with it. Fields go
    back to what they were unless somebody has changed them. `undecided` lists what no rule can
    decide and what stays where it is: changed fields, and things written to the customer by id.
    """
    undone = await undoing.undo(
        merge_id,
        customer_ids=body.customer_ids if body is not None else None,
        never_again=never_again,
        dry_run=dry_run,
    )
    response.headers["etag"] = etag(undone.columns["version"])
    fields = [
        {"customer_id": kept.record_id, "field": kept.field, "value": kept.value}
        for kept in undone.kept
    ]
    things = [asdict(written) for written in undone.written]
    return UndoOutcome.model_validate(
        {
            **_plain(undone.columns),
            "customer": _customer(undone.customer, calendar),
            "parted_ids": undone.parted_ids,
            "given_back": undone.given_back,
            "undecided": {"fields": fields, "things": things},
        }
    )


def _plain(columns: Mapping[str, Any]) -> dict[str, Any]:
    """A merge as clients read it, of its columns."""
    taken = [{**each, "customer_id": each["record_id"]} for each in columns["taken"]]
    return {**columns, "customer_id": columns["survivor_id"], "taken": taken}


def _read(columns: Mapping[str, Any]) -> MergeRead:
    return MergeRead.model_validate(_plain(columns))


def _customer(record: CustomerRecord, calendar: Calendar) -> CustomerRead:
    return CustomerRead.model_validate(customer_json(record.values(), calendar))


def _others(others: Sequence[tuple[UUID, Any]]) -> list[dict[str, Any]]:
    return [{"customer_id": record_id, "value": value} for record_id, value in others]


def _alias(record: CustomerRecord) -> AliasRead:
    return AliasRead(
        id=record.id,
        code=record.code,
        customer_id=record.merged_into or record.id,
        stage=record.stage,
        source=record.source,
        created_at=record.created_at,
    )
