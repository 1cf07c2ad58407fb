"""Whatever is created, linked, merged, parted, ordered, agreed to, spent and erased in whatever
order: what always holds.
"""

from collections import Counter, defaultdict
from itertools import count
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.customer.merging import Json, Merging, facts

_SCOPES = (
    *("customers:read", "customers:write", "orders:write"),
    *("loyalty:read", "loyalty:write", "redemptions:write", "privacy:read", "privacy:write"),
)
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
    st.tuples(st.just("take out"), st.integers(0, 5), st.integers(0, 2)),
    st.tuples(st.just("answer"), _who, st.sampled_from(["granted", "withdrawn"])),
    st.tuples(st.just("spend"), _who, st.integers(1, 300)),
    st.tuples(st.just("erase"), _who),
    st.tuples(st.just("merge and undo"), _who, _who),
)


class _World:
    """A shop, and beside it a plain picture: who belongs to whom, has bought for how much, has
    agreed to what, has spent how many points, and who is gone.
    """

    def __init__(self, people: Merging) -> None:
        self.people = people
        self.made: list[Json] = []
        self.parents: dict[int, int] = {}
        self.merges: list[tuple[Json, list[int]]] = []
        self.orders: Counter[int] = Counter()
        self.spent: Counter[int] = Counter()
        self.linked: defaultdict[int, set[str]] = defaultdict(set)
        self.answers: list[tuple[int, str]] = []
        self.spent_points = 0
        self.gone: set[int] = set()
        self._links = count()

    async def open_programme(self) -> None:
        """A point for each đồng of an order, to be spent at once."""
        vnd = {"amount": "1", "currency": "VND"}
        promised = {"name": "An", "point_value": vnd, "hold_days": 0, "expires_after_months": None}
        opened = await self.people.client.put("/v1/loyalty/programme", json=promised)
        assert opened.status_code == 200, opened.text
        rule = {"kind": "order", "points": 1, "per_amount": vnd}
        assert (await self.people.client.post("/v1/loyalty/rules", json=rule)).status_code == 201

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
        if name in {"undo", "take out"}:
            await (self._undo if name == "undo" else self._take_out)(*said)
            return
        who = said[0] % len(self.made)
        if name == "link":
            await self._link(who)
        elif name == "order":
            await self._order(who, said[1])
        elif name == "answer":
            await self._answer(who, said[1])
        elif name == "spend":
            await self._spend(who, said[1])
        elif name == "erase":
            await self._erase(who)
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
            assert (one["erased_at"] is not None) == (who in self.gone)
            if who in self.gone:
                assert (one["name"], one["phone"], one["tags"]) == (None, None, [])
                continue
            told = [status for other, status in self.answers if other in members]
            assert [consent["status"] for consent in one["consents"]] == told[-1:]

    async def check_points(self) -> None:
        """Accounts are the sums of their entries, never below zero; no point is lost or made."""
        held = 0
        for root in {self.root(who) for who in range(len(self.made))}:
            where = f"/v1/loyalty/accounts/{self.made[root]['id']}"
            account = (await self.people.client.get(where)).json()
            entries = (await self.people.client.get(f"{where}/entries?limit=200")).json()["data"]
            assert account["available"] == sum(entry["change"] for entry in entries) >= 0
            assert (account["pending"], account["owed"]) == (0, 0)
            held += account["available"]
        assert held == sum(self.spent.values()) - self.spent_points

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
        if who in self.gone:
            assert answer.status_code == 409
            return
        assert answer.status_code == 200, answer.text
        self.linked[who].add(number)

    async def _answer(self, who: int, status: str) -> None:
        if who not in self.gone:
            said = {"purpose": "care", "channel": "call", "status": status, "proof": {"call": "1"}}
            path = f"/v1/customers/{self.made[who]['id']}/consents"
            answer = await self.people.client.post(path, json=said)
            assert answer.status_code == 201, answer.text
            self.answers.append((who, status))

    async def _spend(self, who: int, points: int) -> None:
        where = f"/v1/loyalty/accounts/{self.made[who]['id']}"
        available = (await self.people.client.get(where)).json()["available"]
        wanted = {"customer_id": self.made[who]["id"], "points": points}
        answer = await self.people.client.post("/v1/loyalty/redemptions", json=wanted)
        assert answer.status_code == (201 if points <= available else 409), answer.text
        self.spent_points += points if points <= available else 0

    async def _order(self, who: int, amount: int) -> None:
        if who in self.gone:
            total = {"amount": str(amount), "currency": "VND"}
            asked = {"customer_id": self.made[who]["id"], "external_id": "late", "total": total}
            order = {**asked, "financial_status": "paid", "lines": []}
            refused = await self.people.client.post("/v1/orders", json=order)
            assert refused.json()["code"] == "customer_erased"
            return
        self.orders[who] += 1
        self.spent[who] += amount
        await self.people.buy(self.made[who], amount)

    async def _erase(self, who: int) -> None:
        asked = {"kind": "erasure", "customer_id": self.made[who]["id"]}
        made = (await self.people.client.post("/v1/privacy-requests", json=asked)).json()
        where = f"/v1/privacy-requests/{made['id']}"
        await self.people.client.post(f"{where}/identity-check", json={"method": "in_person"})
        answer = await self.people.client.post(f"{where}/execution")
        assert answer.status_code == (409 if who in self.gone else 202), answer.text
        members = {o for o in range(len(self.made)) if self.root(o) == self.root(who)}
        self.gone |= members
        for member in members:
            self.linked.pop(member, None)

    async def _merge(self, who: int, others: list[int]) -> None:
        answer = await self.people.try_to_merge(
            self.made[who], *(self.made[other] for other in others)
        )
        root, merged = self.root(who), list(dict.fromkeys(map(self.root, others)))
        if root in merged or self.gone & {root, *merged}:
            assert answer.status_code == 409
            return
        assert answer.status_code == 201, answer.text
        self.parents |= dict.fromkeys(merged, root)
        self.merges.append((answer.json(), merged))

    async def _undo(self, which: int) -> None:
        if self.merges:
            merge, merged = self.merges.pop(which % len(self.merges))
            if self.gone & set(merged):
                refused = await self.people.client.post(f"/v1/merges/{merge['id']}/undo")
                assert refused.json()["code"] == "customer_erased"
                return
            _check_nobody_is_blamed(await self.people.undo(merge))
            for who in merged:
                del self.parents[who]

    async def _take_out(self, which: int, place: int) -> None:
        """One of those whom a merge had joined leaves; naming them once more changes nothing."""
        if not self.merges:
            return
        merge, merged = self.merges[which % len(self.merges)]
        who = merged[place % len(merged)]
        if who in self.gone:
            body = {"customer_ids": [self.made[who]["id"]]}
            path = f"/v1/merges/{merge['id']}/undo"
            refused = await self.people.client.post(path, json=body)
            assert refused.json()["code"] == "customer_erased"
            return
        undone = await self.people.take_out(merge, self.made[who])
        assert undone["parted_ids"] == [self.made[who]["id"]]
        _check_nobody_is_blamed(undone)
        del self.parents[who]
        merged.remove(who)
        if merged:
            again = await self.people.take_out(merge, self.made[who])
            assert (again["parted_ids"], again["version"]) == ([], undone["version"])
        else:
            assert undone["status"] == "undone"
            self.merges.remove((merge, merged))

    async def _merge_and_undo(self, who: int, other: int) -> None:
        if self.root(who) == self.root(other) or self.gone & {who, other}:
            return
        before = [facts(await self.people.read(customer)) for customer in self.made]
        await self.people.undo(await self.people.merge(self.made[who], self.made[other]))
        assert [facts(await self.people.read(customer)) for customer in self.made] == before


def _check_nobody_is_blamed(undone: Json) -> None:
    """Nothing but numbers is ever changed by hand here: no other field is a question."""
    assert {each["field"] for each in undone["undecided"]["fields"]} <= {"phone"}


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(
    steps=[
        *(("order", 0, 300), ("merge", 0, [1]), ("answer", 1, "withdrawn"), ("spend", 1, 250)),
        *(("order", 1, 100), ("spend", 0, 140), ("answer", 0, "granted"), ("undo", 0)),
        *(("merge and undo", 1, 0), ("spend", 1, 10)),
    ]
)
@example(
    steps=[
        *(("create", {"city": "Đà Nẵng"}), ("link", 1), ("merge", 0, [1]), ("order", 1, 70)),
        *(("merge", 2, [0]), ("undo", 0), ("erase", 1), ("undo", 0), ("order", 1, 30)),
        *(("merge", 2, [1]), ("link", 0), ("spend", 1, 100), ("erase", 0)),
    ]
)
@example(
    steps=[
        *(("create", {"city": "Vinh", "tags": ["b"]}), ("order", 2, 40), ("merge", 0, [1, 2])),
        *(("order", 1, 300), ("spend", 2, 200), ("take out", 0, 0), ("answer", 0, "granted")),
        *(("merge", 1, [0]), ("take out", 0, 0), ("order", 2, 5), ("erase", 2), ("undo", 0)),
    ]
)
@example(
    steps=[
        *(("create", {"city": "Vinh"}), ("create", {"attributes": {"x": 1}}), ("merge", 1, [2])),
        *(("merge", 3, [1]), ("undo", 0), ("undo", 0), ("merge", 3, [0]), ("merge", 3, [1])),
        *(("merge", 3, [2]), ("undo", 0), ("undo", 1), ("undo", 0)),
    ]
)
@given(steps=st.lists(_STEPS, min_size=4, max_size=14))
async def test_any_sequence_keeps_what_always_holds(service, open_shop, steps):
    async with service.client(await open_shop(), *_SCOPES) as client:
        world = _World(Merging(client))
        await world.open_programme()
        everything = [("create", {"city": "Huế"}), ("create", {"tags": ["a"]}), *steps]
        for place, step in enumerate(everything):
            await world.take(step)
            if place % 4 == 3:
                await world.check()
        await world.check()
        await world.check_identities()
        await world.check_points()
        await world.undo_everything()
        await world.check_identities()
        await world.check_points()
