"""SQL of sending: taking due messages under a lease, and writing down what became of them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from services.messaging.messages.models import message
from services.messaging.messages.records import Message, Status
from services.messaging.policies.decide import RecentSend
from services.messaging.recipients.addresses import address_key
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

TENANT = bindparam("tenant", type_=Uuid)
_NOW = bindparam("now", type_=Instant)
_OWN = message.c.tenant_id == TENANT
_ALL = [message.c[name] for name in Message.__slots__]
_WRITTEN = [
    "version",
    "status",
    "reason",
    "detail",
    "hold",
    "channel",
    "channel_chosen_by",
    "unmet_preference",
    "unmet_preference_reason",
    "address",
    "locale",
    "subject",
    "decision",
    "attempts",
    "postponements",
    "lease_owner",
    "lease_until",
    "attempted_at",
    "due_at",
    "finished_at",
    "updated_at",
]
_changed = RowsParameter("changed", message, ["id", *_WRITTEN, "address_key"])

_TAKE_DUE = (
    select(*_ALL)
    .where(
        _OWN,
        message.c.status == "planned",
        message.c.due_at <= _NOW,
        or_(message.c.hold.is_(None), message.c.hold != "paused"),
    )
    .order_by(message.c.lane, message.c.due_at, message.c.id)
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(skip_locked=True)
)
_NOT_SETTLED = frozenset({"sending", "unknown"})
_LOCK_THESE = (
    select(*_ALL)
    .where(
        _OWN,
        message.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
    )
    .order_by(message.c.id)
    .with_for_update()
)
_LOCK_EXPIRED = (
    select(*_ALL)
    .where(_OWN, message.c.status == "sending", message.c.lease_until < _NOW)
    .order_by(message.c.id)
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(skip_locked=True)
)
_WRITE = (
    update(message)
    .values({name: _changed.source.c[name] for name in (*_WRITTEN, "address_key")})
    .where(_OWN, message.c.id == _changed.source.c.id)
)
_RECENT = select(message.c.address_key, message.c.message_class, message.c.attempted_at).where(
    _OWN,
    message.c.address_key == func.any(bindparam("keys", type_=ARRAY(Text))),
    message.c.attempted_at > bindparam("since", type_=Instant),
    message.c.status.in_(("sending", "sent", "unknown")),
    message.c.message_class.in_(("care", "advertising")),
)
_OF_AUTOMATIONS = select(
    message.c.id, message.c.origin_id, message.c.customer_id, message.c.status
).where(
    _OWN,
    message.c.origin == "automation",
    message.c.customer_id == func.any(bindparam("customers", type_=ARRAY(Uuid))),
    message.c.origin_id == func.any(bindparam("origins", type_=ARRAY(Uuid))),
    message.c.status.in_(("planned", "sending", "sent", "unknown")),
)


@dataclass(frozen=True, slots=True)
class Automated:
    """A message by which an automation cares for a customer, or is about to."""

    id: UUID
    origin_id: UUID
    customer_id: UUID
    status: Status


class DeliveryRepository:
    """The ledger as the sender sees it, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def take_due(self, *, now: datetime, limit: int) -> list[Message]:
        """Messages that are due, urgent lanes first, locked until the commit."""
        rows = await self._uow.rows(_TAKE_DUE, {**self._tenant, "now": now, "limit": limit})
        return [Message.of(row) for row in rows]

    async def lock_leased(self, message_ids: Collection[UUID], *, owner: UUID) -> list[Message]:
        """Those of the messages that `owner` took and nobody has settled since."""
        # Whose they are is looked at when they are locked: the taking itself may just be written.
        rows = await self._uow.rows(_LOCK_THESE, {**self._tenant, "ids": list(message_ids)})
        locked = [Message.of(row) for row in rows]
        # An owner that outlived its lease may still say how it went: it alone knows.
        return [m for m in locked if m.lease_owner == owner and m.status in _NOT_SETTLED]

    async def lock_expired(self, *, now: datetime, limit: int) -> list[Message]:
        """Messages under a lease that has run out: their sender died, or hangs."""
        rows = await self._uow.rows(_LOCK_EXPIRED, {**self._tenant, "now": now, "limit": limit})
        return [Message.of(row) for row in rows]

    async def write(self, messages: Iterable[Message]) -> None:
        """Write back messages that were locked and changed."""
        rows = [_row(each) for each in messages]
        if rows:
            await self._uow.execute(_WRITE, {**self._tenant, **_changed.values(rows)})

    async def automated(
        self, customer_ids: Collection[UUID], *, origin_ids: Collection[UUID]
    ) -> list[Automated]:
        """What these automations have sent these customers, or have planned for them."""
        values = {"customers": list(customer_ids), "origins": list(origin_ids)}
        rows = await self._uow.rows(_OF_AUTOMATIONS, {**self._tenant, **values})
        return [Automated(*row) for row in rows]

    async def recent_sends(
        self, address_keys: Collection[str], *, since: datetime
    ) -> dict[str, list[RecentSend]]:
        """Care and advertising that these addresses got, or may have got, since then."""
        found: dict[str, list[RecentSend]] = {key: [] for key in address_keys}
        if found:
            values = {"keys": list(found), "since": since}
            for row in await self._uow.rows(_RECENT, {**self._tenant, **values}):
                found[row.address_key].append(RecentSend(row.message_class, row.attempted_at))
        return found


def _row(of: Message) -> dict[str, Any]:
    row = {name: getattr(of, name) for name in ("id", *_WRITTEN)}
    return {**row, "address_key": address_key(of.address) if of.address else None}
