"""SQL of new customers: everything that one consists of in one statement, however many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import func, select, true
from sqlalchemy.dialects.postgresql import insert

from services.customer.customers.errors import IdentityTaken
from services.customer.customers.identities import Identity
from services.customer.customers.identity_match import KnownIdentity
from services.customer.customers.identity_repository import (
    NEW_IDENTITIES,
    holders_of,
    insert_identities,
    known_identity,
)
from services.customer.customers.models import customer
from services.customer.customers.record import STORED, CustomerRecord
from services.customer.customers.repository import NEW_CUSTOMERS, TENANT
from services.customer.customers.tags import NEW_TAGS, insert_tags, tag_rows
from services.customer.fields.checking import refuse_missing
from services.customer.fields.keeping import FieldValues
from services.customer.fields.repository import Holder, required_keys
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import ADD_ENTRIES, NEW_ENTRIES
from shared.contracts.customer import CustomerCreated
from shared.db.outbox import outbox_rows
from shared.db.prepared import Bound
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to be, with what they can be recognised by."""

    record: CustomerRecord
    identities: Sequence[Identity]


def _insert_customers(*, with_holders: bool) -> Any:
    """One statement for everything a new customer consists of: one round trip, however many.

    It tells how many identities were kept (fewer than given: another customer has one), which of
    the shop's own fields must have values, and, if asked, who held any of the identities before.
    """
    new_customers = (
        insert(customer)
        .from_select(["tenant_id", *STORED], select(TENANT, *NEW_CUSTOMERS.source.c))
        .returning(customer.c.id)
        .cte("new_customer")
    )
    new_identities = insert_identities().cte("new_identity")
    kept = select(func.count().label("kept")).select_from(new_identities).subquery("kept")
    told = select(kept.c.kept, required_keys(TENANT).label("required")).select_from(kept)
    if with_holders:
        holders = holders_of(NEW_IDENTITIES).subquery("holder")
        told = select(*told.selected_columns, *holders.c).select_from(
            kept.outerjoin(holders, true())
        )
    return told.add_cte(
        new_customers,
        insert_tags().cte("new_tag"),
        ADD_ENTRIES.cte("new_entry"),
        outbox_rows("customer"),
    )


_ADD: Final = _insert_customers(with_holders=True)
_ADD_MANY: Final = _insert_customers(with_holders=False)


class NewCustomers:
    """Customers to be, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def add(
        self,
        customers: Sequence[NewCustomer],
        entries: Sequence[Entry],
        *,
        require_fields: Literal[True] | None = None,
    ) -> list[KnownIdentity]:
        """Keep new customers, their identities, the first entries of their timelines, and events.

        The events are those that were appended so far.

        Returns who else already has one of the identities. Raises IdentityTaken when a verified one
        belongs to somebody else, and with `require_fields` ValuesNotValid when a field that the
        shop requires has no value; nothing must be committed then.
        """
        rows = await self._uow.rows_with_events(_ADD, self._parameters(customers, entries))
        holders = [known_identity(row) for row in rows if row.customer_id is not None]
        if rows[0].kept < _identities_of(customers):
            raise IdentityTaken(_verified_holders(holders))
        if require_fields:
            refuse_missing(rows[0].required, (new.record.attributes for new in customers))
        await self._keep_values(customers)
        return holders

    def bind(self, customers: Sequence[NewCustomer], entries: Sequence[Entry]) -> Bound:
        """Make ready what `add_bound` is to run, with the events of all of them, in any thread."""
        events = (
            (CustomerCreated(customer=new.record.state()), new.record.id) for new in customers
        )
        return self._uow.bind(_ADD_MANY, self._parameters(customers, entries), events=events)

    async def add_bound(self, customers: Sequence[NewCustomer], bound: Bound) -> None:
        """`add` customers of whom the caller knows who else has what they are recognised by.

        Raises IdentityTaken.
        """
        rows = await self._uow.rows_of(bound)
        if rows[0].kept < _identities_of(customers):
            raise IdentityTaken
        await self._keep_values(customers)

    def _parameters(
        self, customers: Sequence[NewCustomer], entries: Sequence[Entry]
    ) -> dict[str, Any]:
        return {
            "tenant": self._uow.tenant_id,
            "now": self._uow.clock.now(),
            **NEW_CUSTOMERS.values(new.record.as_stored() for new in customers),
            **NEW_IDENTITIES.values(
                identity.as_row(new.record.id) for new in customers for identity in new.identities
            ),
            **NEW_TAGS.values(tag_rows(new.record for new in customers)),
            **NEW_ENTRIES.values(entry.as_row() for entry in entries),
        }

    async def _keep_values(self, customers: Sequence[NewCustomer]) -> None:
        records = (new.record for new in customers)
        await FieldValues(self._uow).keep(
            [Holder(r.id, r.created_at, r.attributes, is_new=True) for r in records]
        )


def _identities_of(customers: Iterable[NewCustomer]) -> int:
    return sum(len(new.identities) for new in customers)


def _verified_holders(holders: Iterable[KnownIdentity]) -> list[UUID]:
    return sorted({held.customer_id for held in holders if held.identifier.trusted})
