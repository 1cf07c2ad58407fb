"""Reads all facts of one customer into memory, for explanations."""

from dataclasses import fields
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import Row, Select, Table, Uuid, bindparam, select

from services.segmentation.facts.customer_facts import (
    CustomerFacts,
    MessageFact,
    OrderFact,
    ProfileFacts,
    TicketFact,
)
from services.segmentation.facts.models import message_fact, order_fact, profile, ticket_fact
from shared.db.unit_of_work import UnitOfWork

MOST_FACTS: Final = 10_000
"""Per kind; of a customer with more, the newest count in an explanation."""

FactT = TypeVar("FactT")


def _columns(table: Table, contract: type[Any]) -> Any:
    return select(*(table.c[field.name] for field in fields(contract))).where(
        table.c.tenant_id == bindparam("tenant", type_=Uuid),
        table.c.customer_id == bindparam("customer", type_=Uuid),
    )


_PROFILE: Final[Select[Any]] = _columns(profile, ProfileFacts).where(
    profile.c.active, profile.c.version > 0
)
_COLLECTIONS: Final[tuple[tuple[str, type[Any], Select[Any]], ...]] = tuple(
    (name, contract, _columns(table, contract).order_by(table.c[at].desc()).limit(MOST_FACTS))
    for name, contract, table, at in (
        ("orders", OrderFact, order_fact, "placed_at"),
        ("tickets", TicketFact, ticket_fact, "opened_at"),
        ("messages", MessageFact, message_fact, "sent_at"),
    )
)


async def find_customer_facts(uow: UnitOfWork, customer_id: UUID) -> CustomerFacts | None:
    """Everything known about a customer; None when there is no such customer here."""
    identity = {"tenant": uow.tenant_id, "customer": customer_id}
    found = await uow.one_or_none(_PROFILE, identity)
    if found is None:
        return None
    collections: dict[str, Any] = {}
    for name, contract, statement in _COLLECTIONS:
        rows = await uow.rows(statement, identity)
        collections[name] = tuple(_fact(contract, row) for row in rows)
    return CustomerFacts(profile=_fact(ProfileFacts, found), **collections)


def _fact(contract: type[FactT], row: Row[*tuple[Any, ...]]) -> FactT:
    columns = row._mapping
    # Sets of texts are tuples in memory, lists on the way from the database.
    return contract(**{k: tuple(v) if isinstance(v, list) else v for k, v in columns.items()})
