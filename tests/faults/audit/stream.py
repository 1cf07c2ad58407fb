"""Every event arrived everywhere, once, and nothing is left under way."""

from collections.abc import Iterator

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.topology import SUBSCRIPTIONS
from shared.settings import SCHEMAS
from tests.faults.audit.books import Books, Check, Examined, asks, rows

# Who listens to nobody has no cursor, and who tells nobody anything no subscription.
_PAIRS = [(source, consumer) for source, to in SUBSCRIPTIONS.items() for consumer in to]


def stream_checks() -> Iterator[Check]:
    """The promises of the event stream, at rest."""
    for schema in SCHEMAS:
        yield asks(
            f"{schema}: events numbered",
            "every event has a place, places follow each other without a gap",
            of=f"{schema}.outbox",
            faults=f"""
                SELECT o.tenant_id, count(*) AS events, count(o.position) AS numbered,
                       max(o.position) AS highest, max(s.last_position) AS last_position
                FROM {schema}.outbox o
                LEFT JOIN {schema}.stream s ON s.tenant_id = o.tenant_id AND s.split = o.split
                GROUP BY o.tenant_id, o.split
                HAVING count(*) <> count(o.position)
                    OR count(*) <> max(o.position)
                    OR max(o.position) IS DISTINCT FROM max(s.last_position)
            """,
        )
        yield asks(
            f"{schema}: nothing set aside",
            "no dead letter, and no event that keeps failing",
            of=f"{schema}.cursor",
            faults=f"""
                SELECT 'dead letter' AS what, tenant_id, type, error FROM {schema}.dead_letter
                UNION ALL
                SELECT 'failing', tenant_id, source, failing_position::text
                FROM {schema}.cursor WHERE failing_position IS NOT NULL OR attempts <> 0
            """,
        )
    yield Check("streams at rest", "each consumer has applied each stream to its end", _at_rest)


async def _at_rest(connection: AsyncConnection, _books: Books) -> Examined:
    examined, wrong = 0, []
    for source, consumer in _PAIRS:
        found = await rows(
            connection,
            f"""
            SELECT s.tenant_id, s.last_position, b.acked, b.sent, c.position
            FROM {source}.stream s
            LEFT JOIN {source}.subscription b
              ON b.tenant_id = s.tenant_id AND b.split = s.split AND b.consumer = '{consumer}'
            LEFT JOIN {consumer}.cursor c
              ON c.tenant_id = s.tenant_id AND c.split = s.split AND c.source = '{source}'
            """,
        )
        examined += len(found)
        wrong += [
            f"{source} to {consumer}: {row.tenant_id} last {row.last_position}, sent {row.sent},"
            f" acknowledged {row.acked}, applied {row.position}"
            for row in found
            if not row.last_position == row.acked == row.sent == row.position
        ]
    return Examined(examined, wrong)
