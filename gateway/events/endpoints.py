"""The feed: everything that happened in a shop, in one order, to be read again at any time."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from gateway.access.whole_shop import WHOLE_SHOP
from gateway.events.catalogue import FeedEvent
from gateway.events.deps import EventMaskDep, FeedDep, FeedStreamsDep
from gateway.events.rendering import rendered
from gateway.events.schemas import EventPage
from gateway.events.service import types_of
from gateway.events.streaming import Subscription
from shared.db.paging import MAX_LIMIT
from shared.pii import PII_READ
from shared.web.answers import json_answer
from shared.web.auditing import actor_of
from shared.web.problems import problem_responses
from shared.web.routing import PrincipalDep, requires, service_router
from shared.web.sse import (
    EventStream,
    OpenStreams,
    last_event_id,
    open_streams,
    stream_responses,
)

router = service_router(prefix="/v1/events", tag="events", dependencies=[WHOLE_SHOP])

Cursor = Annotated[
    str | None,
    Query(
        max_length=40,
        description="`next_cursor` of the page before, or the position of an event. Without it the"
        " oldest events that are kept come first",
        examples=["1042"],
    ),
]
Types = Annotated[
    str | None,
    Query(max_length=2000, description="Only these", examples=["ticket.*,order.placed"]),
]


@router.get(
    "",
    operation_id="events.list",
    response_model=EventPage,
    responses=problem_responses(410),
    dependencies=[requires("events:read")],
)
async def list_events(
    feed: FeedDep,
    after: Cursor = None,
    types: Types = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Events in a page")] = 50,
) -> Response:
    """What happened in the shop after a cursor, in the order of the feed, without a gap.

    Keep `next_cursor` with what you make of the events, and ask with it again: nothing is missed
    or doubled, however long you were away. Events are kept for some weeks; a cursor older than
    that is answered with 410, and says from where one can go on.
    """
    wanted = types_of(types, pointer="/query/types")
    start = await feed.start(after, pointer="/query/after")
    page = await feed.read(start, types=wanted, limit=limit)
    return json_answer(
        {
            "data": [rendered(row) for row in page.events],
            "next_cursor": str(page.until),
            "has_more": page.has_more,
        }
    )


# Before `/{event_id}`: the router looks through its routes in this order.
@router.get(
    "/stream",
    operation_id="events.stream",
    # FastAPI would take over the encoding of a class of its own for events.
    response_class=StreamingResponse,
    responses={**stream_responses(), **problem_responses(410)},
    dependencies=[requires("events:read")],
)
async def stream_events(
    feed: FeedDep,
    streams: FeedStreamsDep,
    open_already: Annotated[OpenStreams, Depends(open_streams)],
    mask: EventMaskDep,
    principal: PrincipalDep,
    request: Request,
    seen: Annotated[str | None, Depends(last_event_id)],
    types: Types = None,
    after: Cursor = None,
) -> Response:
    """What happens in the shop, as server-sent events while it happens.

    `id` is the position, `event` the type, `data` the event. A client that comes back with
    `Last-Event-ID`, as browsers do by themselves, gets what it missed first. Without it and
    without `after` the stream begins now. A stream is closed after five minutes: reconnect. A
    shop has a number of streams at a time; one more is answered with 429, `too_many_streams`.
    """
    cursor, pointer = (seen, "/header/last-event-id") if seen else (after, "/query/after")
    subscription = Subscription(
        tenant_id=principal.tenant_id,
        types=types_of(types, pointer="/query/types"),
        after=await feed.start(cursor, pointer=pointer, newest=True),
        mask=None if PII_READ in principal.scopes else mask,
        actor=actor_of(principal, request, action="events.stream"),
    )
    return EventStream(
        streams.listen(subscription), tenant_id=principal.tenant_id, streams=open_already
    )


@router.get(
    "/{event_id}",
    operation_id="events.get",
    response_model=FeedEvent,
    dependencies=[requires("events:read")],
)
async def get_event(event_id: UUID, feed: FeedDep) -> Response:
    """One event, as long as it is kept."""
    return json_answer(rendered(await feed.get(event_id)))
