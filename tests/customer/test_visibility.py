"""Whose customers and tasks staff see: everybody's, their teams', their own."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.contracts.gateway import StaffChanged, StaffState
from shared.ids import TenantId, new_id
from shared.security.principal import PrincipalKind, Visibility
from tests.support.harness import ServiceHarness

SCOPES = tuple(
    f"{resource}:{verb}"
    for resource in ("customers", "orders", "tasks", "duplicates")
    for verb in ("read", "write")
)
OWN, TEAM, ALL = Visibility.OWN, Visibility.TEAM, Visibility.ALL


@dataclass
class Staff:
    """Lan and Bình in one team, Chi in another."""

    service: ServiceHarness
    tenant: TenantId
    client: httpx.AsyncClient
    team: UUID = field(default_factory=new_id)
    other_team: UUID = field(default_factory=new_id)
    lan: UUID = field(default_factory=new_id)
    binh: UUID = field(default_factory=new_id)
    chi: UUID = field(default_factory=new_id)

    def sees(self, who: UUID, visibility: Visibility) -> httpx.AsyncClient:
        teams = {self.lan: self.team, self.binh: self.team, self.chi: self.other_team}
        return self.service.client(
            self.tenant,
            *SCOPES,
            kind=PrincipalKind.STAFF,
            actor_id=str(who),
            visibility=visibility,
            team_ids=[teams[who]],
        )

    async def hire(self, who: UUID, *teams: UUID, **changes: Any) -> None:
        state = StaffState(
            **{
                "staff_id": who,
                "name": "Lan",
                "email": f"{who.hex}@shop.vn",
                "role": "agent",
                "team_ids": teams,
                **changes,
            }
        )
        await self.service.receive(self.tenant, "gateway", [(who, StaffChanged(staff=state))])

    async def customer(self, owner: UUID | None, **known: Any) -> str:
        body = {"name": "Nguyễn Văn Đức", "owner_id": str(owner) if owner else None, **known}
        answer = await self.client.post("/v1/customers", json=body)
        assert answer.status_code == 201, answer.text
        customer_id: str = answer.json()["id"]
        return customer_id

    async def task(self, assignee: UUID | None, **known: Any) -> str:
        body = {"title": "Gọi lại", "assignee_id": str(assignee) if assignee else None, **known}
        answer = await self.client.post("/v1/tasks", json=body)
        assert answer.status_code == 201, answer.text
        task_id: str = answer.json()["id"]
        return task_id


@pytest.fixture
async def staff(service: ServiceHarness, shop: TenantId, client: httpx.AsyncClient) -> Staff:
    people = Staff(service, shop, client)
    for who, team in (
        (people.lan, people.team),
        (people.binh, people.team),
        (people.chi, people.other_team),
    ):
        await people.hire(who, team)
    return people


async def listed(client: httpx.AsyncClient, path: str, **query: Any) -> list[str]:
    """All that somebody lists, page by page."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        asked = {"limit": 2, **query, **({"cursor": cursor} if cursor else {})}
        answer = await client.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        found += [row["id"] for row in answer.json()["data"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.capability(117)
async def test_customers_are_seen_by_whose_they_are(staff: Staff) -> None:
    mine, teammates, others, nobodys = [
        await staff.customer(owner, tags=["VIP"])
        for owner in (staff.lan, staff.binh, staff.chi, None)
    ]
    expected = {
        OWN: [nobodys, mine],
        TEAM: [nobodys, teammates, mine],
        ALL: [nobodys, others, teammates, mine],
    }
    for visibility, seen in expected.items():
        async with staff.sees(staff.lan, visibility) as lan:
            assert await listed(lan, "/v1/customers") == seen
            assert await listed(lan, "/v1/customers", tag="VIP") == seen
            assert await listed(lan, "/v1/customers", stage="customer") == []
            assert await listed(lan, "/v1/customers", owner_id=str(staff.lan)) == [mine]
            whose = [others] if visibility is ALL else []
            assert await listed(lan, "/v1/customers", owner_id=str(staff.chi)) == whose
            for words in ("nguyen van duc", "Đức", "KH0"):
                assert set(await listed(lan, "/v1/customers", q=words)) == set(seen), words
            assert await listed(lan, "/v1/customers", q="duc", owner_id=str(staff.chi)) == whose


async def test_digits_find_only_customers_who_are_seen(staff: Staff) -> None:
    mine = await staff.customer(staff.lan, phone="0912345678")
    await staff.customer(staff.chi, phone="0987345678")
    async with staff.sees(staff.lan, OWN) as lan:
        assert await listed(lan, "/v1/customers", q="345678") == [mine]


@pytest.mark.parametrize("visibility", [OWN, TEAM])
async def test_a_customer_who_is_not_seen_does_not_exist(
    staff: Staff, visibility: Visibility
) -> None:
    body = {"external_ids": [{"source": "pos", "external_id": "7"}]}
    hidden, missing = await staff.customer(staff.chi, **body), str(new_id())
    order = {
        "source": "pos",
        "external_id": "1",
        "financial_status": "paid",
        "total": {"amount": "10000", "currency": "VND"},
    }
    made = await staff.client.post("/v1/orders", json={**order, "customer_id": hidden})
    before = (await staff.client.get(f"/v1/customers/{hidden}")).json()
    consent = {
        "purpose": "marketing",
        "channel": "email",
        "status": "granted",
        "proof": {"page": "/dang-ky"},
    }

    def requests(customer: str) -> list[tuple[str, str, Any]]:
        path = f"/v1/customers/{customer}"
        return [
            ("GET", path, None),
            ("PATCH", path, {"city": "Huế"}),
            ("PATCH", path, {"owner_id": str(staff.lan)}),
            ("GET", f"{path}/identities", None),
            ("GET", f"{path}/consents", None),
            ("POST", f"{path}/consents", consent),
            ("GET", f"{path}/timeline", None),
            ("GET", f"{path}/orders", None),
            ("POST", "/v1/orders", {**order, "customer_id": customer}),
            ("POST", "/v1/tasks", {"title": "Gọi", "customer_id": customer}),
        ]

    async with staff.sees(staff.lan, visibility) as lan:
        for of_hidden, of_missing in zip(requests(hidden), requests(missing), strict=True):
            told = []
            for method, path, content in (of_hidden, of_missing):
                answer = await lan.request(method, path, json=content)
                told.append((answer.status_code, answer.json()["code"], answer.json()["detail"]))
            assert told[0] == told[1], of_hidden
            assert told[0][0] == 404, of_hidden
        for path in (
            f"/v1/orders/{made.json()['id']}",
            f"/v1/customers/by-code/{before['code']}",
        ):
            assert (await lan.get(path)).status_code == 404, path
        seen = await staff.customer(staff.lan)
        soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        for changed_at in ("2000-01-01T00:00:00Z", soon):
            taken = {**order, "customer_id": seen, "changed_at": changed_at}
            answer = await lan.post("/v1/orders", json=taken)
            assert answer.status_code == 404, "their order stays theirs and is not told"
        upserted = await lan.put("/v1/customers/by-external-id/pos/7", json={"city": "Huế"})
        assert (upserted.status_code, upserted.json()["code"]) == (404, "customer_not_found")
    assert (await staff.client.get(f"/v1/customers/{hidden}")).json() == before


async def test_who_gets_a_customer_sees_them_from_then_on(staff: Staff) -> None:
    customer = await staff.customer(staff.chi)
    async with staff.sees(staff.lan, OWN) as lan, staff.sees(staff.chi, OWN) as chi:
        given = await chi.patch(f"/v1/customers/{customer}", json={"owner_id": str(staff.lan)})
        assert given.json()["owner_id"] == str(staff.lan)
        assert (await chi.get(f"/v1/customers/{customer}")).status_code == 404
        assert (await lan.get(f"/v1/customers/{customer}")).status_code == 200
        freed = await lan.patch(f"/v1/customers/{customer}", json={"owner_id": None})
        assert freed.json()["owner_id"] is None
        assert (await chi.get(f"/v1/customers/{customer}")).status_code == 200


async def test_a_customer_belongs_to_somebody_who_works_here(staff: Staff) -> None:
    await staff.hire(staff.binh, staff.team, active=False, version=2)
    customer = await staff.customer(None)
    for nobody in (new_id(), staff.binh):
        for method, path in (
            ("POST", "/v1/customers"),
            ("PATCH", f"/v1/customers/{customer}"),
            ("PUT", "/v1/customers/by-external-id/pos/8"),
        ):
            body = {"name": "Lan", "owner_id": str(nobody)}
            answer = await staff.client.request(method, path, json=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "unknown_staff"), method
            assert answer.json()["errors"][0]["pointer"] == "/body/owner_id"


async def test_others_are_told_whose_customer_it_is(staff: Staff) -> None:
    await staff.customer(staff.lan)
    [event] = await staff.service.told(staff.tenant, "customer.created")
    assert event["customer"]["owner_id"] == str(staff.lan)


async def test_pairs_are_seen_by_who_sees_both(staff: Staff) -> None:
    for owner in (staff.lan, staff.chi):
        await staff.customer(owner, phone="0912345678")
    [pair] = await listed(staff.client, "/v1/duplicates")
    for visibility, seen in ((OWN, []), (TEAM, []), (ALL, [pair])):
        async with staff.sees(staff.lan, visibility) as lan:
            assert await listed(lan, "/v1/duplicates") == seen
            status = 200 if seen else 404
            path = f"/v1/duplicates/{pair}"
            assert (await lan.get(path)).status_code == status
            decided = await lan.patch(path, json={"status": "dismissed"})
            assert decided.status_code == status


async def test_tasks_are_seen_by_whose_they_are(staff: Staff) -> None:
    mine, teammates, others, nobodys = [
        await staff.task(assignee) for assignee in (staff.lan, staff.binh, staff.chi, None)
    ]
    async with staff.sees(staff.lan, OWN) as lan:
        body = {"title": "Nhờ Chi", "assignee_id": str(staff.chi)}
        made = (await lan.post("/v1/tasks", json=body)).json()
    assert made["created_by"] == str(staff.lan)
    expected = {
        OWN: [made["id"], nobodys, mine],
        TEAM: [made["id"], nobodys, teammates, mine],
        ALL: [made["id"], nobodys, others, teammates, mine],
    }
    for visibility, seen in expected.items():
        async with staff.sees(staff.lan, visibility) as lan:
            assert await listed(lan, "/v1/tasks") == seen
            whose = seen[:1] if visibility is not ALL else [made["id"], others]
            assert await listed(lan, "/v1/tasks", assignee_id=str(staff.chi)) == whose
            for task in (mine, teammates, others, nobodys):
                status = 200 if task in seen else 404
                assert (await lan.get(f"/v1/tasks/{task}")).status_code == status
                changed = await lan.patch(f"/v1/tasks/{task}", json={"note": visibility.value})
                assert changed.status_code == status
