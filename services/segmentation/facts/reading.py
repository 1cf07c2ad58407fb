"""Reads all facts of one customer into memory, for explanations: those of all their records."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from sqlalchemy import Select, Table, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from services.segmentation.facts.customer_facts import (
    CustomerFacts,
    MessageFact,
    OrderFact,
    ProfileFacts,
    TicketFact,
)
from services.segmentation.facts.models import message_fact, order_fact, profile, ticket_fact
from services.segmentation.facts.records import RECORDS, records_of
from shared.db.unit_of_work import UnitOfWork

MOST_FACTS: Final = 10_000
"""Per kind; of a customer with more, the newest count in an explanation."""

FactT = TypeVar("FactT")


def _columns(table: Table, contract: type[Any]) -> Any:
    return select(*(table.c[field.name] for field in fields(contract))).where(
        table.c.tenant_id == bindparam("tenant", type_=Uuid)
    )


_PROFILE: Final[Select[Any]] = (
    _columns(profile, ProfileFacts)
    .add_columns(records_of(profile).label("record_ids"))
    .where(
        profile.c.customer_id == RECORDS.root(bindparam("customer", type_=Uuid)),
        profile.c.active,
        profile.c.version > 0,
    )
)
_COLLECTIONS: Final[tuple[tuple[str, type[Any], Select[Any]], ...]] = tuple(
    (
        name,
        contract,
        _columns(table, contract)
        .where(table.c.customer_id == func.any(bindparam("records", type_=ARRAY(Uuid))))
        .order_by(table.c[at].desc())
        .limit(MOST_FACTS),
    )
    for name, contract, table, at in (
        ("orders", OrderFact, order_fact, "placed_at"),
        ("tickets", TicketFact, ticket_fact, "opened_at"),
        ("messages", MessageFact, message_fact, "sent_at"),
    )
)


async def find_customer_facts(uow: UnitOfWork, customer_id: UUID) -> CustomerFacts | None:
    """Everything known about a customer, whom any of their records names.

    The answer has the id of the record that stands for them. None when there is no such customer.
    """
    tenant = {"tenant": uow.tenant_id}
    found = await uow.one_or_none(_PROFILE, {**tenant, "customer": customer_id})
    if found is None:
        return None
    *of_profile, records = found
    collections: dict[str, Any] = {}
    for name, contract, statement in _COLLECTIONS:
        rows = await uow.rows(statement, {**tenant, "records": records})
        collections[name] = tuple(_fact(contract, row) for row in rows)
    return CustomerFacts(profile=_fact(ProfileFacts, of_profile), **collections)


def _fact(contract: type[FactT], row: Iterable[Any]) -> FactT:
    names = [field.name for field in fields(cast("Any", contract))]
    # Sets of texts are tuples in memory, lists on the way from the database.
    values = [tuple(value) if isinstance(value, list) else value for value in row]
    return contract(**dict(zip(names, values, strict=True)))
