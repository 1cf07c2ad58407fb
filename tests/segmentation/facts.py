"""Facts in a real database, and the two readings of a rule side by side."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Insert, Uuid, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.segmentation.facts.customer_facts import CustomerFacts, ProfileFacts
from services.segmentation.facts.models import (
    consent_end,
    message_fact,
    order_fact,
    profile,
    ticket_fact,
)
from services.segmentation.facts.search_keys import profile_search_keys, titles_search
from services.segmentation.rules import Rule, compile_rule, crossings, evaluate, parse_rule
from shared.ids import new_id
from shared.text import search_key

AS_OF = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
SAIGON = ZoneInfo("Asia/Ho_Chi_Minh")
TENANT = bindparam("tenant", type_=Uuid())


def customer(**profile_facts: Any) -> CustomerFacts:
    """A customer of whom only these profile facts are known."""
    collections = {
        name: tuple(profile_facts.pop(name, ())) for name in ("orders", "tickets", "messages")
    }
    return CustomerFacts(profile=ProfileFacts(customer_id=new_id(), **profile_facts), **collections)


class FactsDatabase:
    """Writes facts and asks rules of them, each time in a tenant of its own."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def matches(
        self,
        source: dict[str, Any],
        facts: CustomerFacts,
        *,
        as_of: datetime = AS_OF,
        timezone: tzinfo = SAIGON,
    ) -> bool:
        """Whether the customer matches; fails when SQL and memory disagree."""
        rule = parse_rule(source)
        tenant = await self.store([facts])
        [answers] = (await self.ask(tenant, [rule], as_of, timezone)).values()
        assert answers == [evaluate(rule, facts, as_of=as_of, timezone=timezone)]
        return answers[0]

    async def store(self, customers: Sequence[CustomerFacts]) -> UUID:
        """Write customers into a new tenant."""
        tenant = new_id()
        await self._insert(profile.insert(), [_profile_row(tenant, c.profile) for c in customers])
        ends = {
            (c.profile.customer_id, datetime.fromisoformat(str(end)))
            for c in customers
            for end in c.profile.consent_ends.values()
        }
        await self._insert(
            consent_end.insert(),
            [{"tenant_id": tenant, "customer_id": who, "ends_at": at} for who, at in ends],
        )
        for table, name in (
            (order_fact, "orders"),
            (ticket_fact, "tickets"),
            (message_fact, "messages"),
        ):
            rows = [
                _fact_row(tenant, c.profile.customer_id, fact)
                for c in customers
                for fact in getattr(c, name)
            ]
            await self._insert(table.insert(), rows)
        return tenant

    async def ask(
        self, tenant: UUID, rules: Sequence[Rule], as_of: datetime, timezone: tzinfo
    ) -> dict[UUID, list[bool]]:
        """The answer of each customer to each rule, all in one statement."""
        answers = [
            compile_rule(rule, tenant_id_param=TENANT, as_of=as_of, timezone=timezone).is_(True)
            for rule in rules
        ]
        statement = select(profile.c.customer_id, *answers).where(profile.c.tenant_id == TENANT)
        rows = await self._connection.execute(statement, {"tenant": tenant})
        return {row[0]: list(row[1:]) for row in rows}

    async def crossed(
        self, tenant: UUID, rule: Rule, *, since: datetime, until: datetime, timezone: tzinfo
    ) -> set[UUID]:
        """Whom the sweep from `since` to `until` finds."""
        found: set[UUID] = set()
        for statement in crossings(
            [rule], tenant_id_param=TENANT, since=since, until=until, timezone=timezone
        ):
            found.update(await self._connection.scalars(statement, {"tenant": tenant}))
        return found

    async def _insert(self, statement: Insert, rows: list[dict[str, Any]]) -> None:
        if rows:
            await self._connection.execute(statement, rows)


def _profile_row(tenant: UUID, facts: ProfileFacts) -> dict[str, Any]:
    values = {name: getattr(facts, name) for name in ProfileFacts.__slots__}
    return values | {
        "tenant_id": tenant,
        "tags": list(facts.tags),
        "preferences": list(facts.preferences),
        "attributes": dict(facts.attributes),
        "consent": dict(facts.consent),
        "consent_ends": dict(facts.consent_ends),
        "search_name": None if facts.full_name is None else search_key(facts.full_name),
        "search_keys": profile_search_keys(facts),
        "updated_at": AS_OF,
    }


def _fact_row(tenant: UUID, customer_id: UUID, fact: Any) -> dict[str, Any]:
    values = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(fact).items()}
    if "product_titles" in values:
        values["product_search"] = titles_search(fact.product_titles)
    return values | {
        "tenant_id": tenant,
        "customer_id": customer_id,
        "version": 1,
        "updated_at": AS_OF,
    }
