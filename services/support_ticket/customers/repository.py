"""SQL of the projection of customers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Uuid, bindparam, exists, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, insert

from services.support_ticket.agents.colleagues import COLLEAGUES, VIEWER
from services.support_ticket.customers.aliases import CUSTOMERS
from services.support_ticket.customers.models import customer, segment_membership
from shared.contracts.customer import CustomerState
from shared.contracts.segmentation import Membership
from shared.db.rows import RowsParameter
from shared.db.tables import part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

ValueTier = Literal["standard", "silver", "gold", "vip"]

_tenant = part_tables("support_ticket").tenant
_STATES = RowsParameter(
    "state",
    customer,
    (
        *("id", "version", "code", "name", "email", "phone", "locale", "value_tier"),
        *("owner_id", "merged_into"),
    ),
)
_given = insert(customer).from_select(
    ["tenant_id", *_STATES.columns],
    select(bindparam("tenant", type_=customer.c.tenant_id.type), *_STATES.source.c),
)
_UPSERT = _given.on_conflict_do_update(
    index_elements=list(customer.primary_key.columns),
    set_={name: _given.excluded[name] for name in _STATES.columns if name != "id"},
    where=_given.excluded.version > customer.c.version,
).returning(customer.c.id)

_MEMBERSHIPS = RowsParameter(
    "moved",
    segment_membership,
    ("customer_id", "segment_id", "segment_key", "segment_name", "inside", "at"),
)
_moved = insert(segment_membership).from_select(
    ["tenant_id", *_MEMBERSHIPS.columns],
    select(bindparam("tenant", type_=customer.c.tenant_id.type), *_MEMBERSHIPS.source.c),
)
_KEEP_MEMBERSHIPS = _moved.on_conflict_do_update(
    index_elements=list(segment_membership.primary_key.columns),
    set_={name: _moved.excluded[name] for name in ("segment_key", "segment_name", "inside", "at")},
    where=_moved.excluded.at >= segment_membership.c.at,
)

_PROFILE = (
    customer.c.id,
    customer.c.code,
    customer.c.name,
    customer.c.email,
    customer.c.phone,
    customer.c.locale,
    customer.c.value_tier,
)
_ROOT = CUSTOMERS.root(bindparam("customer", type_=Uuid))
_BY_ID = select(*_PROFILE).where(
    customer.c.tenant_id == bindparam("tenant"), customer.c.id == _ROOT
)
# Whom nobody owns everybody sees, and whom this service has not been told of is hidden from nobody.
_HIDDEN = {
    of_teams: select(
        exists().where(
            customer.c.tenant_id == bindparam("tenant"),
            customer.c.id == _ROOT,
            customer.c.owner_id != (func.all(COLLEAGUES) if of_teams else VIEWER),
        )
    )
    for of_teams in (False, True)
}
_erased = part_tables("support_ticket").erased_customer
_IS_ERASED = select(
    exists().where(
        _erased.c.tenant_id == bindparam("tenant"),
        _erased.c.customer_id == bindparam("customer", type_=Uuid),
    )
)
_HAS_EMAIL = customer.c.email == bindparam("email")
_STANDS_FOR_ITSELF = customer.c.merged_into.is_(None)
_BEST_RECORD: Any = func.array_agg(
    aggregate_order_by(
        customer.c.id,
        _HAS_EMAIL.desc().nulls_last(),
        _STANDS_FOR_ITSELF.desc(),
        customer.c.id.asc(),
    ),
    type_=ARRAY(Uuid),
)
_BY_ADDRESS = (
    select(func.bool_or(_HAS_EMAIL).is_(True).label("by_email"), _BEST_RECORD[1].label("record_id"))
    .where(
        customer.c.tenant_id == bindparam("tenant"),
        or_(_HAS_EMAIL, customer.c.phone == bindparam("phone")),
    )
    .group_by(func.coalesce(customer.c.merged_into, customer.c.id))
    # Two people are enough to know that an address is not one person's.
    .order_by(func.bool_or(_HAS_EMAIL).desc().nulls_last())
    .limit(2)
)
# Who looks for a stranger's address holds the shop's row with others who do; who brings new
# addresses takes it alone. So of a ticket and the customer it turns out to be of, whichever is
# committed second has seen the other, and no ticket is left without its customer.
_shop = select(_tenant.c.tenant_id).where(_tenant.c.tenant_id == bindparam("tenant"))
_HOLD_TOGETHER = _shop.with_for_update(read=True)
_HOLD_ALONE = _shop.with_for_update()
_SEGMENTS = (
    select(
        segment_membership.c.segment_id,
        segment_membership.c.segment_key,
        segment_membership.c.segment_name,
    )
    .where(
        segment_membership.c.tenant_id == bindparam("tenant"),
        segment_membership.c.customer_id == _ROOT,
        segment_membership.c.inside.is_(True),
    )
    .order_by(segment_membership.c.segment_key)
    .limit(100)
)


@dataclass(frozen=True, slots=True)
class CustomerProfile:
    """What this service knows of a customer."""

    id: UUID
    code: str
    name: str | None
    email: str | None
    phone: str | None
    locale: str | None
    value_tier: ValueTier


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """A segment a customer is in."""

    id: UUID
    key: str
    name: str


class CustomerRepository:
    """The customers of one tenant as told by their own service, inside one unit of work.

    What it finds is for the service to decide by; `hides` says what is not for a caller's `sight`.
    """

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight

    async def keep(self, states: Sequence[CustomerState]) -> list[CustomerState]:
        """Take over newer states; those that were newer."""
        latest = {state.customer_id: state for state in sorted(states, key=lambda s: s.version)}
        rows = [
            {"id": s.customer_id, **{n: getattr(s, n) for n in _STATES.columns if n != "id"}}
            for s in latest.values()
        ]
        changed = await self._uow.scalars(
            _UPSERT, {"tenant": self._uow.tenant_id, **_STATES.values(rows)}
        )
        return [latest[customer_id] for customer_id in changed]

    async def keep_memberships(self, moves: Sequence[tuple[Membership, bool]]) -> None:
        """Take over entries (True) and exits (False), the latest of each customer and segment."""
        latest: dict[tuple[UUID, UUID], dict[str, Any]] = {}
        for membership, inside in moves:
            key = (membership.customer_id, membership.segment_id)
            known_at: datetime | None = latest.get(key, {}).get("at")
            if known_at is None or membership.at >= known_at:
                latest[key] = {
                    **membership.model_dump(exclude={"rule_version", "reason"}),
                    "inside": inside,
                }
        await self._uow.execute(
            _KEEP_MEMBERSHIPS,
            {"tenant": self._uow.tenant_id, **_MEMBERSHIPS.values(latest.values())},
        )

    async def find(self, customer_id: UUID) -> CustomerProfile | None:
        """A customer, if already told of: of a merged record the one that stands for it."""
        row = await self._uow.one_or_none(
            _BY_ID, {"tenant": self._uow.tenant_id, "customer": customer_id}
        )
        return None if row is None else CustomerProfile(*row)

    async def hides(self, customer_id: UUID) -> bool:
        """Whether a customer is somebody whom the caller does not see, as their service has it."""
        if self._sight is None:
            return False
        asked = {"tenant": self._uow.tenant_id, "customer": customer_id}
        hidden: bool = await self._uow.scalar(
            _HIDDEN[self._sight.of_teams], {**asked, **self._sight.parameters()}
        )
        return hidden

    async def is_erased(self, customer_id: UUID) -> bool:
        """Whether a record is of somebody who was erased."""
        asked = {"tenant": self._uow.tenant_id, "customer": customer_id}
        return bool(await self._uow.scalar(_IS_ERASED, asked))

    async def wait_for_strangers(self) -> None:
        """Until the work commits, nobody looks for an address; who was looking has finished."""
        await self._uow.execute(_HOLD_ALONE, {"tenant": self._uow.tenant_id})

    async def find_by_address(self, *, email: str | None, phone: str | None) -> UUID | None:
        """The one customer with this normalised e-mail address, or else with this phone number.

        Of a person's records the one that has the address. None when nobody has it, and when
        several people do: guessing would show one person's words to another.
        """
        if email is None and phone is None:
            return None
        await self._uow.execute(_HOLD_TOGETHER, {"tenant": self._uow.tenant_id})
        found = await self._uow.rows(
            _BY_ADDRESS, {"tenant": self._uow.tenant_id, "email": email, "phone": phone}
        )
        candidates = [row for row in found if row.by_email] or found
        return candidates[0].record_id if len(candidates) == 1 else None

    async def list_segments(self, customer_id: UUID) -> list[SegmentRef]:
        """The segments a customer is in, by key, whichever of their records is named."""
        rows = await self._uow.rows(
            _SEGMENTS, {"tenant": self._uow.tenant_id, "customer": customer_id}
        )
        return [SegmentRef(*row) for row in rows]
