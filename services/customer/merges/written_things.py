"""What is written to records by their ids, so that nobody can tell afterwards whose it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnClause, ColumnElement, TableClause, Text, Uuid, column, table

from services.customer.addresses.models import customer_address
from services.customer.appointments.models import appointment
from services.customer.consents.models import consent_record
from services.customer.contacts.models import contact_person
from services.customer.customers.models import customer_identity
from services.customer.interactions.models import interaction
from services.customer.leads.models import lead, lead_submission
from services.customer.loyalty.models import loyalty_entry, loyalty_redemption
from services.customer.notes.models import note
from services.customer.orders.models import customer_order
from services.customer.reviews.models import review
from services.customer.tasks.models import task
from services.customer.touches.models import touch
from services.customer.vouchers.models import voucher_code, voucher_redemption
from shared.db.tables import Instant


# What follows from the law stands on merges, so only what is asked of its tables is known here.
def _of_a_customer() -> list[ColumnClause[Any]]:
    return [column(name, Uuid) for name in ("tenant_id", "id", "customer_id")]


_privacy_request: Final = table(
    "privacy_request",
    *_of_a_customer(),
    column("source_key", Text),
    column("created_at", Instant),
    schema="customer",
)
_legal_hold: Final = table(
    "legal_hold",
    *_of_a_customer(),
    column("placed_at", Instant),
    column("released_at", Instant),
    schema="customer",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """Things of one kind: where they are, when each was written, and which of them it is about."""

    table: TableClause
    written_at: ColumnElement[Any]
    conditions: tuple[ColumnElement[bool], ...] = ()


def _kind(things: TableClause, *conditions: ColumnElement[bool], at: str = "created_at") -> Kind:
    return Kind(things, things.c[at], conditions)


# An order of a platform came through an identity, points and the rating of an order through the
# order, a ticket's task through the ticket: they know where to go.
WRITTEN_BY_ID: Final[Mapping[str, Kind]] = {
    "order": _kind(customer_order, customer_order.c.connection_id.is_(None)),
    "consent": _kind(consent_record),
    "identity": _kind(
        customer_identity,
        customer_identity.c.connection_id.is_(None),
        customer_identity.c.source == "api",
    ),
    "address": _kind(customer_address),
    "contact": _kind(contact_person),
    "interaction": _kind(interaction),
    "note": _kind(note),
    "task": _kind(task, task.c.ticket_id.is_(None)),
    "appointment": _kind(appointment),
    "touch": _kind(touch),
    "lead": _kind(lead, at="captured_at"),
    "lead_submission": _kind(lead_submission, at="received_at"),
    "review": _kind(review, review.c.kind == "product"),
    "loyalty_entry": _kind(
        loyalty_entry,
        loyalty_entry.c.order_id.is_(None),
        loyalty_entry.c.redemption_id.is_(None),
        loyalty_entry.c.actor_id.is_not(None),
    ),
    "loyalty_redemption": _kind(loyalty_redemption, loyalty_redemption.c.status == "done"),
    "voucher_code": _kind(voucher_code),
    "voucher_redemption": _kind(voucher_redemption),
    "privacy_request": _kind(_privacy_request, _privacy_request.c.source_key.is_(None)),
    "legal_hold": _kind(_legal_hold, _legal_hold.c.released_at.is_(None), at="placed_at"),
}

_WORKED_OUT: Final = "is worked out of what a record has"
_OWN: Final = "is each record's own, whoever asked for it"
_ERASED: Final = "is of somebody erased, whose merges are not undone"
_SCAN: Final = "is of a scan that runs, and forgotten when it ends"

NOT_LISTED: Final[Mapping[str, str]] = {
    "customer_tag": "goes by the merge's own list of the tags that came",
    "custom_value": "is a copy of the attributes, which are fields",
    "timeline_entry": "tells of what is listed itself",
    "removed_address": "came through a platform's own customer",
    "assignment_log": "is history: whom something was given to, and why",
    "loyalty_lot": "is told of by its entries",
    "loyalty_member": "is parted by the rules of tiers",
    "loyalty_tier_before": "is what tiers are parted by",
    "referral_code": _OWN,
    "customer_merge_record": "is the ledger of merges",
    "customer_care": _WORKED_OUT,
    "customer_quality": _WORKED_OUT,
    "customer_problem": _WORKED_OUT,
    "retention_exception": "is found anew by the next run of its rule",
    "review_vote": "is one of a count, and says nothing of anybody",
    "import_row": "is an import's account of its file",
    "import_key": "is an import's account of its file",
    "data_collection": "goes with its privacy request",
    "erasure": _ERASED,
    "erased_identity": _ERASED,
    "erased_customer": _ERASED,
    "duplicate_scan_person": _SCAN,
    "duplicate_scan_key": _SCAN,
}
"""Tables that name customers and have nothing to list, and why."""
