"""However events come, memberships are what a fresh look at the facts says."""

import random
from datetime import timedelta
from typing import Any

import pytest

from services.segmentation.facts.reading import find_customer_facts
from services.segmentation.membership.repository import MembershipRepository
from services.segmentation.rules import evaluate
from services.segmentation.tenants.repository import ShopRepository
from shared.ids import new_id
from tests.segmentation.shop import START, Shop, Told, customer, message, order, survey, ticket

RULES: dict[str, dict[str, Any]] = {
    "hue": {"field": "profile.city", "op": "eq", "value": "Huế"},
    "not_hue": {"not": {"field": "profile.city", "op": "eq", "value": "Huế"}},
    "twice_lately": {
        "orders": {"measure": "count", "window": {"last": "PT48H"}, "op": "gte", "value": 2}
    },
    "complains": {
        "tickets": {
            "measure": "count",
            "where": {"field": "ticket.status_category", "op": "in", "value": ["open", "pending"]},
            "op": "gte",
            "value": 1,
        }
    },
    "not_written_to": {
        "not": {"messages": {"measure": "last_at", "op": "within_last", "value": "P3D"}}
    },
    "spent": {
        "field": "profile.total_spent",
        "op": "gte",
        "value": {"amount": "1000000", "currency": "VND"},
    },
}


class World:
    """Random events about few people, so that they often meet."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.people = [new_id() for _ in range(12)]
        self.orders = [(new_id(), self.random.choice(self.people)) for _ in range(30)]
        self.tickets = [(new_id(), self.random.choice(self.people)) for _ in range(15)]
        self.version = 0

    def batch(self, source: str) -> list[Told]:
        make = {
            "customer": self._customer_or_order,
            "support_ticket": self._ticket,
            "messaging": self._message,
        }[source]
        return [make() for _ in range(self.random.randint(1, 12))]

    def _instant(self) -> Any:
        return START + timedelta(hours=self.random.randint(-1200, 100))

    def _next(self) -> int:
        """Mostly newer, sometimes an older state that comes late."""
        self.version += 1
        return max(1, self.version - self.random.choice([0, 0, 0, 25]))

    def _customer_or_order(self) -> Told:
        if self.random.random() < 0.4:
            city = self.random.choice(["Huế", "Vinh", None])
            return customer(self.random.choice(self.people), version=self._next(), city=city)
        order_id, owner = self.random.choice(self.orders)
        if self.random.random() < 0.1:
            owner = self.random.choice(self.people)
        return order(
            owner,
            order_id=order_id,
            version=self._next(),
            placed_at=self._instant(),
            status=self.random.choice(["open", "completed", "cancelled"]),
            financial_status=self.random.choice(["paid", "pending", "refunded"]),
            total_minor=self.random.choice([100_000, 700_000, 5_000_000]),
        )

    def _ticket(self) -> Told:
        ticket_id, owner = self.random.choice(self.tickets)
        known = {"ticket_id": ticket_id, "version": self._next(), "opened_at": self._instant()}
        if self.random.random() < 0.4:
            score = self.random.randint(1, 5)
            return survey(owner, score, answered_at=self._instant(), **known)
        return ticket(owner, status=self.random.choice(["open", "on_hold", "closed"]), **known)

    def _message(self) -> Told:
        return message(
            self.random.choice(self.people),
            status=self.random.choice(["sent", "failed"]),
            finished_at=self._instant(),
        )


@pytest.mark.parametrize("seed", range(6))
async def test_memberships_are_always_what_a_fresh_look_says(shop: Shop, seed: int):
    for key, rule in RULES.items():
        await shop.add_segment(key, rule)
    world = World(seed)
    for _ in range(25):
        source = world.random.choice(["customer", "customer", "support_ticket", "messaging"])
        await shop.hear(*world.batch(source), source=source)
        if world.random.random() < 0.4:
            await shop.pass_time(hours=world.random.choice([1, 30, 200]))
        assert await drifted(shop) == ()

    await shop.pass_time()
    for key in [*RULES, "new_customers", "unhappy", "loyal", "potential", "dormant"]:
        assert await shop.members(key) == await matching(shop, world, key), key
    await check_history(shop)


async def drifted(shop: Shop) -> Any:
    """Whom the lists are wrong about, by the query of a rebuild."""
    async with shop.service.context.units.begin(shop.tenant) as uow:
        state = await ShopRepository(uow).read()
        look = await MembershipRepository(uow).look(
            await shop.wiring.active.of(uow, state),
            after=None,
            limit=1000,
            as_of=shop.clock.now(),
            timezone=state.timezone,
        )
    return tuple(look.drifted)


async def matching(shop: Shop, world: World, key: str) -> set[Any]:
    """Who matches by the reading of the rule in memory, which shares no code with the SQL."""
    found = set()
    async with shop.service.context.units.begin(shop.tenant) as uow:
        state = await ShopRepository(uow).read()
        active = await shop.wiring.active.of(uow, state)
        [segment] = [segment for segment in active if segment.key == key]
        for person in world.people:
            known = await find_customer_facts(uow, person)
            now = shop.clock.now()
            if known and evaluate(segment.rule, known, as_of=now, timezone=state.timezone):
                found.add(person)
    return found


async def check_history(shop: Shop) -> None:
    """Entries and exits alternate, end with the membership, and are what was told."""
    changes = await shop.rows(
        "SELECT segment_id, customer_id, array_agg(change ORDER BY at, id) "
        "FROM segmentation.membership_change WHERE tenant_id = :tenant GROUP BY 1, 2"
    )
    members = await shop.rows(
        "SELECT segment_id, customer_id FROM segmentation.membership WHERE tenant_id = :tenant"
    )
    for segment_id, customer_id, story in changes:
        assert story == [("entered", "left")[n % 2] for n in range(len(story))]
        assert ((segment_id, customer_id) in members) == (story[-1] == "entered")
    assert sum(len(story) for *_, story in changes) == len(await shop.moves())
