"""SQL of the ledger: planning, reading, holding back and calling off."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.messaging.channels.records import CHANNEL_ORDER
from services.messaging.messages.errors import MessageNotFound
from services.messaging.messages.models import message
from services.messaging.messages.records import LANES, Message, Origin, PlannedMessage, Status
from services.messaging.recipients.addresses import address_key
from services.messaging.recipients.aliases import RECIPIENTS
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

TENANT = bindparam("tenant", type_=Uuid)
_NOW = bindparam("now", type_=Instant)
_ID = bindparam("id", type_=Uuid)
_ORIGIN = bindparam("origin_wanted", type_=Uuid)
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_ORDER = (
    SortKey(message.c.planned_at, "planned_at", parse_instant, descending=True),
    SortKey(message.c.id, "id", parse_id, descending=True),
)
_PLAN_COLUMNS = [
    "id",
    "origin",
    "origin_id",
    "recipient_key",
    "occurrence",
    "channel",
    "channel_chosen_by",
    "message_class",
    "lane",
    "template_key",
    "variables",
    "customer_id",
    "customer_version",
    "address",
    "address_key",
    "recipient_name",
    "locale",
    "reply_to",
    "thread_id",
    "due_at",
    "trace",
]
_plan = RowsParameter("plan", message, _PLAN_COLUMNS)
_INITIAL = {
    "version": literal_column("1"),
    "status": literal_column("'planned'"),
    "attempts": literal_column("0"),
    "postponements": literal_column("0"),
    "planned_at": _NOW,
    "created_at": _NOW,
    "updated_at": _NOW,
}
_OWN = message.c.tenant_id == TENANT
_IS_PLANNED = message.c.status == "planned"

_PLAN = (
    insert(message)
    .from_select(
        ["tenant_id", *_PLAN_COLUMNS, *_INITIAL],
        select(TENANT, *_plan.source.c, *_INITIAL.values()),
    )
    .on_conflict_do_nothing(
        index_elements=["tenant_id", "origin", "origin_id", "recipient_key", "occurrence"]
    )
    .returning(message.c.id)
)
_COLUMNS = [message.c[name] for name in Message.__slots__]
_READ = select(*_COLUMNS).where(_OWN)
# An index has the messages to each record in the order of the page.
_OF_PERSON = Source(
    lambda record_id: message.c.customer_id == record_id,
    RECIPIENTS.members(bindparam("customer", type_=Uuid)),
)
_FIND = _READ.where(message.c.id == _ID)
_LOCK = _FIND.with_for_update()
_CANCEL = (
    update(message)
    .where(_OWN, _IS_PLANNED, message.c.id == func.any(_IDS))
    .values(
        status="cancelled",
        reason=bindparam("why", type_=Text),
        hold=null(),
        version=message.c.version + 1,
        finished_at=_NOW,
        updated_at=_NOW,
    )
    .returning(*[message.c[name] for name in Message.__slots__])
)
_RELEASE_WAITING = (
    update(message)
    .where(
        _OWN,
        _IS_PLANNED,
        message.c.hold == "recipient",
        message.c.customer_id == func.any(_IDS),
    )
    .values(hold=null(), due_at=_NOW, updated_at=_NOW)
)
_PAUSE = (
    update(message)
    .where(_OWN, _IS_PLANNED, message.c.origin_id == _ORIGIN)
    .values(hold="paused", updated_at=_NOW)
)
_RESUME = (
    update(message)
    .where(_OWN, _IS_PLANNED, message.c.origin_id == _ORIGIN, message.c.hold == "paused")
    .values(hold=null(), updated_at=_NOW)
)
_OPEN_OF_ORIGINS = (
    select(message.c.id)
    .where(
        _OWN,
        _IS_PLANNED,
        message.c.origin_id == func.any(bindparam("origins", type_=ARRAY(Uuid))),
        message.c.customer_id == func.any(_IDS),
    )
    .with_for_update()
)

_OUTCOMES = (
    select(message.c.status, message.c.reason, func.count().label("messages"))
    .where(
        _OWN,
        message.c.origin == bindparam("origin", type_=Text),
        message.c.origin_id == _ORIGIN,
    )
    .group_by(message.c.status, message.c.reason)
)


class MessageRepository:
    """The ledger inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def plan(self, messages: Iterable[PlannedMessage]) -> Sequence[UUID]:
        """Write messages into the ledger that are not there yet; the ids of the new ones."""
        now = self._uow.clock.now()
        rows = [_row(planned, now) for planned in messages]
        values = {**self._tenant, "now": now, **_plan.values(rows)}
        return await self._uow.scalars(_PLAN, values)

    async def get(self, message_id: UUID) -> Message:
        """Raises MessageNotFound."""
        return self._one(await self._uow.one_or_none(_FIND, {**self._tenant, "id": message_id}))

    async def lock(self, message_id: UUID) -> Message:
        """The message, nobody else changing it until the commit. Raises MessageNotFound."""
        return self._one(await self._uow.one_or_none(_LOCK, {**self._tenant, "id": message_id}))

    async def list_page(
        self,
        request: PageRequest,
        *,
        statuses: Collection[str],
        customer_id: UUID | None,
        origin: str | None,
        origin_id: UUID | None,
    ) -> tuple[Sequence[Message], str | None]:
        """A page of messages, planned last first, and the cursor of the next.

        A customer's are those to any record of the person.
        """
        where: list[ColumnElement[bool]] = [_OWN]
        if statuses:
            where.append(message.c.status.in_(statuses))
        if origin is not None:
            where.append(message.c.origin == origin)
        if origin_id is not None:
            where.append(message.c.origin_id == origin_id)
        asked: dict[str, UUID] = {**self._tenant}
        if customer_id is None:
            statement = page(select(*_COLUMNS).where(*where), _ORDER, request)
        else:
            asked["customer"] = customer_id
            statement = merged_page(
                message, _COLUMNS, [_OF_PERSON], where=where, order=_ORDER, request=request
            )
        rows = await self._uow.rows(statement, asked)
        kept, cursor = next_cursor(rows, _ORDER, request.limit)
        return [Message.of(row) for row in kept], cursor

    async def cancel(self, message_ids: Collection[UUID], *, reason: str) -> list[Message]:
        """Call off those of the messages that are still planned; what became of them."""
        if not message_ids:
            return []
        values = {"ids": list(message_ids), "why": reason, "now": self._uow.clock.now()}
        rows = await self._uow.rows(_CANCEL, {**self._tenant, **values})
        return [Message.of(row) for row in rows]

    async def open_of(
        self, *, origin_ids: Collection[UUID], customer_ids: Collection[UUID]
    ) -> Sequence[UUID]:
        """The messages from these origins to these customers that are still planned."""
        values = {"origins": list(origin_ids), "ids": list(customer_ids)}
        return await self._uow.scalars(_OPEN_OF_ORIGINS, {**self._tenant, **values})

    async def release_waiting(self, customer_ids: Collection[UUID]) -> int:
        """Let messages go that waited for these customers to become known; how many."""
        values = {"ids": list(customer_ids), "now": self._uow.clock.now()}
        return await self._uow.execute(_RELEASE_WAITING, {**self._tenant, **values})

    async def pause(self, origin_id: UUID) -> None:
        """Hold back what one origin has planned."""
        values = {"origin_wanted": origin_id, "now": self._uow.clock.now()}
        await self._uow.execute(_PAUSE, {**self._tenant, **values})

    async def resume(self, origin_id: UUID) -> None:
        """Let go what `pause` held back."""
        values = {"origin_wanted": origin_id, "now": self._uow.clock.now()}
        await self._uow.execute(_RESUME, {**self._tenant, **values})

    async def outcomes_of(
        self, origin: Origin, origin_id: UUID
    ) -> list[tuple[Status, str | None, int]]:
        """What became of everything that one origin planned: status, reason, how many."""
        values = {"origin": origin, "origin_wanted": origin_id}
        rows = await self._uow.rows(_OUTCOMES, {**self._tenant, **values})
        return [(row.status, row.reason, row.messages) for row in rows]

    @staticmethod
    def _one(row: Row[*tuple[Any, ...]] | None) -> Message:
        if row is None:
            raise MessageNotFound
        return Message.of(row)


def _row(planned: PlannedMessage, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "origin": planned.origin,
        "origin_id": planned.origin_id,
        "recipient_key": planned.recipient_key,
        "occurrence": planned.occurrence,
        "channel": planned.channel or CHANNEL_ORDER[0],
        "channel_chosen_by": "request" if planned.channel else None,
        "message_class": planned.message_class,
        "lane": LANES[planned.message_class],
        "template_key": planned.template_key,
        "variables": dict(planned.variables),
        "customer_id": planned.customer_id,
        "customer_version": planned.customer_version,
        "address": planned.address,
        "address_key": address_key(planned.address) if planned.address else None,
        "recipient_name": planned.recipient_name,
        "locale": planned.locale,
        "reply_to": planned.reply_to,
        "thread_id": planned.thread_id,
        "due_at": planned.due_at or now,
        "trace": planned.trace,
    }
