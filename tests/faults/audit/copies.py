"""What each service knows of another's objects is what they are."""

from collections.abc import Iterator

from services.segmentation.facts.rows import STATUS_CATEGORY
from tests.faults.audit.books import Check, asks, same

_COUNTED = "status <> 'cancelled' AND financial_status <> 'voided' AND deleted_at IS NULL"
_OF_CUSTOMERS = """
    SELECT tenant_id, id, version, code, name, email, locale FROM customer.customer
"""
# Events of which the customer service writes a line in the customer's story.
_TOLD = {
    "segmentation": ("segmentation.segment_entered", "segmentation.segment_left"),
    "support_ticket": (
        "support_ticket.ticket_created",
        "support_ticket.ticket_replied",
        "support_ticket.ticket_resolved",
    ),
    "messaging": (
        "messaging.message_sent",
        "messaging.message_suppressed",
        "messaging.message_failed",
        "messaging.inbound_message_received",
    ),
}
_WHOSE = """
    coalesce(o.data->>'customer_id', o.data->'membership'->>'customer_id',
             o.data->'ticket'->>'customer_id', o.data->'message'->>'customer_id')
"""

_CATEGORIES = " ".join(f"WHEN status = '{s}' THEN '{c}'" for s, c in STATUS_CATEGORY.items())


def copy_checks() -> Iterator[Check]:
    """Projections, figures and memberships, against what they are made of."""
    yield asks(
        "figures of customers",
        "orders and money of each customer are those of its orders, each counted once",
        of="customer.customer",
        faults=f"""
            SELECT c.tenant_id, c.id, c.orders_count, coalesce(f.orders, 0) AS truly,
                   c.total_spent_minor, coalesce(f.spent, 0) AS spent
            FROM customer.customer c
            LEFT JOIN (
                SELECT tenant_id, customer_id, count(*) AS orders,
                       sum(greatest(total_minor - refunded_minor, 0)) FILTER (
                           WHERE financial_status IN ('paid', 'partially_refunded')) AS spent
                FROM customer.customer_order WHERE {_COUNTED} GROUP BY tenant_id, customer_id
            ) f ON f.tenant_id = c.tenant_id AND f.customer_id = c.id
            WHERE c.orders_count <> coalesce(f.orders, 0)
               OR c.total_spent_minor <> coalesce(f.spent, 0)
        """,
    )
    yield same(
        "segmentation knows the customers",
        "every customer in its last version, with its figures",
        source="""SELECT tenant_id, id, version, code, name, email, orders_count,
                         total_spent_minor FROM customer.customer""",
        copy="""SELECT tenant_id, customer_id, version, code, full_name, email, orders_count,
                       total_spent_minor FROM segmentation.profile WHERE active""",
    )
    yield same(
        "segmentation knows the orders",
        "every order in its last version",
        source="""SELECT tenant_id, id, customer_id, version, total_minor
                  FROM customer.customer_order""",
        copy="""SELECT tenant_id, order_id, customer_id, version, total_minor
                FROM segmentation.order_fact""",
    )
    yield same(
        "segmentation knows the tickets",
        "every ticket of a customer, once, as it stands",
        # Not the version: an answer raises it and changes nothing that others are told of.
        source=f"""SELECT tenant_id, id, customer_id, type, urgency, priority,
                          CASE {_CATEGORIES} END, resolved_at
                   FROM support_ticket.ticket WHERE customer_id IS NOT NULL""",
        copy="""SELECT tenant_id, ticket_id, customer_id, type, urgency, priority, status_category,
                       resolved_at FROM segmentation.ticket_fact""",
    )
    yield same(
        "segmentation counts the tickets",
        "each customer has as many tickets as there are of it",
        source="""SELECT tenant_id, customer_id, count(*)::int FROM support_ticket.ticket
                  WHERE customer_id IS NOT NULL GROUP BY tenant_id, customer_id""",
        copy="""SELECT tenant_id, customer_id, tickets_count FROM segmentation.profile
                WHERE tickets_count > 0""",
    )
    yield same(
        "support knows the customers",
        "every customer in its last version",
        source=_OF_CUSTOMERS,
        copy=_OF_CUSTOMERS.replace("customer.customer", "support_ticket.customer"),
    )
    yield same(
        "messaging knows the customers",
        "every customer in its last version",
        source=_OF_CUSTOMERS,
        copy="""SELECT tenant_id, customer_id, version, code, name, email, locale
                FROM messaging.recipient""",
    )
    yield from _membership_checks()
    yield from _story_checks()


def _membership_checks() -> Iterator[Check]:
    yield same(
        "support knows the memberships",
        "who is in which segment",
        source="SELECT tenant_id, customer_id, segment_id FROM segmentation.membership",
        copy="""SELECT tenant_id, customer_id, segment_id FROM support_ticket.segment_membership
                WHERE inside""",
    )
    yield same(
        "memberships follow from moves",
        "who is in a segment entered it once more than they left it, nobody else did",
        source="SELECT tenant_id, segment_id, customer_id, 1 FROM segmentation.membership",
        copy="""SELECT tenant_id, segment_id, customer_id,
                       (count(*) FILTER (WHERE change = 'entered')
                        - count(*) FILTER (WHERE change = 'left'))::int AS inside
                FROM segmentation.membership_change
                GROUP BY tenant_id, segment_id, customer_id
                HAVING count(*) FILTER (WHERE change = 'entered')
                    <> count(*) FILTER (WHERE change = 'left')""",
    )
    yield same(
        "the new are among the new",
        "whoever has ordered is in the segment of new customers, and nobody else",
        source="""SELECT tenant_id, id FROM customer.customer WHERE orders_count > 0""",
        copy="""SELECT m.tenant_id, m.customer_id FROM segmentation.membership m
                JOIN segmentation.segment s ON s.tenant_id = m.tenant_id AND s.id = m.segment_id
                WHERE s.key = 'new_customers'""",
    )


def _story_checks() -> Iterator[Check]:
    for source, types in _TOLD.items():
        wanted = ", ".join(f"'{name}'" for name in types)
        told = f"""
            {source}.outbox o
            JOIN customer.customer c ON c.tenant_id = o.tenant_id AND c.id = ({_WHOSE})::uuid
            WHERE o.type IN ({wanted})
        """
        yield same(
            f"the story tells of {source}",
            "each event of a customer is one line of its story",
            source=f"SELECT o.tenant_id, o.id FROM {told}",
            copy=f"SELECT tenant_id, id FROM customer.timeline_entry WHERE source = '{source}'",
        )
