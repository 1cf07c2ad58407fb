"""What the outside is told of what happened, and the log of who did it."""

from collections.abc import Iterator

from gateway.events.catalogue import PUBLISHED
from shared.contracts.audit import AuditRecorded
from shared.contracts.topology import SUBSCRIPTIONS
from shared.settings import SCHEMAS
from tests.faults.audit.books import Check, asks, same

_FEED = "gateway"
# Writes of the load, and the rows that each leaves.
_WRITES = {
    "customers.create": "customer.customer WHERE email LIKE 'm%@example.com'",
    "tickets.reply": "support_ticket.message WHERE kind = 'reply'",
    "tickets.resolve": "support_ticket.resolution",
}


def public_checks() -> Iterator[Check]:
    """The event feed and the audit log."""
    yield asks(
        "the feed has no gap",
        "each shop's feed counts 1, 2, 3, … to its end",
        of="gateway.event",
        faults="""
            SELECT e.tenant_id, count(*) AS events, max(e.position) AS highest, l.last_position
            FROM gateway.event e
            LEFT JOIN gateway.event_log l ON l.tenant_id = e.tenant_id
            GROUP BY e.tenant_id, l.last_position
            HAVING count(*) <> max(e.position) OR max(e.position) IS DISTINCT FROM l.last_position
        """,
    )
    yield same(
        "the feed tells it all",
        "each public event of each service is in the feed once",
        source=" UNION ALL ".join(_published()),
        copy="SELECT tenant_id, id FROM gateway.event",
    )
    records = " UNION ALL ".join(
        f"SELECT tenant_id, (jsonb_array_elements(data->'records')->>'id')::uuid"
        f" FROM {schema}.outbox WHERE type = '{AuditRecorded.type}'"
        for schema in SCHEMAS
    )
    yield same(
        "the log keeps what it is told",
        "each record of each part is an entry, once",
        source=records,
        copy="SELECT tenant_id, id FROM gateway.audit_entry",
    )
    for action, made in _WRITES.items():
        yield same(
            f"the log knows of {action}",
            "as many entries as effects: a repetition is not a second deed",
            source=f"SELECT tenant_id, count(*) FROM {made} GROUP BY tenant_id",
            copy=f"""SELECT tenant_id, count(*) FROM gateway.audit_entry
                     WHERE action = '{action}' AND kind = 'change' GROUP BY tenant_id""",
        )


def _published() -> Iterator[str]:
    for source, consumers in SUBSCRIPTIONS.items():
        types = sorted(consumers.get(_FEED, frozenset()) & PUBLISHED.keys())
        if types:
            names = ", ".join(f"'{name}'" for name in types)
            yield f"SELECT tenant_id, id FROM {source}.outbox WHERE type IN ({names})"
