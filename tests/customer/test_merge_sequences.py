"""Whatever is created, linked, merged, parted and ordered in whatever order: what always holds."""

from collections import Counter, defaultdict
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.customer.merging import Json, Merging, facts

_SCOPES = ("customers:read", "customers:write", "orders:write")
_who = st.integers(0, 5)
_STEPS = st.one_of(
    st.tuples(
        st.just("create"),
        st.fixed_dictionaries(
            {},
            optional={
                "city": st.sampled_from(["Huế", "Đà Nẵng"]),
                "tags": st.lists(st.sampled_from(["a", "b", "c"]), unique=True),
                "attributes": st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 2)),
                "stage": st.sampled_from(["lead", "customer"]),
            },
        ),
    ),
    st.tuples(st.just("link"), _who),
    st.tuples(st.just("order"), _who, st.integers(1, 1000)),
    st.tuples(st.just("merge"), _who, st.lists(_who, min_size=1, max_size=3, unique=True)),
    st.tuples(st.just("undo"), st.integers(0, 5)),
    st.tuples(st.just("merge and undo"), _who, _who),
)


class _World:
    """A shop, and beside it a plain picture of who belongs to whom and has bought for how much."""

    def __init__(self, people: Merging) -> None:
        self.people = people
        self.made: list[Json] = []
        self.parents: dict[int, int] = {}
        self.merges: list[tuple[Json, list[int]]] = []
        self.orders: Counter[int] = Counter()
        self.spent: Counter[int] = Counter()
        self.linked: defaultdict[int, set[str]] = defaultdict(set)
        self._links = count()

    def root(self, who: int) -> int:
        while who in self.parents:
            who = self.parents[who]
        return who

    async def take(self, step: tuple[Any, ...]) -> None:
        name, *said = step
        if name == "create":
            await self._create(said[0])
            return
        if not self.made:
            return
        if name == "undo":
            await self._undo(said[0])
            return
        who = said[0] % len(self.made)
        if name == "link":
            await self._link(who)
        elif name == "order":
            self.orders[who] += 1
            self.spent[who] += said[1]
            await self.people.buy(self.made[who], said[1])
        elif name == "merge":
            await self._merge(who, [other % len(self.made) for other in said[1]])
        else:
            await self._merge_and_undo(who, said[1] % len(self.made))

    async def check(self) -> None:
        """Each record leads to its root, whose totals are what all of its records ordered."""
        for who, customer in enumerate(self.made):
            root = self.root(who)
            members = [other for other in range(len(self.made)) if self.root(other) == root]
            one = await self.people.read(customer)
            assert one["id"] == self.made[root]["id"]
            assert one["orders_count"] == sum(self.orders[member] for member in members)
            spent = sum(self.spent[member] for member in members)
            assert one["total_spent"]["amount"] == str(spent)

    async def check_identities(self) -> None:
        """Each identity has one owner: the record that it was linked to."""
        owners = {}
        for who in {self.root(who) for who in range(len(self.made))}:
            path = f"/v1/customers/{self.made[who]['id']}/identities"
            for identity in (await self.people.client.get(path)).json()["data"]:
                assert identity["value"] not in owners
                owners[identity["value"]] = identity["customer_id"]
        assert owners == {
            value: self.made[who]["id"] for who, values in self.linked.items() for value in values
        }

    async def undo_everything(self) -> None:
        while self.merges:
            await self._undo(0)
            await self.check()

    async def _create(self, said: Json) -> None:
        if len(self.made) < 6:
            self.made.append(await self.people.make(name=f"Người {len(self.made)}", **said))

    async def _link(self, who: int) -> None:
        """Somebody proves a number: it belongs to the record that is named."""
        number = f"+8491{next(self._links):07d}"
        answer = await self.people.client.patch(
            f"/v1/customers/{self.made[who]['id']}",
            json={"phone": number, "phone_verified": True},
        )
        assert answer.status_code == 200, answer.text
        self.linked[who].add(number)

    async def _merge(self, who: int, others: list[int]) -> None:
        answer = await self.people.try_to_merge(
            self.made[who], *(self.made[other] for other in others)
        )
        root, merged = self.root(who), list(dict.fromkeys(map(self.root, others)))
        if root in merged:
            assert answer.status_code == 409
            return
        assert answer.status_code == 201, answer.text
        self.parents |= dict.fromkeys(merged, root)
        self.merges.append((answer.json(), merged))

    async def _undo(self, which: int) -> None:
        if self.merges:
            merge, merged = self.merges.pop(which % len(self.merges))
            await self.people.undo(merge)
            for who in merged:
                del self.parents[who]

    async def _merge_and_undo(self, who: int, other: int) -> None:
        if self.root(who) == self.root(other):
            return
        before = [facts(await self.people.read(customer)) for customer in self.made]
        await self.people.undo(await self.people.merge(self.made[who], self.made[other]))
        assert [facts(await self.people.read(customer)) for customer in self.made] == before


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(_STEPS, min_size=4, max_size=14))
async def test_any_sequence_keeps_what_always_holds(service, open_shop, steps):
    async with service.client(await open_shop(), *_SCOPES) as client:
        world = _World(Merging(client))
        for step in ("create", {"city": "Huế"}), ("create", {"tags": ["a"]}), *steps:
            await world.take(step)
            await world.check()
        await world.check_identities()
        await world.undo_everything()
        await world.check_identities()
