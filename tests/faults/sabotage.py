"""What could have gone wrong, as it would look in the database, and the check that must see it.

An auditor that cannot find fault proves nothing.
"""

from typing import Final

LOOK_AWAY: Final = "SET LOCAL session_replication_role = replica"
"""Foreign keys and triggers look away: what they prevent is not what is tested here."""


def lost(table: str, where: str = "true") -> str:
    """One row is gone."""
    return f"DELETE FROM {table} WHERE ctid = (SELECT ctid FROM {table} WHERE {where} LIMIT 1)"


def doubled(table: str, changes: str, where: str = "true") -> str:
    """One row is there twice, with other keys."""
    return f"""
        INSERT INTO {table}
        SELECT (jsonb_populate_record(one, jsonb_build_object({changes}))).*
        FROM {table} AS one WHERE ctid = (SELECT ctid FROM {table} WHERE {where} LIMIT 1)
    """


def changed(table: str, change: str, where: str = "true") -> str:
    """One row says something else."""
    return f"""
        UPDATE {table} SET {change}
        WHERE ctid = (SELECT ctid FROM {table} WHERE {where} LIMIT 1)
    """


_NEW_ID: Final = "'id', gen_random_uuid()"
_NEW_CUSTOMER: Final = f"{_NEW_ID}, 'code', 'X'"
_BY_API: Final = "email LIKE 'm%@example.com'"
_BUYER: Final = "email LIKE 'b%@example.org'"
_PLATFORM: Final = "connection_id IS NOT NULL"
_NEW_MESSAGE: Final = f"{_NEW_ID}, 'origin_id', gen_random_uuid()"

SABOTAGE: Final = (
    ("customers", lost("customer.customer", _BY_API)),
    ("customers", doubled("customer.customer", _NEW_CUSTOMER, _BY_API)),
    ("descriptions", changed("customer.customer", "attributes = '{}'", "attributes ? 'last'")),
    ("platform orders", lost("customer.customer_order", _PLATFORM)),
    ("platform orders", changed("customer.customer_order", "total_minor = 1", _PLATFORM)),
    (
        "platform orders",
        doubled("customer.customer_order", f"{_NEW_ID}, 'scope', 'x'", _PLATFORM),
    ),
    ("orders at the till", lost("customer.customer_order", "source = 'pos'")),
    ("buyers", doubled("customer.customer", _NEW_CUSTOMER, _BUYER)),
    ("buyers", lost("customer.customer_order", _PLATFORM)),
    ("deliveries", lost("gateway.delivery")),
    ("deliveries", changed("gateway.delivery", "status = 'pending'")),
    ("tickets", lost("support_ticket.ticket", "subject LIKE 'Hỏi %'")),
    (
        "tickets",
        doubled("support_ticket.ticket", f"{_NEW_ID}, 'code', 'X'", "subject LIKE 'Hỏi %'"),
    ),
    ("replies", lost("support_ticket.message", "kind = 'reply'")),
    ("replies", doubled("support_ticket.message", _NEW_ID, "kind = 'reply'")),
    ("what people wrote", lost("messaging.inbound_message")),
    ("what people wrote", lost("support_ticket.message", "external_id IS NOT NULL")),
    ("keys", lost("customer.idempotency_key")),
    ("customer: events numbered", lost("customer.outbox", "position = 2")),
    ("gateway: events numbered", changed("gateway.outbox", "position = NULL")),
    ("segmentation: nothing set aside", changed("segmentation.cursor", "failing_position = 1")),
    ("streams at rest", changed("segmentation.cursor", "position = position - 1")),
    ("streams at rest", changed("customer.subscription", "acked = acked - 1", "acked > 0")),
    ("figures of customers", changed("customer.customer", "orders_count = orders_count + 1")),
    ("segmentation knows the customers", lost("segmentation.profile", "active")),
    (
        "segmentation knows the customers",
        changed("segmentation.profile", "total_spent_minor = total_spent_minor + 1", "active"),
    ),
    ("segmentation knows the orders", lost("segmentation.order_fact")),
    ("segmentation knows the tickets", changed("segmentation.ticket_fact", "urgency = 'low'")),
    (
        "segmentation counts the tickets",
        changed("segmentation.profile", "tickets_count = tickets_count + 1"),
    ),
    ("support knows the customers", changed("support_ticket.customer", "version = 0")),
    ("messaging knows the customers", lost("messaging.recipient")),
    (
        "support knows the memberships",
        changed("support_ticket.segment_membership", "inside = NOT inside"),
    ),
    ("memberships follow from moves", lost("segmentation.membership_change")),
    ("memberships follow from moves", doubled("segmentation.membership_change", _NEW_ID)),
    ("the story tells of segmentation", lost("customer.timeline_entry", "source='segmentation'")),
    (
        "the story tells of support_ticket",
        doubled("customer.timeline_entry", _NEW_ID, "source = 'support_ticket'"),
    ),
    ("messages have ended", changed("messaging.message", "status = 'planned'")),
    ("no lease is left", changed("messaging.message", "lease_until = now()")),
    ("replies are carried", lost("support_ticket.message", "kind = 'reply'")),
    ("surveys are carried", doubled("messaging.message", f"{_NEW_MESSAGE}, 'origin', 'survey'")),
    ("the new are thanked", lost("messaging.message", "origin = 'automation'")),
    ("the new are thanked", doubled("messaging.message", _NEW_MESSAGE, "origin = 'automation'")),
    ("segmentation knows the outcomes", lost("segmentation.message_fact")),
    (
        "the mail server agrees",
        changed("messaging.message", "status = 'failed'", "status = 'sent'"),
    ),
    ("the mail server agrees", lost("messaging.message", "status = 'sent'")),
    (
        "unknown only when undecidable",
        changed(
            "messaging.message",
            "status = 'unknown', attempted_at = now() - interval '1 year'",
            "status = 'sent'",
        ),
    ),
    ("the feed has no gap", lost("gateway.event", "position = 2")),
    ("the feed tells it all", lost("gateway.event")),
    ("the log keeps what it is told", lost("gateway.audit_entry")),
    (
        "the log knows of customers.create",
        lost("gateway.audit_entry", "action LIKE 'customers.c%'"),
    ),
    ("jobs have ended", changed("segmentation.job", "status = 'running'")),
    ("no lock is left", "SELECT pg_advisory_xact_lock(1)"),
)
