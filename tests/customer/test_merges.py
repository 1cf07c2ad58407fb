"""One person, several records: merging and taking it back, over the API."""

from datetime import timedelta
from uuid import UUID

import pytest

from services.customer.snapshots.repository import SnapshotRepository
from services.customer.snapshots.walking import SnapshotWalk
from shared.contracts.gateway import PlatformIdentity, StaffChanged, StaffState
from shared.contracts.messaging import RecipientUnsubscribed
from shared.ids import new_id
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.merging import Merging, facts
from tests.customer.told import DAY, later, platform_customer, platform_order

VND = "VND"
PROOF = {"page": "/dang-ky"}


@pytest.fixture
def people(client) -> Merging:
    return Merging(client)


@pytest.mark.capability(17)
async def test_all_comes_along_the_old_code_leads_on_and_undoing_brings_it_back(client, people):
    stays, other = (
        await people.make(name="An"),
        await people.make(name="An Nguyễn", email="an@example.com"),
    )
    for customer, amount in ((stays, 100_000), (other, 250_000)):
        await people.buy(customer, amount)
    programme = {"name": "Hoa Mai", "point_value": {"amount": "100", "currency": VND}}
    await client.put("/v1/loyalty/programme", json=programme)
    gift = {"customer_id": other["id"], "points": 70, "note": "Chào mừng"}
    assert (await client.post("/v1/loyalty/adjustments", json=gift)).status_code == 201
    task = {"customer_id": other["id"], "title": "Gọi lại"}
    assert (await client.post("/v1/tasks", json=task)).status_code == 201
    consent = {"purpose": "marketing", "channel": "email", "status": "granted", "proof": PROOF}
    agreed = await client.post(f"/v1/customers/{other['id']}/consents", json=consent)
    assert agreed.status_code == 201, agreed.text
    before = [facts(await people.read(customer)) for customer in (stays, other)]

    async def points(customer: dict) -> int:
        account = await client.get(f"/v1/loyalty/accounts/{customer['id']}")
        return account.json()["available"]

    merged = await people.merge(stays, other)
    one = await people.read(stays)
    assert one == merged["customer"]
    assert one["orders_count"] == 2
    assert one["total_spent"] == {"amount": "350000", "currency": VND}
    assert one["email"] == "an@example.com"
    assert [c["status"] for c in one["consents"]] == ["granted"]
    orders = (await client.get(f"/v1/customers/{stays['id']}/orders")).json()["data"]
    assert len(orders) == 2
    [found] = (await client.get("/v1/tasks", params={"customer_id": stays["id"]})).json()["data"]
    assert found["title"] == "Gọi lại"
    assert await points(stays) == 70
    assert merged["moves"]["orders"] == merged["moves"]["tasks"] == 1

    for path in (other["id"], f"by-code/{other['code'].lower()}"):
        answer = await client.get(f"/v1/customers/{path}")
        assert answer.json() == one
        assert answer.headers["content-location"] == f"/v1/customers/{stays['id']}"

    undone = await people.undo(merged)
    assert undone["status"] == "undone"
    assert undone["parted_ids"] == [other["id"]]
    assert [facts(await people.read(customer)) for customer in (stays, other)] == before
    assert [await points(customer) for customer in (stays, other)] == [0, 70]


async def test_a_merged_record_leaves_lists_and_search_and_comes_back(client, people):
    stays = await people.make(name="Lê Thị Hoa", tags=["vip"])
    other = await people.make(name="Lê Thị Hoà", tags=["vip"])

    async def found() -> list[set[str]]:
        ways = ({}, {"q": "le thi"}, {"tag": "vip"}, {"stage": "lead"})
        pages = [await client.get("/v1/customers", params=way) for way in ways]
        return [{row["id"] for row in page.json()["data"]} for page in pages]

    merged = await people.merge(stays, other)
    assert await found() == [{stays["id"]}] * 4
    await people.undo(merged)
    assert await found() == [{stays["id"], other["id"]}] * 4


async def test_a_dry_run_tells_everything_and_changes_nothing(client, people):
    stays = await people.make(name="An", attributes={"size": 39})
    other = await people.make(name="Bình", city="Huế", attributes={"size": 40, "colour": "xanh"})
    before = [await people.read(customer) for customer in (stays, other)]

    planned = await people.merge(stays, other, dry_run=True)
    assert planned["id"] is None
    assert planned["status"] == "planned"
    taken = {each["field"]: each for each in planned["taken"]}
    assert taken.keys() == {"city", "attributes.colour"}
    assert taken["city"] == {
        "field": "city",
        "customer_id": other["id"],
        "before": None,
        "after": "Huế",
    }
    conflicts = {each["field"]: each for each in planned["conflicts"]}
    assert conflicts.keys() == {"name", "attributes.size"}
    assert conflicts["name"]["others"] == [{"customer_id": other["id"], "value": "Bình"}]
    assert planned["customer"]["attributes"] == {"size": 39, "colour": "xanh"}
    assert [await people.read(customer) for customer in (stays, other)] == before
    assert (await client.get("/v1/merges")).json()["data"] == []


async def test_a_client_chooses_which_record_a_field_is_taken_from(people):
    stays = await people.make(name="An", city="Huế", attributes={"size": 39})
    other = await people.make(name="An Nguyễn", attributes={"size": 40})
    choices = {"name": other["id"], "city": other["id"], "attributes.size": other["id"]}
    merged = await people.merge(stays, other, fields=choices)
    assert merged["customer"]["name"] == "An Nguyễn"
    assert merged["customer"]["city"] is None
    assert merged["customer"]["attributes"] == {"size": 40}
    await people.undo(merged)
    assert facts(await people.read(stays)) == facts(stays)


@pytest.mark.parametrize(
    ("field", "code"), [("total_spent", "unknown_field"), ("name", "not_merged")]
)
async def test_what_cannot_be_chosen_is_refused(client, field, code, people):
    stays, other, stranger = (
        await people.make(name="An"),
        await people.make(name="Bo"),
        await people.make(name="Ca"),
    )
    body = {"customer_ids": [other["id"]], "fields": {field: stranger["id"]}}
    answer = await client.post(f"/v1/customers/{stays['id']}/merges", json=body)
    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [
        (f"/body/fields/{field}", code)
    ]


@pytest.mark.capability(120)
async def test_nobody_is_merged_with_themselves_whichever_records_are_named(client, people):
    first, second, third = (
        await people.make(name="An"),
        await people.make(name="Bo"),
        await people.make(name="Ca"),
    )
    await people.merge(first, second)
    await people.merge(second, third)  # Into whoever stands for the second.
    for stays, other in ((first, first), (first, third), (third, first), (second, third)):
        answer = await client.post(
            f"/v1/customers/{stays['id']}/merges", json={"customer_ids": [other["id"]]}
        )
        assert answer.status_code == 409
        assert answer.json()["code"] == "same_customer"


async def test_consents_are_united_the_newest_counts_and_of_two_at_once_the_withdrawal(
    client, people
):
    stays, other = await people.make_all("An", "Bo")
    for customer, channel, status, hours in (
        (stays, "email", "granted", 2),
        (other, "email", "withdrawn", 1),
        (stays, "sms", "granted", 1),
        (other, "sms", "withdrawn", 1),
        (other, "zalo", "granted", 3),
    ):
        at = later(hours=hours).isoformat()
        body = {"purpose": "marketing", "channel": channel, "status": status, "at": at}
        body |= {"proof": PROOF} if status == "granted" else {}
        answer = await client.post(f"/v1/customers/{customer['id']}/consents", json=body)
        assert answer.status_code == 201, answer.text
    one = (await people.merge(stays, other))["customer"]
    assert {c["channel"]: c["status"] for c in one["consents"]} == {
        "email": "granted",
        "sms": "withdrawn",
        "zalo": "granted",
    }
    ledger = (await client.get(f"/v1/customers/{other['id']}/consents")).json()
    assert len(ledger["data"]) == 5
    assert ledger["current"] == one["consents"]


@pytest.mark.capability(121)
async def test_what_came_since_goes_back_to_the_record_it_came_through(
    client, service, shop, people
):
    stays = await people.make(name="An")
    buyer = PlatformIdentity(external_id="77", name="An Nguyễn", email="an@example.com")
    await service.receive(shop, "gateway", [platform_order("1", buyer=buyer, total_minor=100)])
    [found] = (await client.get("/v1/customers", params={"q": "an nguyen"})).json()["data"]
    merged = await people.merge(stays, found)

    # By the platform's id: through the merged record. By the id of an API client: as it says.
    await service.receive(shop, "gateway", [platform_order("2", buyer=buyer, total_minor=200)])
    await people.buy(stays, 1_000)
    await people.buy(found, 30)
    assert (await people.read(stays))["total_spent"]["amount"] == "1330"
    consent = {"purpose": "care", "channel": "call", "status": "withdrawn"}
    await client.post(f"/v1/customers/{found['id']}/consents", json=consent)
    note = await client.post(f"/v1/customers/{stays['id']}/notes", json={"text": "Thích áo dài"})
    assert [c["status"] for c in (await people.read(stays))["consents"]] == ["withdrawn"]

    undone = await people.undo(merged)
    first, second = await people.read(stays), await people.read(found)
    assert (first["orders_count"], first["total_spent"]["amount"]) == (1, "1000")
    assert (second["orders_count"], second["total_spent"]["amount"]) == (3, "330")
    assert first["consents"] == []
    assert [c["status"] for c in second["consents"]] == ["withdrawn"]
    things = {each["object"]: each for each in undone["undecided"]["things"]}
    assert things.keys() == {"order", "note"}
    assert things["note"]["ids"] == [note.json()["id"]]


@pytest.mark.capability(121)
async def test_a_dry_run_tells_when_they_were_last_in_touch(client, people):
    stays, other = await people.make_all("An", "Bo")
    for who, day in ((stays, "2026-01-02"), (other, "2026-01-03")):
        call = {"customer_id": who["id"], "kind": "call", "started_at": f"{day}T03:00:00Z"}
        assert (await client.post("/v1/interactions", json=call)).status_code == 201
    planned = await people.merge(stays, other, dry_run=True)
    assert planned["customer"]["last_interaction_at"] == "2026-01-03T03:00:00Z"
    merged = await people.merge(stays, other)
    assert planned["customer"]["last_interaction_at"] == merged["customer"]["last_interaction_at"]
    undone = await people.undo(merged, dry_run=True)
    assert undone["customer"]["last_interaction_at"] == "2026-01-02T03:00:00Z"


@pytest.mark.capability(121)
async def test_an_order_sent_again_for_the_one_they_were_stays_with_its_record(client, people):
    stays, other = await people.make_all("An", "Bo")
    said = {"external_id": "HD-1", "tags": ["tại quầy"]}
    order = await people.buy(other, 100, **said)
    merged = await people.merge(stays, other)
    again = await people.buy(stays, 300, **said)
    assert (again["id"], again["customer_id"]) == (order["id"], other["id"])
    assert (await people.read(stays))["total_spent"]["amount"] == "300"
    await people.undo(merged)
    assert (await people.read(stays))["orders_count"] == 0
    assert (await people.read(other))["total_spent"]["amount"] == "300"
    assert (await people.buy(stays, 300, **said))["customer_id"] == stays["id"]
    assert (await people.read(other))["orders_count"] == 0


async def test_fields_that_were_changed_since_stay_and_are_listed(client, people):
    stays = await people.make(name="An")
    other = await people.make(name="Bo", city="Huế", country="VN", email="bo@example.com")
    merged = await people.merge(stays, other)
    changed = {"city": "Đà Nẵng", "occupation": "Giáo viên"}
    await client.patch(f"/v1/customers/{other['id']}", json=changed)

    planned = await people.undo(merged, dry_run=True)
    assert (await people.read(other))["id"] == stays["id"]
    undone = await people.undo(merged)
    assert undone["undecided"] == planned["undecided"]
    listed = {each["field"]: each["value"] for each in undone["undecided"]["fields"]}
    assert listed == changed
    assert undone["given_back"] == ["country", "email"]
    one = await people.read(stays)
    assert (one["city"], one["occupation"]) == ("Đà Nẵng", "Giáo viên")
    assert (one["country"], one["email"]) == (None, None)
    assert facts(await people.read(other)) == facts(other)


async def test_a_merge_is_undone_once(client, people):
    merged = await people.merge(await people.make(name="An"), await people.make(name="Bo"))
    await people.undo(merged)
    again = await client.post(f"/v1/merges/{merged['id']}/undo")
    assert again.status_code == 409
    assert again.json()["code"] == "merge_undone"


@pytest.mark.parametrize("first_undone", [0, 1])
async def test_the_links_of_a_chain_are_undone_in_any_order(first_undone, people):
    first = await people.make(name="An", email="an@example.com", tags=["a"], attributes={"x": 1})
    second = await people.make(name="Bo", city="Huế", tags=["b"])
    third = await people.make(name="Ca", tags=["c"])
    made = [await people.merge(second, first), await people.merge(third, second)]
    one = await people.read(first)
    assert (one["id"], one["email"], one["city"]) == (third["id"], "an@example.com", "Huế")
    assert set(one["tags"]) == {"a", "b", "c"}
    await people.undo(made[first_undone])
    if first_undone == 0:
        # The middle: what the third has of the first by way of the second goes, too.
        assert facts(await people.read(first)) == facts(first)
        one = await people.read(second)
        assert (one["id"], one["email"], one["city"]) == (third["id"], None, "Huế")
        assert one["tags"] == ["c", "b"]
    else:
        assert facts(await people.read(third)) == facts(third)
        assert (await people.read(first))["id"] == second["id"]
    await people.undo(made[1 - first_undone])
    for customer in (first, second, third):
        assert facts(await people.read(customer)) == facts(customer)


async def test_a_blank_is_filled_by_the_next_when_the_first_leaves(people):
    stays = await people.make(name="An")
    first = await people.make(name="Bo", city="Huế", tags=["vip"])
    second = await people.make(name="Ca", city="Đà Nẵng", tags=["vip"])
    made = [await people.merge(stays, first), await people.merge(stays, second)]
    assert (await people.read(stays))["city"] == "Huế"
    await people.undo(made[0])
    one = await people.read(stays)
    assert (one["city"], one["tags"]) == ("Đà Nẵng", ["vip"])
    await people.undo(made[1])
    assert facts(await people.read(stays)) == facts(stays)


async def enter_lead(client, customer) -> str:
    body = {"customer_id": customer["id"], "intent": "wants_meeting"}
    entered = await client.post("/v1/leads", json=body)
    assert entered.status_code == 201, entered.text
    return entered.json()["id"]


async def is_converted(client, lead_id: str) -> bool:
    return (await client.get(f"/v1/leads/{lead_id}")).json()["converted_at"] is not None


async def test_who_has_only_bought_by_the_one_who_leaves_is_a_lead_again(client, people):
    stays, other = await people.make_all("An", "Bo")
    leads = [await enter_lead(client, customer) for customer in (stays, other)]
    merged = await people.merge(stays, other)
    await people.buy(other, 100_000)
    assert (await people.read(stays))["stage"] == "customer"
    assert [await is_converted(client, lead) for lead in leads] == [True, True]

    undone = await people.undo(merged)
    assert undone["customer"]["stage"] == "lead"
    one, left = await people.read(stays), await people.read(other)
    assert (one["stage"], one["orders_count"]) == ("lead", 0)
    assert (left["stage"], left["orders_count"]) == ("customer", 1)
    assert [await is_converted(client, lead) for lead in leads] == [False, True]


async def test_who_has_bought_too_or_was_made_a_customer_by_hand_stays_one(client, people):
    by_orders, by_hand = await people.make_all("An", "Bo")
    for stays in (by_orders, by_hand):
        other = await people.make(name="Ca")
        merged = await people.merge(stays, other)
        if stays is by_hand:
            said = {"stage": "customer"}
            await client.patch(f"/v1/customers/{stays['id']}", json=said)
        else:
            await people.buy(stays, 50_000)
        await people.buy(other, 100_000)
        await people.undo(merged)
        assert (await people.read(stays))["stage"] == "customer"
        assert (await people.read(other))["stage"] == "customer"


async def test_all_above_the_one_who_leaves_are_leads_again(people):
    first, second, third = await people.make_all("An", "Bo", "Ca")
    lower = await people.merge(second, first)
    await people.buy(first, 100_000)
    upper = await people.merge(third, second)
    await people.buy(first, 100_000)
    await people.undo(lower)
    assert (await people.read(third))["stage"] == "lead"
    await people.undo(upper)
    found = [(await people.read(each))["stage"] for each in (first, second, third)]
    assert found == ["customer", "lead", "lead"]


async def test_platforms_change_who_stands_for_the_record_they_know(client, service, shop, people):
    stays = await people.make(name="An")
    known = platform_customer("9", name="Bo", email="bo@example.com")
    await service.receive(shop, "gateway", [known])
    [found] = (await client.get("/v1/customers", params={"q": "bo"})).json()["data"]
    await people.merge(stays, found)
    moved = platform_customer("9", changed_at=DAY + timedelta(days=1), name="Bo", city="Huế")
    await service.receive(shop, "gateway", [moved])
    one = await people.read(stays)
    assert one["city"] == "Huế"
    identities = (await client.get(f"/v1/customers/{stays['id']}/identities")).json()["data"]
    held = {identity["value"]: identity["customer_id"] for identity in identities}
    assert held["9"] == found["id"]
    put = await client.put(
        "/v1/customers/by-external-id/pos/till-1", json={"email": "bo@example.com"}
    )
    assert put.status_code == 201  # A claimed address proves nothing.


async def test_an_address_that_another_record_has_proved_is_no_other_customers(client, people):
    stays = await people.make(name="An")
    other = await people.make(name="Bo", email="bo@example.com", email_verified=True)
    body = {"email": "bo@example.com", "email_verified": True}
    taken = await client.patch(f"/v1/customers/{stays['id']}", json=body)
    assert taken.json()["code"] == "identity_taken"
    await people.merge(stays, other)
    changed = await client.patch(f"/v1/customers/{stays['id']}", json={**body, "name": "An"})
    assert changed.status_code == 200, changed.text


async def test_others_are_told_of_each_record_whose_root_changes(service, shop, people):
    first, second, third = (
        await people.make(name="An"),
        await people.make(name="Bo"),
        await people.make(name="Ca"),
    )
    await people.merge(second, first)
    merged = await people.merge(third, second)
    told = await service.told(shop, "customer.merged")
    assert [(e["key"], e["customer"]["merged_into"]) for e in told] == [
        (UUID(first["id"]), second["id"]),
        *((UUID(each["id"]), third["id"]) for each in (first, second)),
    ]
    assert {e["merge_id"] for e in told[1:]} == {merged["id"]}
    await people.undo(merged)
    told = await service.told(shop, "customer.unmerged")
    assert [(e["key"], e["customer"]["merged_into"]) for e in told] == [
        (UUID(first["id"]), second["id"]),
        (UUID(second["id"]), None),
    ]
    versions: dict[UUID, list[int]] = {}
    for event in await service.told(shop):
        if "customer" in event:
            versions.setdefault(event["key"], []).append(event["customer"]["version"])
    assert all(each == sorted(set(each)) for each in versions.values())


async def test_the_ledger_tells_who_when_and_why(client, people):
    stays, other = await people.make_all("An", "Bo")
    merged = await people.merge(stays, other, reason="Cùng số điện thoại")
    read = (await client.get(f"/v1/merges/{merged['id']}")).json()
    assert read["reason"] == "Cùng số điện thoại"
    assert (read["customer_id"], read["merged_ids"]) == (stays["id"], [other["id"]])
    assert (read["actor_kind"], read["actor_id"]) == ("api_key", "test")
    await people.undo(merged)
    for path in ("/v1/merges", *(f"/v1/customers/{c['id']}/merges" for c in (stays, other))):
        [row] = (await client.get(path)).json()["data"]
        assert (row["id"], row["status"], row["undone_by"]) == (merged["id"], "undone", "test")
    assert (await client.get("/v1/merges", params={"status": "done"})).json()["data"] == []
    types = {
        entry["type"]
        for entry in (await client.get(f"/v1/customers/{stays['id']}/timeline")).json()["data"]
    }
    assert {"customer.merged", "customer.unmerged"} <= types


async def test_the_records_of_a_customer_are_listed(client, people):
    stays, other = await people.make_all("An", "Bo")
    await people.merge(stays, other)
    rows = (await client.get(f"/v1/customers/{other['id']}/aliases")).json()["data"]
    assert [(row["id"], row["code"]) for row in rows] == [
        (each["id"], each["code"]) for each in (stays, other)
    ]
    assert {row["customer_id"] for row in rows} == {stays["id"]}


@pytest.mark.capability(120)
async def test_a_thousand_are_merged_at_once_and_parted_again(client, people):
    stays = await people.make(name="An")
    others = await people.make_all(*(f"Người {number}" for number in range(1000)))
    merged = await people.merge(stays, *others)
    assert merged["merged_ids"] == [other["id"] for other in others]
    assert (await people.read(others[999]))["id"] == stays["id"]
    undone = await people.undo(merged)
    assert len(undone["parted_ids"]) == 1000
    assert facts(await people.read(others[999])) == facts(others[999])


async def test_who_does_not_see_somebody_neither_merges_nor_parts_them(service, shop, people):
    caller, colleague = new_id(), new_id()
    for staff_id in (caller, colleague):
        state = StaffState(staff_id=staff_id, name="Hoa", email="hoa@shop.vn", role="agent")
        await service.receive(shop, "gateway", [(staff_id, StaffChanged(staff=state))])
    own = await people.make(name="An", owner_id=str(caller))
    nobodys = await people.make(name="Bo")
    others = await people.make(name="Ca", owner_id=str(colleague))
    async with service.client(
        shop,
        *("customers:read", "customers:write"),
        kind=PrincipalKind.STAFF,
        actor_id=str(caller),
        visibility=Visibility.OWN,
    ) as client:
        narrowed = Merging(client)
        for stays, other in ((own, others), (others, own)):
            assert (await narrowed.try_to_merge(stays, other)).status_code == 404
        merged = await narrowed.merge(nobodys, own)
        # Who had no owner has one now; nobody else is hidden by that.
        assert merged["customer"]["owner_id"] == str(caller)
        hidden = await people.merge(others, nobodys)
        assert (await client.get(f"/v1/merges/{hidden['id']}")).status_code == 404
        assert (await client.post(f"/v1/merges/{merged['id']}/undo")).status_code == 404
        assert (await client.get("/v1/merges")).json()["data"] == []


async def test_reports_and_loads_count_a_person_once(client, service, shop, people):
    first, second, _ = await people.make_all("An", "Bo", "Ca")
    await people.merge(first, second)
    counts = (await client.get("/v1/care-loop-counts")).json()
    assert (counts["customers"], counts["leads"]) == (2, 2)


async def test_who_says_stop_is_taken_at_their_word_by_the_record_that_has_the_address(
    service, shop, people
):
    stays = await people.make(name="An")
    other = await people.make(name="Bo", email="bo@example.com")
    merged = await people.merge(stays, other)
    said = RecipientUnsubscribed(
        customer_id=None, channel="email", address="bo@example.com", purpose="all", at=DAY
    )
    await service.receive(shop, "messaging", [(new_id(), said)])
    one = await people.read(stays)
    assert {c["status"] for c in one["consents"]} == {"withdrawn"}
    await people.undo(merged)
    assert (await people.read(stays))["consents"] == []
    assert (await people.read(other))["consents"] == one["consents"]


async def test_a_snapshot_tells_who_stands_for_each_record(service, shop, people):
    stays, other = await people.make_all("An", "Bo")
    await people.merge(stays, other)
    async with service.context.units.begin(shop) as uow:
        await SnapshotRepository(uow).add(new_id(), requested_by="segmentation")
        assert await SnapshotWalk(uow, batch=10).step()
        await uow.commit()
    told = await service.told(shop, "customer.snapshotted")
    assert {e["key"]: e["customer"]["merged_into"] for e in told} == {
        UUID(stays["id"]): None,
        UUID(other["id"]): stays["id"],
    }


@pytest.mark.parametrize(
    "path", ["addresses", "contacts", "notes", "timeline", "touches", "care", "assignments"]
)
async def test_a_merged_id_shows_what_the_customer_has(client, people, path):
    stays, other = await people.make_all("An", "Bo")
    await client.post(f"/v1/customers/{other['id']}/addresses", json={"province": "Huế"})
    await client.post(f"/v1/customers/{other['id']}/contacts", json={"name": "Mai"})
    await client.post(f"/v1/customers/{other['id']}/notes", json={"text": "Thích áo dài"})
    await client.post("/v1/touches", json={"customer_id": other["id"]})
    await people.merge(stays, other)
    answers = [await client.get(f"/v1/customers/{each['id']}/{path}") for each in (stays, other)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


async def test_what_is_taken_over_was_said_by_whoever_had_said_it(client, people):
    async def said(customer: dict) -> dict[str, tuple]:
        read = await client.get(f"/v1/customers/{customer['id']}/provenance")
        assert read.status_code == 200, read.text
        return {each["field"]: (each["source"], each["value"]) for each in read.json()["data"]}

    stays = await people.make(name="An", source="pos")
    other = await people.make(name="An Nguyễn", city="Huế", source="web")
    third = await people.make(name="An N.", province="Huế", city="Đà Nẵng", source="event")
    before = [await said(each) for each in (stays, other, third)]
    first = await people.merge(stays, other)
    await people.merge(stays, third)
    one = await said(stays)
    assert (one["name"], one["city"]) == (("pos", "An"), ("web", "Huế"))
    assert one["province"] == ("event", "Huế")
    # What falls empty is filled from whoever else is merged, and is that one's word.
    await people.undo(first)
    assert (await said(stays))["city"] == ("event", "Đà Nẵng")
    assert await said(other) == before[1]


@pytest.mark.parametrize("restricted", [0, 1])
async def test_who_has_had_their_data_restricted_is_so_as_one_person(client, people, restricted):
    both = [await people.make(name="An"), await people.make(name="Bo")]
    asked = {"kind": "restriction", "customer_id": both[restricted]["id"]}
    assert (await client.post("/v1/privacy-requests", json=asked)).status_code == 201
    before = [facts(await people.read(each)) for each in both]
    assert before[restricted]["restricted_at"] is not None

    merged = await people.merge(*both)
    assert merged["customer"]["restricted_at"] == before[restricted]["restricted_at"]
    await people.undo(merged)
    assert [facts(await people.read(each)) for each in both] == before


async def test_a_restriction_of_one_person_holds_for_each_when_they_part(client, people):
    both = [await people.make(name="An"), await people.make(name="Bo")]
    first = await people.merge(*both)
    asked = {"kind": "restriction", "customer_id": both[0]["id"]}
    await client.post("/v1/privacy-requests", json=asked)
    undone = await people.undo(first)
    assert [f["field"] for f in undone["undecided"]["fields"]] == ["restricted_at"]
    assert all([(await people.read(each))["restricted_at"] for each in both])

    await people.merge(*both)
    lifted = await client.delete(f"/v1/customers/{both[1]['id']}/restriction")
    assert lifted.status_code == 204
    again = (await client.get(f"/v1/customers/{both[0]['id']}/merges")).json()["data"][0]
    await people.undo(again)
    assert not any([(await people.read(each))["restricted_at"] for each in both])
