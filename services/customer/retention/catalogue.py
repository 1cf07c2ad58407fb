"""What rules can speak of: the data, by the registry of personal data, and the clocks.

What is erased of each table is what `personal(...)` says beside it; here it only gets a name. A
test refuses a table with something to erase that is neither named here nor in `ONLY_WITH_PERSON`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Table, bindparam, literal_column, or_
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.addresses.models import customer_address
from services.customer.appointments.models import appointment
from services.customer.contacts.models import contact_person
from services.customer.customers.profile import PROFILE_FIELDS
from services.customer.customers.says import FIELD_COLUMNS
from services.customer.imports.models import import_row
from services.customer.interactions.models import interaction
from services.customer.leads.models import lead_submission
from services.customer.notes.models import note
from services.customer.orders.models import (
    customer_order,
    order_fulfillment,
    order_payment,
    order_refund,
    order_return,
)
from services.customer.reviews.models import review
from services.customer.tasks.models import task
from services.customer.timeline.models import timeline_entry
from services.customer.touches.models import touch
from shared.db.tables import Instant
from shared.privacy.registry import ERASED

RECORD: Final = "record"
"""The person as a whole, as an erasure leaves them."""

TAGS: Final = "tags"
ATTRIBUTES: Final = "attributes"
ATTRIBUTE: Final = "attributes."
"""What the name of a field of the shop's own begins with."""

LAST_ACTIVITY: Final = "last_activity"
LAST_ORDER: Final = "last_order"
CREATED: Final = "created"
CONSENT_WITHDRAWN: Final = "consent_withdrawn"
RECORDED: Final = "recorded"
CLOCKS: Final[Mapping[str, str]] = {
    LAST_ACTIVITY: "The latest of: known, ordered, in touch, agreed to something",
    LAST_ORDER: "The newest order; whoever has none is never due",
    CREATED: "Since the newest of their records is known",
    CONSENT_WITHDRAWN: "Since nothing is agreed to any more; whoever was never asked is never due",
    RECORDED: "The age of each entry itself, whoever it is of",
}
"""What time is counted from, besides a date field of the shop's own."""

# What the relation and the kind of a customer are is no datum of a person.
FIELDS: Final = frozenset(
    {*FIELD_COLUMNS, *PROFILE_FIELDS, TAGS, ATTRIBUTES} - {"kind", "relation", "address"}
)
"""Fields of customers that can be emptied one by one."""

# Also when nobody else is there to be asked.
NOW: Final = bindparam("now", type_=Instant)
KEPT_SINCE: Final = bindparam("kept_since", type_=Instant)
"""What was placed later belongs to accounts that the law wants kept."""

_NOTHING: Final = literal_column("'{}'::jsonb", JSONB)
_NO_ENTRIES: Final = literal_column("'[]'::jsonb", JSONB)


@dataclass(frozen=True, slots=True)
class Entries:
    """Rows that people have many of: which are left to erase, and which go with them."""

    table: Table
    remaining: ColumnElement[bool]
    at: Column[Any] | None = None
    """What the age of an entry is told by, where an index finds the oldest that remain."""
    parts: tuple[Table, ...] = ()
    """Their rows name the entry in `order_id`."""


def _any_known(table: Table, *columns: str) -> ColumnElement[bool]:
    return or_(*(table.c[name].is_not(None) for name in columns))


ENTRIES: Final[Mapping[str, Entries]] = {
    "addresses": Entries(customer_address, customer_address.c.id.is_not(None)),
    "appointments": Entries(
        appointment,
        (appointment.c.ends_at < NOW)
        & ((appointment.c.title != ERASED) | _any_known(appointment, "place", "note")),
    ),
    "contacts": Entries(contact_person, contact_person.c.id.is_not(None)),
    "imports": Entries(
        import_row, (import_row.c.changes != _NOTHING) | (import_row.c.problems != _NO_ENTRIES)
    ),
    "interactions": Entries(
        interaction, interaction.c.text.is_not(None), at=interaction.c.started_at
    ),
    "lead_submissions": Entries(
        lead_submission, lead_submission.c.entered != _NOTHING, at=lead_submission.c.received_at
    ),
    "notes": Entries(note, note.c.id.is_not(None), at=note.c.created_at),
    "orders": Entries(
        customer_order,
        (customer_order.c.placed_at < KEPT_SINCE)
        & _any_known(customer_order, "details", "cancel_reason"),
        parts=(order_payment, order_refund, order_return, order_fulfillment),
    ),
    "reviews": Entries(review, _any_known(review, "title", "text", "author_name", "client_ip")),
    "tasks": Entries(
        task,
        (task.c.status != "open") & ((task.c.title != ERASED) | _any_known(task, "note")),
    ),
    "timeline": Entries(timeline_entry, timeline_entry.c.data != _NOTHING),
    "touches": Entries(
        touch,
        _any_known(touch, "referrer", "landing_page") | (touch.c.click_ids != _NOTHING),
        at=touch.c.occurred_at,
    ),
}
"""What can be emptied of a person as a whole, or by its own age where there is an `at`."""

KEPT: Final[Mapping[str, str]] = {
    "consent_evidence": "Proof of what was agreed to and withdrawn is kept as long as the record"
    " (Law 91/2025/QH15; Regulation (EU) 2016/679, Art. 7(1))",
    "order_amounts": "What was sold for how much is kept for the accounts"
    " (Law 88/2015/QH13 on Accounting, Art. 41)",
    "privacy_requests": "Shows that the law was kept",
}
"""What no rule may touch, and why; refused by name."""

ONLY_WITH_PERSON: Final[Mapping[str, str]] = {
    "assignment_log": "explains a decision",
    "consent_record": "evidence",
    "custom_value": "goes with the attribute",
    "customer": "its fields are data by themselves",
    "customer_identity": "goes with the e-mail address and the phone number",
    "customer_merge": "goes with the fields that were taken",
    "customer_tag": "goes with the tags",
    "data_piece": "the answer to a request, gone after days",
    "duplicate_candidate": "names two records",
    "import_key": "digests",
    "lead": "a page of the shop's own",
    "lead_fingerprint": "digests",
    "legal_hold": "forbids just that",
    "loyalty_entry": "explains a balance",
    "loyalty_redemption": "explains a balance",
    "order_fulfillment": "goes with the orders",
    "order_payment": "goes with the orders",
    "order_refund": "goes with the orders",
    "order_return": "goes with the orders",
    "privacy_request": "shows that the law was kept",
    "referral_code": "a code that is in use",
    "removed_address": "keeps what was removed from coming back",
    "retention_exception": "ours",
    "review_fingerprint": "digests",
    "voucher_redemption": "explains a price",
}
"""Tables that only the end of the whole person empties, and why."""


def is_known(name: str) -> bool:
    """Whether rules can speak of something by this name; the shop's own fields are not asked."""
    return name == RECORD or name in FIELDS or name in ENTRIES


def can_age(name: str) -> bool:
    """Whether entries of this name have an age of their own."""
    return name in ENTRIES and ENTRIES[name].at is not None
