"""SQL of the sending end: outbox, stream and subscription rows."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, text

from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import OutgoingEvent, StreamId
from shared.stream.protocol import Progress


class SourceRepository:
    """Every statement that a relay runs on its own schema."""

    def __init__(self, schema: str) -> None:
        self._ensure_stream = text(
            f"""
            INSERT INTO {schema}.stream (tenant_id, split, last_position)
            VALUES (:tenant, :split, 0) ON CONFLICT (tenant_id, split) DO NOTHING
            """
        )
        self._lock_stream = text(
            f"""
            SELECT last_position FROM {schema}.stream
            WHERE tenant_id = :tenant AND split = :split FOR UPDATE
            """
        )
        self._unsent = text(
            f"""
            SELECT id, key, type, data::text AS data, context::text AS context, occurred_at
            FROM {schema}.outbox
            WHERE tenant_id = :tenant AND split = :split AND position IS NULL
            ORDER BY recorded_at, id LIMIT :limit
            """
        )
        self._number = text(
            f"""
            UPDATE {schema}.outbox AS o SET position = n.position
            FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS bigint[])) AS n(id, position)
            WHERE o.tenant_id = :tenant AND o.id = n.id
            """
        )
        self._advance = text(
            f"""
            UPDATE {schema}.stream SET last_position = :last
            WHERE tenant_id = :tenant AND split = :split
            """
        )
        self._events = text(
            f"""
            SELECT position, id, key, type, data::text AS data, context::text AS context,
                   occurred_at
            FROM {schema}.outbox
            WHERE tenant_id = :tenant AND split = :split AND position BETWEEN :first AND :last
            ORDER BY position
            """
        )
        self._progress = text(
            f"""
            SELECT consumer, acked, sent, resends, sent_at FROM {schema}.subscription
            WHERE tenant_id = :tenant AND split = :split
            """
        )
        self._save_progress = text(
            f"""
            INSERT INTO {schema}.subscription
                (tenant_id, split, consumer, acked, sent, resends, sent_at)
            SELECT :tenant, :split, p.consumer, p.acked, p.sent, p.resends, p.sent_at
            FROM unnest(
                CAST(:consumers AS text[]), CAST(:acked AS bigint[]), CAST(:sent AS bigint[]),
                CAST(:resends AS int[]), CAST(:sent_at AS timestamptz[])
            ) AS p(consumer, acked, sent, resends, sent_at)
            ON CONFLICT (tenant_id, split, consumer) DO UPDATE SET
                acked = excluded.acked,
                sent = excluded.sent,
                resends = excluded.resends,
                sent_at = excluded.sent_at
            """
        )

    async def lock_stream(self, uow: UnitOfWork, split: int) -> int:
        """Lock the stream's row until commit; its last position (0 for a new stream)."""
        identity = {"tenant": uow.tenant_id, "split": split}
        last = await uow.scalar(self._lock_stream, identity)
        if last is None:
            await uow.execute(self._ensure_stream, identity)
            last = await uow.scalar(self._lock_stream, identity)
        return int(last)

    async def number_unsent(
        self, uow: UnitOfWork, stream: StreamId, *, after: int, limit: int
    ) -> list[OutgoingEvent]:
        """Give the oldest unnumbered events the next positions of the stream, whose row is locked.

        One object's events are in the order of its changes: a change locks the object's row, so
        the next change of it is recorded later than the first one's commit.
        """
        identity = {"tenant": uow.tenant_id, "split": stream.split}
        rows = await uow.rows(self._unsent, {**identity, "limit": limit})
        if not rows:
            return []
        positions = list(range(after + 1, after + 1 + len(rows)))
        numbered = {"tenant": uow.tenant_id, "ids": [row.id for row in rows]}
        await uow.execute(self._number, {**numbered, "positions": positions})
        await uow.execute(self._advance, {**identity, "last": positions[-1]})
        pairs = zip(rows, positions, strict=True)
        return [_outgoing(row, position) for row, position in pairs]

    async def events(
        self, uow: UnitOfWork, stream: StreamId, first: int, last: int
    ) -> list[OutgoingEvent]:
        """The numbered events of positions `first`..`last`."""
        identity = {"tenant": uow.tenant_id, "split": stream.split}
        rows = await uow.rows(self._events, {**identity, "first": first, "last": last})
        return [_outgoing(row, row.position) for row in rows]

    async def progress(self, uow: UnitOfWork, split: int) -> dict[str, Progress]:
        """How far the stream is with each consumer that was ever sent something."""
        rows = await uow.rows(self._progress, {"tenant": uow.tenant_id, "split": split})
        return {
            row.consumer: Progress(row.acked, row.sent, row.resends, row.sent_at) for row in rows
        }

    async def save_progress(
        self, uow: UnitOfWork, split: int, changed: Mapping[str, Progress]
    ) -> None:
        """Write how far the stream is with its consumers. Its row is locked since it was read."""
        if not changed:
            return
        parameters: dict[str, Any] = {
            "tenant": uow.tenant_id,
            "split": split,
            "consumers": list(changed),
            "acked": [progress.acked for progress in changed.values()],
            "sent": [progress.sent for progress in changed.values()],
            "resends": [progress.resends for progress in changed.values()],
            "sent_at": [progress.waiting_since for progress in changed.values()],
        }
        await uow.execute(self._save_progress, parameters)


def _outgoing(row: Row[*tuple[Any, ...]], position: int) -> OutgoingEvent:
    return OutgoingEvent(
        position=position,
        id=row.id,
        key=row.key,
        type=row.type,
        occurred_at=row.occurred_at,
        data=row.data,
        context=row.context,
    )
