"""SQL of the receiving end: cursors and dead letters."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId, new_id
from shared.json import dumps_text
from shared.stream.envelope import Envelope, StreamId


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a consumer is in one stream, and the event it is stuck at, if any."""

    position: int
    failing_position: int | None
    attempts: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that could not be applied."""

    id: UUID
    stream: StreamId
    event: Envelope
    error: str
    attempts: int


class ConsumerRepository:
    """Every statement that a consumer runs for the protocol's sake."""

    def __init__(self, schema: str) -> None:
        where = "tenant_id = :tenant AND source = :source AND split = :split"
        self._lock = text(
            f"SELECT position, failing_position, attempts FROM {schema}.cursor "
            f"WHERE {where} FOR UPDATE"
        )
        self._ensure = text(
            f"""
            INSERT INTO {schema}.cursor (tenant_id, source, split, position, updated_at)
            VALUES (:tenant, :source, :split, 0, :now)
            ON CONFLICT (tenant_id, source, split) DO NOTHING
            """
        )
        self._move = text(
            f"""
            UPDATE {schema}.cursor
            SET position = :position, failing_position = NULL, attempts = 0, updated_at = :now
            WHERE {where}
            """
        )
        self._count = text(
            f"""
            UPDATE {schema}.cursor
            SET failing_position = :position, attempts = :attempts, updated_at = :now WHERE {where}
            """
        )
        self._add_dead_letter = text(
            f"""
            INSERT INTO {schema}.dead_letter
                (tenant_id, id, source, split, position, type, event, error, attempts, created_at)
            VALUES (:tenant, :id, :source, :split, :position, :type, CAST(:event AS jsonb),
                    :error, :attempts, :now)
            """
        )
        self._dead_letters = text(
            f"""
            SELECT id, source, split, event, error, attempts FROM {schema}.dead_letter
            WHERE tenant_id = :tenant AND replayed_at IS NULL ORDER BY created_at, id LIMIT :limit
            """
        )
        self._take_dead_letter = text(
            f"""
            UPDATE {schema}.dead_letter SET replayed_at = :now
            WHERE tenant_id = :tenant AND id = :id AND replayed_at IS NULL
            RETURNING id, source, split, event, error, attempts
            """
        )

    async def lock_cursor(self, uow: UnitOfWork, stream: StreamId) -> Cursor:
        """Lock the cursor until commit; a new one stands at 0."""
        identity = _identity(stream)
        row = await uow.one_or_none(self._lock, identity)
        if row is None:
            await uow.execute(self._ensure, {**identity, "now": uow.clock.now()})
            row = await uow.one(self._lock, identity)
        return Cursor(row.position, row.failing_position, row.attempts)

    async def move_cursor(self, uow: UnitOfWork, stream: StreamId, position: int) -> None:
        """Everything up to `position` is done."""
        parameters = {**_identity(stream), "position": position, "now": uow.clock.now()}
        await uow.execute(self._move, parameters)

    async def count_attempt(
        self, uow: UnitOfWork, stream: StreamId, position: int, attempts: int
    ) -> None:
        """Remember how often the event at `position` has failed."""
        parameters = {**_identity(stream), "position": position, "attempts": attempts}
        await uow.execute(self._count, {**parameters, "now": uow.clock.now()})

    async def add_dead_letter(
        self, uow: UnitOfWork, stream: StreamId, event: Envelope, error: Exception, attempts: int
    ) -> None:
        """Set an event aside with the error of its last try."""
        parameters = {
            **_identity(stream),
            "id": new_id(),
            "position": event.position,
            "type": event.type,
            "event": dumps_text(event.as_json()),
            "error": repr(error)[:2000],
            "attempts": attempts,
            "now": uow.clock.now(),
        }
        await uow.execute(self._add_dead_letter, parameters)

    async def dead_letters(self, uow: UnitOfWork, limit: int) -> list[DeadLetter]:
        """The oldest events that were set aside and not replayed."""
        rows = await uow.rows(self._dead_letters, {"tenant": uow.tenant_id, "limit": limit})
        return [_dead_letter(uow.tenant_id, row) for row in rows]

    async def take_dead_letter(self, uow: UnitOfWork, letter_id: UUID) -> DeadLetter | None:
        """Take a dead letter off the list; None when it is not (or no longer) on it."""
        parameters = {"tenant": uow.tenant_id, "id": letter_id, "now": uow.clock.now()}
        row = await uow.one_or_none(self._take_dead_letter, parameters)
        return None if row is None else _dead_letter(uow.tenant_id, row)


def _identity(stream: StreamId) -> dict[str, Any]:
    return {"tenant": stream.tenant_id, "source": stream.source, "split": stream.split}


def _dead_letter(tenant_id: TenantId, row: Row[*tuple[Any, ...]]) -> DeadLetter:
    stream = StreamId(tenant_id, row.source, row.split)
    event = Envelope.from_json(stream, row.event)
    return DeadLetter(row.id, stream, event, row.error, row.attempts)
