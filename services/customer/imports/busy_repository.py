"""SQL of whom an import has brought and something has happened to since.

Every table that holds something of customers is named here, by what is looked for in it or by why
nothing is; `tests/architecture/test_import_undoing.py` finds what was forgotten.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.addresses.models import customer_address, removed_address
from services.customer.appointments.models import appointment
from services.customer.contacts.models import contact_person
from services.customer.customers.models import customer_identity
from services.customer.duplicates.models import duplicate_candidate
from services.customer.imports.models import import_row
from services.customer.interactions.models import interaction
from services.customer.leads.models import lead, lead_submission
from services.customer.loyalty.models import loyalty_entry, loyalty_lot, loyalty_redemption
from services.customer.notes.models import note
from services.customer.orders.models import customer_order
from services.customer.referrals.models import referral, referral_code
from services.customer.reviews.models import review, review_vote
from services.customer.tasks.models import task
from services.customer.timeline.models import timeline_entry
from services.customer.touches.models import touch
from services.customer.vouchers.models import voucher_code, voucher_redemption
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = bindparam("tenant", type_=Uuid)
_IMPORT: Final = bindparam("this_import", type_=Uuid)
# Known by their names alone: that slice has imports forget whom it erases.
_PRIVACY: Final = [
    table(name, column("tenant_id", Uuid), column("customer_id", Uuid), schema="customer")
    for name in ("data_collection", "erasure", "legal_hold", "privacy_request")
]
# What the import itself leaves on a timeline, and what follows from it by the shop's rules.
_OWN_WORK: Final = (
    *("customer.created", "customer.imported", "customer.assigned", "customer.recognised"),
    *("segment.entered", "segment.left", "consent.granted", "consent.withdrawn"),
    "customer.import_undone",
)
WORK: Final[Mapping[FromClause, ColumnElement[bool]]] = {
    # No import brings any of these: that there is one says enough.
    **dict.fromkeys(
        (
            *(appointment, contact_person, customer_order, interaction, lead, lead_submission),
            *(loyalty_entry, loyalty_lot, loyalty_redemption, referral, referral_code),
            *(removed_address, review, review_vote, task, touch, voucher_code, voucher_redemption),
            *_PRIVACY,
        ),
        true(),
    ),
    timeline_entry: timeline_entry.c.type != func.all(bindparam("own_work", type_=ARRAY(Text))),
    customer_address: or_(customer_address.c.version > 1, ~customer_address.c.is_primary),
    note: note.c.version > 1,
    customer_identity: or_(
        customer_identity.c.source != bindparam("source", type_=Text),
        customer_identity.c.connection_id.is_not(None),
        customer_identity.c.verified_at.is_not(None),
        customer_identity.c.version > 1,
    ),
    duplicate_candidate: duplicate_candidate.c.status == "dismissed",
    # Another import has told something of them, and that was not taken back.
    import_row: (import_row.c.import_id != _IMPORT)
    & or_(import_row.c.outcome == "updated", import_row.c.changes != {})
    & (func.coalesce(import_row.c.undone, literal_column("''", Text)) != "restored"),
}
"""What somebody else has left of a customer, table by table."""

NO_WORK: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("consent_record", "customer", "customer_tag", "custom_value"),
        "the customer's version tells of it",
    ),
    **dict.fromkeys(
        ("customer_merge", "customer_merge_record", "loyalty_tier_before"),
        "whoever is merged is kept, and the timeline tells of merges that were undone",
    ),
    **dict.fromkeys(
        ("customer_problem", "customer_quality", "loyalty_member", "retention_exception"),
        "worked out by ourselves, of what is known",
    ),
    **dict.fromkeys(
        ("duplicate_scan_key", "duplicate_scan_person"), "what a running scan compares"
    ),
    **dict.fromkeys(("erased_customer", "erased_identity"), "`erasure` tells of it"),
    **dict.fromkeys(
        ("order_fulfillment", "order_line", "order_payment", "order_refund", "order_return"),
        "part of an order",
    ),
    **dict.fromkeys(("review_fingerprint", "review_product"), "part of a review"),
    "assignment_log": "the import has customers given to staff; else their version tells of it",
    "customer_care": "counted of interactions and of the timeline",
    "data_piece": "part of a collection",
    "import_key": "the import's own",
    "lead_fingerprint": "part of a submission",
}
"""Where nothing needs to be looked for, and why."""

_KEYS: Final[Mapping[FromClause, tuple[str, ...]]] = {
    referral: ("referrer_id", "friend_id"),
    duplicate_candidate: ("older_id", "newer_id"),
}
_asked = (
    func.unnest(bindparam("ids", type_=ARRAY(Uuid)))
    .table_valued(column("id", Uuid))
    .render_derived(name="asked")
)


def _left(of: FromClause, key: str, condition: ColumnElement[bool]) -> Select[Any]:
    return (
        select(literal_column("1", Integer).label("found"))
        .select_from(of)
        .where(of.c.tenant_id == _TENANT, of.c[key] == _asked.c.id, condition)
        .correlate(_asked)
    )


# One customer after the other, and no further than to the first that is found.
_work = (
    union_all(
        *(
            _left(of, key, condition)
            for of, condition in WORK.items()
            for key in _KEYS.get(of, ("customer_id",))
        )
    )
    .limit(literal_column("1", Integer))
    .lateral("work")
)
_BUSY: Final = select(_asked.c.id).join_from(_asked, _work, true())


class BusyRepository:
    """Whom somebody has worked with, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def busy(
        self, customer_ids: Collection[UUID], *, import_id: UUID, source: str
    ) -> set[UUID]:
        """Whom of these something has happened to that this import from `source` has not done."""
        if not customer_ids:
            return set()
        asked = {"this_import": import_id, "source": source}
        asked |= {"ids": list(customer_ids), "own_work": list(_OWN_WORK)}
        return set(await self._uow.scalars(_BUSY, {**self._tenant, **asked}))
