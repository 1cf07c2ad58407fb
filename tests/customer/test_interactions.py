"""What passes between customers and staff: recorded, told, counted, seen by who may see it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import text

from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import (
    HAND_ON,
    PAGES,
    EntryFilter,
    TimelineRepository,
)
from services.customer.timeline.titles import types_of_kind
from shared.contracts.gateway import PlatformIdentity, StaffChanged, StaffState
from shared.contracts.messaging import InboundMessageReceived
from shared.contracts.support_ticket import TicketCreated
from shared.ids import TenantId, new_id
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.told import DAY, later, platform_order, ticket
from tests.support.harness import ServiceHarness
from tests.support.plans import rows_read

_MERGE = text(
    "UPDATE customer.customer SET parent_id = :root, merged_into = :root "
    "WHERE tenant_id = :tenant AND id = :id"
)


@pytest.fixture
async def customer_id(client: httpx.AsyncClient) -> UUID:
    return await _customer(client)


async def _customer(client: httpx.AsyncClient, **known: Any) -> UUID:
    answer = await client.post("/v1/customers", json={"name": "Lan", **known})
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def _record(client: httpx.AsyncClient, customer_id: UUID, **said: Any) -> dict[str, Any]:
    body = {"customer_id": str(customer_id), "kind": "call", **said}
    answer = await client.post("/v1/interactions", json=body)
    assert answer.status_code == 201, answer.text
    recorded: dict[str, Any] = answer.json()
    return recorded


async def _read(client: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_message_is_told_in_the_timeline(
    client: httpx.AsyncClient, customer_id: UUID
) -> None:
    await _record(client, customer_id, kind="message", channel="zalo")
    path = f"/v1/customers/{customer_id}/timeline"
    [told] = (await _read(client, path, type="interaction.message"))["data"]
    assert told["title"] == "Tin nhắn qua zalo"


async def _hire(service: ServiceHarness, shop: TenantId, **state: Any) -> UUID:
    staff_id = new_id()
    known = {"staff_id": staff_id, "name": "Hoa", "email": "hoa@shop.vn", "role": "agent"}
    event = StaffChanged(staff=StaffState(**{**known, **state}))
    await service.receive(shop, "gateway", [(staff_id, event)])
    return staff_id


async def _merge(service: ServiceHarness, shop: TenantId, record: UUID, root: UUID) -> None:
    async with service.context.units.begin(shop) as uow:
        await uow.execute(_MERGE, {"tenant": shop, "id": record, "root": root})
        await uow.commit()


@pytest.mark.capability(14)
async def test_an_interaction_stands_in_the_timeline(client, service, shop, customer_id):
    staff_id = await _hire(service, shop)
    said = {
        "kind": "visit",
        "direction": "inbound",
        "channel": "store",
        "staff_id": str(staff_id),
        "started_at": "2026-03-01T03:00:00Z",
        "duration_s": 900,
        "outcome": "wants_quote",
        "text": "Xem áo dài lụa",
    }
    recorded = await _record(client, customer_id, **said)
    assert datetime.fromisoformat(recorded["started_at"]) == DAY
    assert {name: recorded[name] for name in said if name != "started_at"} == {
        name: value for name, value in said.items() if name != "started_at"
    }
    assert await _read(client, f"/v1/interactions/{recorded['id']}") == recorded
    told = (await _read(client, f"/v1/customers/{customer_id}/timeline"))["data"]
    entry = next(entry for entry in told if entry["type"] == "interaction.visit")
    assert datetime.fromisoformat(entry["occurred_at"]) == DAY
    assert (entry["data"]["staff_id"], entry["data"]["channel"]) == (str(staff_id), "store")
    assert "lụa" not in str(entry), "what was said stands in the interaction"


async def test_what_is_corrected_is_corrected_in_the_timeline(client, customer_id):
    recorded = await _record(client, customer_id)
    path = f"/v1/interactions/{recorded['id']}"
    changed = await client.patch(path, json={"outcome": "no_answer"}, headers={"if-match": '"1"'})
    assert (changed.json()["outcome"], changed.json()["version"]) == ("no_answer", 2)
    stale = await client.patch(path, json={"outcome": "busy"}, headers={"if-match": '"1"'})
    assert stale.status_code == 412
    told = (await _read(client, f"/v1/customers/{customer_id}/timeline", kind="interaction"))[
        "data"
    ]
    assert [entry["data"]["outcome"] for entry in told] == ["no_answer"]


async def test_the_caller_is_the_one_who_talked(client, service, shop, customer_id):
    staff_id = await _hire(service, shop)
    scopes = ("interactions:read", "interactions:write")
    async with service.client(
        shop, *scopes, kind=PrincipalKind.STAFF, actor_id=str(staff_id)
    ) as hoa:
        assert (await _record(hoa, customer_id))["staff_id"] == str(staff_id)
    assert (await _record(client, customer_id))["staff_id"] is None


async def test_what_cannot_be_is_refused(client, customer_id):
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for said, status, code in (
        ({"started_at": tomorrow}, 422, "not_yet_happened"),
        ({"staff_id": str(new_id())}, 422, "unknown_staff"),
        ({"customer_id": str(new_id())}, 404, "customer_not_found"),
        ({"kind": "dream"}, 422, "invalid"),
        ({"duration_s": -1}, 422, "invalid"),
    ):
        body = {"customer_id": str(customer_id), "kind": "call", **said}
        refused = await client.post("/v1/interactions", json=body)
        assert refused.status_code == status, said
        assert refused.json()["code"] == code or code == "invalid"


async def test_lists_are_filtered_and_paged(client, service, shop, customer_id):
    staff_id = await _hire(service, shop)
    other = await _customer(client)
    made = [
        await _record(client, who, kind=kind, started_at=later(hours=n).isoformat(), **more)
        for n, (who, kind, more) in enumerate(
            [
                (customer_id, "call", {"outcome": "reached", "staff_id": str(staff_id)}),
                (customer_id, "chat", {"direction": "inbound"}),
                (other, "call", {}),
            ]
        )
    ]
    first, second, third = (one["id"] for one in made)
    for params, expected in (
        ({}, [third, second, first]),
        ({"customer_id": str(customer_id)}, [second, first]),
        ({"kind": "call"}, [third, first]),
        ({"staff_id": str(staff_id)}, [first]),
        ({"outcome": "reached"}, [first]),
        ({"direction": "inbound", "customer_id": str(customer_id)}, [second]),
        ({"started_at[gte]": later(hours=1).isoformat()}, [third, second]),
        ({"started_at[lt]": later(hours=1).isoformat()}, [first]),
    ):
        found = (await _read(client, "/v1/interactions", **params))["data"]
        assert [one["id"] for one in found] == expected, params
    page = await _read(client, "/v1/interactions", limit=2, customer_id=str(customer_id))
    assert page["next_cursor"] is None
    page = await _read(client, "/v1/interactions", limit=2)
    rest = await _read(client, "/v1/interactions", limit=2, cursor=page["next_cursor"])
    assert [one["id"] for one in page["data"] + rest["data"]] == [third, second, first]


async def test_the_newest_interaction_is_the_last_whatever_is_recorded_later(client, customer_id):
    path = f"/v1/customers/{customer_id}/care"
    assert (await _read(client, path))["last_interaction_at"] is None
    await _record(client, customer_id, kind="visit", started_at=DAY.isoformat())
    await _record(client, customer_id, started_at=later(days=-3).isoformat())
    care = await _read(client, path)
    assert datetime.fromisoformat(care["last_interaction_at"]) == DAY
    assert (care["last_interaction_kind"], care["interactions_count"]) == ("visit", 2)


async def test_days_since_the_last_are_those_of_the_shop_s_calendar(client, customer_id):
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    last = datetime.now(zone).replace(hour=23, minute=59) - timedelta(days=1)
    await _record(client, customer_id, started_at=last.isoformat())
    asked_on = datetime.now(zone).date()
    care = await _read(client, f"/v1/customers/{customer_id}/care")
    answered_on = datetime.now(zone).date()
    days = {(day - last.date()).days for day in (asked_on, answered_on)}
    assert care["days_since_last_interaction"] in days, "a day ago, however few hours that is"


async def test_the_last_is_exact_when_many_are_recorded_at_once(client, customer_id):
    instants = [later(minutes=n) for n in range(12)]
    await asyncio.gather(
        *(_record(client, customer_id, started_at=at.isoformat()) for at in instants)
    )
    care = await _read(client, f"/v1/customers/{customer_id}/care")
    assert datetime.fromisoformat(care["last_interaction_at"]) == max(instants)
    assert care["interactions_count"] == 12


async def test_other_services_tell_of_contacts_too(client, service, shop, customer_id):
    inbound = InboundMessageReceived(
        inbound_id=new_id(),
        channel="zalo",
        external_id="z-1",
        customer_id=customer_id,
        text="Áo bị rách",
        received_at=later(hours=2),
    )
    await service.receive(shop, "messaging", [(new_id(), inbound)])
    opened = TicketCreated(ticket=ticket(customer_id, opened_at=later(hours=1)))
    stranger = TicketCreated(ticket=ticket(new_id()))
    await service.receive(shop, "support_ticket", [(new_id(), opened), (new_id(), stranger)])
    care = await _read(client, f"/v1/customers/{customer_id}/care")
    assert datetime.fromisoformat(care["last_interaction_at"]) == later(hours=2)
    assert (care["last_interaction_kind"], care["interactions_count"]) == ("message", 0)


async def test_a_family_has_one_story(client, service, shop, customer_id):
    other = await _customer(client)
    older = await _record(client, customer_id, started_at=DAY.isoformat())
    newer = await _record(client, other, kind="chat", started_at=later(hours=1).isoformat())
    await _merge(service, shop, other, customer_id)
    for member in (customer_id, other):
        path = f"/v1/customers/{member}"
        found = (await _read(client, "/v1/interactions", customer_id=str(member)))["data"]
        assert [one["id"] for one in found] == [newer["id"], older["id"]]
        told = await _read(client, f"{path}/timeline", kind="interaction")
        assert [e["type"] for e in told["data"]] == ["interaction.chat", "interaction.call"]
        everything = (await _read(client, f"{path}/timeline"))["data"]
        assert len(everything) == 4
        care = await _read(client, f"{path}/care")
        assert (care["interactions_count"], care["last_interaction_kind"]) == (2, "chat")
        assert care["customer_id"] == str(customer_id)


async def test_a_timeline_is_filtered_by_kinds_and_period_page_by_page(
    client, service, shop, customer_id
):
    other = await _customer(client)
    for n in range(6):
        await _record(
            client,
            (customer_id, other)[n % 2],
            kind=("call", "chat", "visit")[n % 3],
            started_at=later(hours=n).isoformat(),
        )
    await _merge(service, shop, other, customer_id)
    path = f"/v1/customers/{customer_id}/timeline"
    types = "interaction.call,interaction.chat,interaction.call"
    seen, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = await _read(client, path, type=types, limit=1, **more)
        seen += [entry["occurred_at"] for entry in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    expected = [later(hours=n) for n in (4, 3, 1, 0)]
    assert [datetime.fromisoformat(at) for at in seen] == expected
    period = {
        "occurred_at[gte]": later(hours=1).isoformat(),
        "occurred_at[lt]": later(hours=4).isoformat(),
    }
    for kind in ({}, {"kind": "interaction,order"}):
        page = await _read(client, path, **period, **kind)
        found = [datetime.fromisoformat(entry["occurred_at"]) for entry in page["data"]]
        assert found == [later(hours=n) for n in (3, 2, 1)]
    assert (await _read(client, path, kind="dream"))["data"] == []


@pytest.mark.capability(127)
@pytest.mark.parametrize(("of_types", "in_period", "continued"), list(PAGES))
async def test_a_page_of_a_long_timeline_reads_what_it_shows(
    service, shop, database_url, customer_id, of_types, in_period, continued
):
    """A rare kind among very many entries, too."""
    entries = [
        Entry(
            customer_id=customer_id,
            type="interaction.visit" if n % 1000 == 0 else "message.sent",
            occurred_at=later(minutes=n),
        )
        for n in range(4000)
    ]
    async with service.context.units.begin(shop) as uow:
        await TimelineRepository(uow).add(entries)
        await uow.commit()
    wanted = EntryFilter(
        types=["interaction.visit", "order.placed"] if of_types else None,
        occurred_from=DAY if in_period else None,
    )
    asked = {"tenant": shop, "customer_id": customer_id, "page_limit": 51, **wanted.parameters()}
    if continued:
        asked |= {"after_occurred_at": later(minutes=3500), "after_id": new_id()}
    read = await rows_read(
        database_url,
        schema="customer",
        tenant_id=shop,
        table="timeline_entry",
        statement=PAGES[of_types, in_period, continued],
        parameters=asked,
    )
    assert read <= 52


async def test_what_tells_of_an_order_is_found_among_what_tells_of_orders_of_its_customer(
    client, service, shop, database_url, customer_id
):
    crowd = [await _customer(client) for _ in range(40)]
    for each in [customer_id, *crowd]:
        kinds = ["order.placed"] * 10 + ["message.sent"] * 90
        entries = [
            Entry(customer_id=each, type=kind, occurred_at=DAY, data={"order_id": str(new_id())})
            for kind in kinds
        ]
        async with service.context.units.begin(shop) as uow:
            await TimelineRepository(uow).add(entries)
            await uow.commit()
    read = await rows_read(
        database_url,
        schema="customer",
        tenant_id=shop,
        table="timeline_entry",
        statement=HAND_ON,
        parameters={
            "tenant": shop,
            "types": types_of_kind("order"),
            "order_id": [str(new_id())],
            "giver_id": [customer_id],
            "receiver_id": [crowd[0]],
        },
    )
    assert read <= 12, "the ten of its kind, and not the ninety others"


async def test_staff_see_the_interactions_of_customers_they_see(client, service, shop):
    lan, chi = await _hire(service, shop), await _hire(service, shop)
    mine = await _customer(client, owner_id=str(lan))
    hers = await _customer(client, owner_id=str(chi))
    with_mine = await _record(client, mine, staff_id=str(lan))
    with_hers = await _record(client, hers, staff_id=str(lan))
    scopes = ("interactions:read", "interactions:write", "customers:read")
    async with service.client(
        shop,
        *scopes,
        kind=PrincipalKind.STAFF,
        actor_id=str(lan),
        visibility=Visibility.OWN,
    ) as limited:
        found = (await _read(limited, "/v1/interactions"))["data"]
        assert [one["id"] for one in found] == [with_mine["id"]]
        assert (await limited.get(f"/v1/interactions/{with_mine['id']}")).status_code == 200
        for method, path, body in (
            ("GET", f"/v1/interactions/{with_hers['id']}", None),
            ("PATCH", f"/v1/interactions/{with_hers['id']}", {"outcome": "busy"}),
            ("GET", f"/v1/interactions?customer_id={hers}", None),
            ("GET", f"/v1/customers/{hers}/care", None),
            ("GET", f"/v1/customers/{hers}/notes", None),
            ("POST", f"/v1/customers/{hers}/notes", {"text": "A"}),
            ("POST", "/v1/interactions", {"customer_id": str(hers), "kind": "call"}),
        ):
            answer = await limited.request(method, path, json=body)
            assert answer.status_code == 404, path
    assert (await client.get(f"/v1/interactions/{with_hers['id']}")).json() == with_hers


async def test_whoever_may_not_see_personal_data_does_not_read_what_was_said(
    client, service, shop, customer_id
):
    recorded = await _record(client, customer_id, text="Số 12 Lê Lợi")
    async with service.client(shop, "interactions:read", sees_pii=False) as blind:
        read = await _read(blind, f"/v1/interactions/{recorded['id']}")
    assert read["text"] != "Số 12 Lê Lợi"


@pytest.mark.capability(22)
async def test_notes_are_written_pinned_changed_and_deleted(client, service, shop, customer_id):
    path = f"/v1/customers/{customer_id}/notes"
    made = [
        (await client.post(path, json={"text": f"{n}", "pinned": n == 0})).json() for n in range(3)
    ]
    first, second, third = (one["id"] for one in made)
    listed = (await _read(client, path))["data"]
    assert [one["id"] for one in listed] == [first, third, second]
    page = await _read(client, path, limit=1)
    rest = await _read(client, path, limit=2, cursor=page["next_cursor"])
    assert [one["id"] for one in page["data"] + rest["data"]] == [first, third, second]
    await client.patch(f"{path}/{first}", json={"pinned": False})
    pinned = await client.patch(f"{path}/{second}", json={"pinned": True, "text": "Gọi sau 17 giờ"})
    assert pinned.json()["text"] == "Gọi sau 17 giờ"
    listed = (await _read(client, path))["data"]
    assert [one["id"] for one in listed] == [second, third, first]
    stale = await client.delete(f"{path}/{second}", headers={"if-match": '"1"'})
    assert stale.status_code == 412
    assert (await client.delete(f"{path}/{second}")).status_code == 204
    assert (await client.get(f"{path}/{second}")).status_code == 404
    told = (await _read(client, f"/v1/customers/{customer_id}/timeline", kind="note"))["data"]
    assert [entry["type"] for entry in told] == ["note.removed", *["note.added"] * 3]
    assert "Gọi sau" not in str([entry["data"] for entry in told])


async def test_a_note_belongs_to_the_person_it_was_written_about(
    client, service, shop, customer_id
):
    other, stranger = await _customer(client), await _customer(client)
    note = (await client.post(f"/v1/customers/{other}/notes", json={"text": "A"})).json()
    assert (await client.get(f"/v1/customers/{stranger}/notes/{note['id']}")).status_code == 404
    await _merge(service, shop, other, customer_id)
    listed = (await _read(client, f"/v1/customers/{customer_id}/notes"))["data"]
    assert [one["id"] for one in listed] == [note["id"]]
    changed = await client.patch(
        f"/v1/customers/{customer_id}/notes/{note['id']}", json={"text": "B"}
    )
    assert (changed.json()["text"], changed.json()["customer_id"]) == ("B", str(other))


@pytest.mark.capability(21)
async def test_a_customer_tells_since_when_nobody_was_in_touch_and_lists_sort_by_it(
    service, shop, client
):
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    now = datetime.now(zone)
    # A second before midnight in the shop was yesterday, however little time has passed since.
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    times = {"An": now} | {
        name: midnight - timedelta(days=days, seconds=1) for name, days in (("Bo", 0), ("Ca", 11))
    }
    ids = {}
    for name, at in times.items():
        buyer = PlatformIdentity(external_id=name, name=name)
        order = platform_order(name, buyer=buyer, placed_at=at, changed_at=at)
        await service.receive(shop, "gateway", [order])
        listed = (await client.get("/v1/customers", params={"q": name})).json()["data"]
        ids[name] = listed[0]["id"]
        call = {"customer_id": ids[name], "kind": "call", "started_at": at.isoformat()}
        assert (await client.post("/v1/interactions", json=call)).status_code == 201
    # An older one does not put it back.
    old = {"customer_id": ids["An"], "kind": "call", "started_at": later(days=-9).isoformat()}
    await client.post("/v1/interactions", json=old)
    nobody = (await client.post("/v1/customers", json={"name": "Dung"})).json()
    assert (nobody["days_since_last_order"], nobody["days_since_last_interaction"]) == (None, None)
    for name, at in times.items():
        told = (await client.get(f"/v1/customers/{ids[name]}")).json()
        since = (told["days_since_last_order"], told["days_since_last_interaction"])
        # The test may run past midnight.
        days = [(day.date() - at.date()).days for day in (now, datetime.now(zone))]
        assert since in {(each, each) for each in days}, name
    for what in ("order", "interaction"):
        for sort, names in (
            (f"days_since_last_{what}", ["An", "Bo", "Ca", "Dung"]),
            (f"-days_since_last_{what}", ["Ca", "Bo", "An", "Dung"]),
            (f"-last_{what}_at", ["An", "Bo", "Ca", "Dung"]),
        ):
            page = (await client.get("/v1/customers", params={"sort": sort})).json()["data"]
            assert [customer["name"] for customer in page] == names, sort
    version = (await client.get(f"/v1/customers/{ids['An']}")).json()["version"]
    changed = await client.patch(f"/v1/customers/{ids['An']}", json={"city": "Huế"})
    assert changed.json()["version"] == version + 1
    assert changed.json()["last_interaction_at"] is not None


async def test_a_touch_of_a_merged_record_is_the_persons(service, shop, client):
    root, member = [
        (await client.post("/v1/customers", json={"name": name})).json() for name in ("An", "Bo")
    ]
    async with service.context.units.begin(shop) as uow:
        merge = "UPDATE customer.customer SET merged_into = :root WHERE tenant_id = :t AND id = :id"
        await uow.execute(text(merge), {"t": shop, "root": root["id"], "id": member["id"]})
        await uow.commit()
    call = {"customer_id": member["id"], "kind": "call"}
    assert (await client.post("/v1/interactions", json=call)).status_code == 201
    told = (await client.get(f"/v1/customers/{root['id']}")).json()
    assert told["last_interaction_at"] is not None
