"""`/v1/customers/{id}/timeline`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query

from services.customer.timeline.deps import TimelineServiceDep
from services.customer.timeline.repository import EntryFilter
from services.customer.timeline.schemas import TimelineEntryRead
from services.customer.timeline.titles import title, types_of_kind, without_free_words
from shared.db.paging import PageRequest
from shared.languages import preferred_language
from shared.moments import Instant
from shared.pii import PII_READ
from shared.web.resources import Page, page_request
from shared.web.routing import PrincipalDep, requires, service_router

router = service_router(prefix="/v1/customers/{customer_id}/timeline", tag="customers")


@router.get("", operation_id="customers.listTimeline", dependencies=[requires("customers:read")])
async def list_timeline(
    customer_id: UUID,
    timeline: TimelineServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    principal: PrincipalDep,
    types: Annotated[
        str | None,
        Query(
            alias="type",
            max_length=500,
            pattern=r"^[a-z_]+\.[a-z_]+(,[a-z_]+\.[a-z_]+)*$",
            description="Only entries of these types, with commas between",
            examples=["order.placed,order.refunded"],
        ),
    ] = None,
    kinds: Annotated[
        str | None,
        Query(
            alias="kind",
            max_length=200,
            pattern=r"^[a-z_]+(,[a-z_]+)*$",
            description="Only entries of these kinds, the first words of the types, with commas "
            "between",
            examples=["interaction,order"],
        ),
    ] = None,
    occurred_from: Annotated[Instant | None, Query(alias="occurred_at[gte]")] = None,
    occurred_until: Annotated[Instant | None, Query(alias="occurred_at[lt]")] = None,
    accept_language: Annotated[str | None, Header(max_length=200)] = None,
) -> Page[TimelineEntryRead]:
    """List everything that happened to a customer, newest first, from every part of the system.

    It is the person's: what happened through any of the records that were merged is in it. With
    `type` and `kind`, entries of any of them; `occurred_at` bounds the period. What people
    wrote themselves, as subjects, notes and comments, is hidden from callers without `pii:read`.
    """
    wanted = EntryFilter(
        types=_wanted_types(types, kinds),
        occurred_from=occurred_from,
        occurred_until=occurred_until,
    )
    rows, cursor = await timeline.page(customer_id, wanted, request)
    language = preferred_language(accept_language) or "vi"
    shown = dict if PII_READ in principal.scopes else without_free_words
    told = [(row, shown(row.data)) for row in rows]
    data = [
        TimelineEntryRead(
            id=row.id,
            type=row.type,
            source=row.source,
            occurred_at=row.occurred_at,
            title=title(row.type, words, language),
            data=words,
        )
        for row, words in told
    ]
    return Page(data=data, next_cursor=cursor)


def _wanted_types(types: str | None, kinds: str | None) -> list[str] | None:
    if types is None and kinds is None:
        return None
    named = types.split(",") if types else []
    return named + [each for kind in (kinds or "").split(",") for each in types_of_kind(kind)]
