"""SQL of sending: leases on endpoints' queues, what is due in them, what became of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Integer,
    Row,
    Uuid,
    bindparam,
    column,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from gateway.events.models import event
from gateway.webhooks.attempting import Answer
from gateway.webhooks.models import (
    webhook_attempt,
    webhook_delivery,
    webhook_endpoint,
    webhook_queue,
)
from gateway.webhooks.outcomes import Outcome, QueueState
from gateway.webhooks.record import COLUMNS, EndpointRecord
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.json import dumps_text

Rows = Sequence[Row[*tuple[Any, ...]]]

_NOW: Final = bindparam("now", type_=Instant)
_TENANT: Final = bindparam("tenant", type_=Uuid)
_FREE: Final = or_(webhook_queue.c.lease_until.is_(None), webhook_queue.c.lease_until <= _NOW)
_HAS_DUE: Final = exists().where(
    webhook_delivery.c.tenant_id == _TENANT,
    webhook_delivery.c.endpoint_id == webhook_queue.c.endpoint_id,
    webhook_delivery.c.status == "pending",
    webhook_delivery.c.due_at <= _NOW,
)
# Who was served longest ago comes first. As a common table expression it is looked for once; a
# sub-select might be run again for each row, and skip what this very statement has taken.
_CHOSEN: Final = (
    select(webhook_queue.c.endpoint_id)
    .where(
        webhook_queue.c.tenant_id == _TENANT,
        _FREE,
        or_(webhook_queue.c.paused_until.is_(None), webhook_queue.c.paused_until <= _NOW),
        webhook_queue.c.troubled == bindparam("is_troubled", type_=Boolean),
        (webhook_queue.c.failures > 0) == bindparam("is_failing", type_=Boolean),
        _HAS_DUE,
    )
    .order_by(webhook_queue.c.lease_until.nulls_first())
    .limit(bindparam("row_limit", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("chosen")
)
_LEASE: Final = (
    update(webhook_queue)
    .where(
        webhook_queue.c.tenant_id == _TENANT,
        webhook_queue.c.endpoint_id == _CHOSEN.c.endpoint_id,
        _FREE,
    )
    .values(owner=bindparam("by", type_=Uuid), lease_until=bindparam("until", type_=Instant))
    .returning(
        webhook_queue.c.endpoint_id,
        webhook_queue.c.troubled,
        webhook_queue.c.failures,
        webhook_queue.c.failing_since,
    )
)
_RENEW: Final = (
    update(webhook_queue)
    .where(webhook_queue.c.tenant_id == _TENANT, webhook_queue.c.owner == bindparam("by"))
    .values(lease_until=bindparam("until", type_=Instant))
)
_ENDPOINTS: Final = select(*(webhook_endpoint.c[name] for name in COLUMNS)).where(
    webhook_endpoint.c.tenant_id == _TENANT,
    webhook_endpoint.c.id == bindparam("ids", type_=ARRAY(Uuid)).any_(),
    webhook_endpoint.c.enabled,
)
_LEASED: Final = (
    func.unnest(bindparam("ids", type_=ARRAY(Uuid)), bindparam("takes", type_=ARRAY(Integer)))
    .table_valued(column("endpoint_id", Uuid), column("take", Integer))
    .render_derived(name="leased")
)
_DUE: Final = (
    select(
        *(
            webhook_delivery.c[name]
            for name in ("event_id", "position", "attempts", "tries", "body", "due_at")
        )
    )
    .where(
        webhook_delivery.c.tenant_id == _TENANT,
        webhook_delivery.c.endpoint_id == _LEASED.c.endpoint_id,
        webhook_delivery.c.status == "pending",
        webhook_delivery.c.due_at <= _NOW,
    )
    .order_by(webhook_delivery.c.due_at, webhook_delivery.c.event_id)
    .limit(_LEASED.c.take)
    .lateral("due")
)
_DELIVERIES: Final = (
    select(
        _LEASED.c.endpoint_id,
        *(_DUE.c[name] for name in ("event_id", "attempts", "tries", "body")),
        *(event.c[name] for name in ("id", "position", "type", "occurred_at", "data")),
    )
    .select_from(_LEASED.join(_DUE, true()))
    .outerjoin(event, (event.c.tenant_id == _TENANT) & (event.c.position == _DUE.c.position))
    .order_by(_DUE.c.due_at, _DUE.c.event_id)
)
_OUTCOME_COLUMNS: Final = (
    *("endpoint_id", "event_id", "status", "tries", "due_at"),
    *("finished_at", "last_status", "last_error"),
)
_OUTCOMES: Final = RowsParameter("outcome", webhook_delivery, _OUTCOME_COLUMNS)
_SETTLE: Final = (
    update(webhook_delivery)
    .where(
        webhook_delivery.c.tenant_id == _TENANT,
        webhook_delivery.c.endpoint_id == _OUTCOMES.source.c.endpoint_id,
        webhook_delivery.c.event_id == _OUTCOMES.source.c.event_id,
        webhook_delivery.c.status == "pending",
    )
    .values({name: _OUTCOMES.source.c[name] for name in _OUTCOME_COLUMNS[2:]})
    .values(attempts=webhook_delivery.c.attempts + 1)
)
_ATTEMPTS: Final = RowsParameter("attempt", webhook_attempt, webhook_attempt.c.keys()[1:])
_ADD_ATTEMPTS: Final = (
    insert(webhook_attempt)
    .from_select(
        ["tenant_id", *_ATTEMPTS.columns],
        select(_TENANT, *(_ATTEMPTS.source.c[name] for name in _ATTEMPTS.columns)),
    )
    .returning(webhook_attempt.c.id)
)
_STATE_COLUMNS: Final = (*("endpoint_id", "troubled", "failures", "failing_since", "paused_until"),)
_STATES: Final = RowsParameter("state", webhook_queue, _STATE_COLUMNS)
_RELEASE: Final = (
    update(webhook_queue)
    .where(
        webhook_queue.c.tenant_id == _TENANT,
        webhook_queue.c.endpoint_id == _STATES.source.c.endpoint_id,
        webhook_queue.c.owner == bindparam("by", type_=Uuid),
    )
    .values({name: _STATES.source.c[name] for name in _STATE_COLUMNS[1:]})
    .values(owner=None, lease_until=_NOW)
)


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery to try now, with its event's row; `row.id` is None when that was forgotten."""

    event_id: UUID
    attempts: int
    tries: int
    body: str | None
    row: Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Leased:
    """One endpoint's queue, held by this process for a while."""

    endpoint: EndpointRecord
    state: QueueState
    due: Sequence[Due]
    take: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """A request that was made, for the log."""

    endpoint_id: UUID
    event_id: UUID
    number: int
    url: str
    answer: Answer

    def as_row(self) -> dict[str, Any]:
        """The columns of the log."""
        answer = self.answer
        return {
            "endpoint_id": self.endpoint_id,
            "id": new_id(),
            "event_id": self.event_id,
            "number": self.number,
            "url": self.url,
            "started_at": answer.started_at,
            "duration_ms": answer.duration_ms,
            "succeeded": answer.succeeded,
            "status": answer.status,
            "headers": None if answer.headers is None else dumps_text(answer.headers),
            "body": answer.body,
            "error": answer.error,
            "detail": answer.detail,
        }


@dataclass(frozen=True, slots=True)
class Room:
    """For how many more queues in trouble there is room."""

    slow: int
    failing: int


class QueueRepository:
    """Queues of one shop's endpoints, as the sender `owner` works on them."""

    def __init__(self, uow: UnitOfWork, *, owner: UUID) -> None:
        self._uow = uow
        self._owner = owner

    async def lease(
        self, *, until: datetime, room: int, of_these: Room, take: int, take_failing: int
    ) -> list[Leased]:
        """Take free queues that have something due, each with its oldest deliveries.

        Those that do well come first; the slow and the failing get no more than their room.
        """
        scope = {"tenant": self._uow.tenant_id, "now": self._uow.clock.now()}
        rows: list[Row[*tuple[Any, ...]]] = []
        for is_troubled, is_failing, most in (
            (False, False, room),
            (True, False, of_these.slow),
            (True, True, of_these.failing),
        ):
            limit = min(most, room - len(rows))
            if limit > 0:
                condition = {"is_troubled": is_troubled, "is_failing": is_failing}
                lease = {"until": until, "by": self._owner, "row_limit": limit}
                rows += await self._uow.rows(_LEASE, {**scope, **condition, **lease})
        if not rows:
            return []
        takes = {row.endpoint_id: take_failing if row.failures else take for row in rows}
        found = await self._uow.rows(
            _ENDPOINTS, {"tenant": self._uow.tenant_id, "ids": list(takes)}
        )
        endpoints = {row.id: EndpointRecord.of(row) for row in found}
        due: dict[UUID, list[Due]] = {endpoint_id: [] for endpoint_id in takes}
        wanted = {"ids": list(takes), "takes": list(takes.values())}
        for row in await self._uow.rows(_DELIVERIES, {**scope, **wanted}):
            due[row.endpoint_id].append(Due(row.event_id, row.attempts, row.tries, row.body, row))
        return [
            Leased(
                endpoints[row.endpoint_id],
                QueueState(
                    troubled=row.troubled, failures=row.failures, failing_since=row.failing_since
                ),
                due[row.endpoint_id],
                takes[row.endpoint_id],
            )
            for row in rows
            if row.endpoint_id in endpoints
        ]

    async def renew(self, *, until: datetime) -> None:
        """Keep what is held."""
        scope = {"tenant": self._uow.tenant_id, "by": self._owner, "until": until}
        await self._uow.execute(_RENEW, scope)

    async def settle(self, outcomes: Sequence[Outcome], attempts: Sequence[Attempted]) -> None:
        """Write down what became of deliveries, and the requests that were made."""
        scope = {"tenant": self._uow.tenant_id}
        if outcomes:
            values = _OUTCOMES.values(asdict(outcome) for outcome in outcomes)
            await self._uow.execute(_SETTLE, {**scope, **values})
        if attempts:
            rows = _ATTEMPTS.values(attempt.as_row() for attempt in attempts)
            await self._uow.execute(_ADD_ATTEMPTS, {**scope, **rows})

    async def release(self, states: Sequence[tuple[UUID, QueueState]]) -> None:
        """Give queues back, with how their receivers do."""
        if not states:
            return
        values = _STATES.values(
            {"endpoint_id": endpoint_id, **asdict(state)} for endpoint_id, state in states
        )
        scope = {"tenant": self._uow.tenant_id, "by": self._owner, "now": self._uow.clock.now()}
        await self._uow.execute(_RELEASE, {**values, **scope})
