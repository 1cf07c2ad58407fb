"""Messages: planned once, sent once or not at all, and what became of them is what happened."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from tests.faults.audit.books import Books, Check, Examined, asks, rows, same

# How long a sender holds on to what it has taken, with a margin.
_HELD = timedelta(minutes=5)


def ledger_checks() -> Iterator[Check]:
    """The ledger's equations, and the ledger against the mail server's memory."""
    yield asks(
        "messages have ended",
        "planned = sent + suppressed + failed + unknown + cancelled",
        of="messaging.message",
        faults="""
            SELECT tenant_id, id, status, reason, due_at FROM messaging.message
            WHERE status NOT IN ('sent', 'suppressed', 'failed', 'unknown', 'cancelled')
        """,
    )
    yield asks(
        "no lease is left",
        "only a message that is being sent is leased",
        of="messaging.message",
        faults="""
            SELECT tenant_id, id, status, lease_until FROM messaging.message
            WHERE lease_until IS NOT NULL
        """,
    )
    yield same(
        "replies are carried",
        "each answer of an agent is one message, and there are no others",
        source="SELECT tenant_id, id FROM support_ticket.message WHERE kind = 'reply'",
        copy="""SELECT tenant_id, origin_id FROM messaging.message
                WHERE origin = 'ticket_reply'""",
    )
    yield same(
        "surveys are carried",
        "each invitation is one message, and there are no others",
        source="SELECT tenant_id, id FROM support_ticket.survey",
        copy="SELECT tenant_id, origin_id FROM messaging.message WHERE origin = 'survey'",
    )
    yield same(
        "the new are thanked",
        "whoever entered the segment of new customers is thanked once in their life",
        source="""SELECT DISTINCT c.tenant_id, c.customer_id
                  FROM segmentation.membership_change c
                  JOIN segmentation.segment s ON s.tenant_id = c.tenant_id AND s.id = c.segment_id
                  WHERE s.key = 'new_customers' AND c.change = 'entered'""",
        copy="""SELECT tenant_id, customer_id FROM messaging.message
                WHERE origin = 'automation'""",
    )
    yield same(
        "segmentation knows the outcomes",
        "every message to a customer that ended well or badly, once",
        source="""SELECT tenant_id, id FROM messaging.message
                  WHERE customer_id IS NOT NULL AND status <> 'cancelled'""",
        copy="SELECT tenant_id, message_id FROM segmentation.message_fact",
    )
    yield Check(
        "the mail server agrees",
        "what is sent was taken once, what is not was never taken; unknown is at most once",
        _against_the_mail_server,
    )
    yield Check(
        "unknown only when undecidable",
        "an answer was withheld, or the sender died or lost its database while sending",
        _unknown_for_a_reason,
    )


async def _against_the_mail_server(connection: AsyncConnection, books: Books) -> Examined:
    ledger = await rows(connection, "SELECT id, status FROM messaging.message")
    wrong = []
    for row in ledger:
        taken = books.mails_taken.get(row.id.hex, 0)
        allowed = {"sent": (1,), "unknown": (0, 1)}.get(row.status, (0,))
        if taken not in allowed:
            wrong.append(f"{row.id} is {row.status} and was taken {taken} times")
    known = {row.id.hex for row in ledger}
    wrong += [
        f"{name} was taken and is not in the ledger" for name in books.mails_taken.keys() - known
    ]
    return Examined(len(ledger), wrong)


async def _unknown_for_a_reason(connection: AsyncConnection, books: Books) -> Examined:
    unknown = await rows(
        connection,
        "SELECT id, reason, attempted_at FROM messaging.message WHERE status = 'unknown'",
    )
    wrong = []
    for row in unknown:
        since, until = row.attempted_at, row.attempted_at + _HELD
        died = any(since <= at <= until for at in books.senders_killed_at)
        cut_off = any(began <= until and ended >= since for began, ended in books.outages)
        if not (died or cut_off or row.id.hex in books.mails_undecidable):
            wrong.append(f"{row.id} {row.reason}, tried at {row.attempted_at}")
    return Examined(len(unknown), wrong)
