"""Taking single records out of a merge: they leave with what is theirs, the others stay."""

import asyncio

import pytest

from shared.contracts.gateway import PlatformIdentity, StaffChanged, StaffState
from shared.ids import new_id
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.merging import Merging, facts
from tests.customer.told import platform_order


@pytest.fixture
def people(client) -> Merging:
    return Merging(client)


async def ledger(client, merge):
    answer = await client.get(f"/v1/merges/{merge['id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.capability(121)
async def test_one_of_three_leaves_and_the_others_stay(client, people):
    stays = await people.make(name="An", tags=["a"])
    first = await people.make(name="Bo", email="bo@example.com", tags=["b", "both"])
    second = await people.make(name="Ca", city="Huế", tags=["both"])
    third = await people.make(name="Du", city="Vinh", birth_date="1990-02-28")
    for number, customer in enumerate((stays, first, second, third)):
        await people.buy(customer, 10**number)
    merge = await people.merge(stays, first, second, third)
    assert (await people.read(stays))["total_spent"]["amount"] == "1111"

    undone = await people.take_out(merge, first)
    assert (undone["status"], undone["parted_ids"]) == ("done", [first["id"]])
    assert undone["given_back"] == ["email"]
    assert undone["undecided"] == {"fields": [], "things": undone["undecided"]["things"]}
    one = await people.read(stays)
    assert (one["email"], one["city"], one["birth_date"]) == (None, "Huế", "1990-02-28")
    assert one["tags"] == ["a", "both"]
    assert (one["orders_count"], one["total_spent"]["amount"]) == (3, "1101")
    alone = await people.read(first)
    assert (alone["id"], alone["total_spent"]["amount"]) == (first["id"], "10")
    assert (alone["email"], alone["tags"]) == ("bo@example.com", ["b", "both"])
    for customer in (second, third):
        assert (await people.read(customer))["id"] == stays["id"]

    row = await ledger(client, merge)
    assert (row["status"], row["merged_ids"]) == ("done", [second["id"], third["id"]])
    [taken_out] = row["taken_out"]
    assert (taken_out["customer_id"], taken_out["by"]) == (first["id"], "test")
    assert {taken["field"] for taken in row["taken"]} >= {"city", "birth_date"}
    assert "email" not in {taken["field"] for taken in row["taken"]}

    rest = await people.undo(merge)
    assert (rest["status"], rest["parted_ids"]) == ("undone", [second["id"], third["id"]])
    # What the first has taken along was changed by nobody.
    assert rest["undecided"]["fields"] == []
    bare = ("name", "email", "city", "birth_date", "tags")
    for customer in (stays, first, second, third):
        now = await people.read(customer)
        assert {name: now[name] for name in bare} == {name: customer[name] for name in bare}
        assert now["orders_count"] == 1


async def test_what_one_leaves_blank_another_of_the_same_merge_fills(people):
    stays = await people.make(name="An")
    first = await people.make(name="Bo", city="Huế", attributes={"size": 1})
    second = await people.make(name="Ca", city="Vinh", attributes={"size": 2})
    merge = await people.merge(stays, first, second)
    await people.take_out(merge, first)
    one = await people.read(stays)
    assert (one["city"], one["attributes"]) == ("Vinh", {"size": 2})
    await people.take_out(merge, second)
    assert facts(await people.read(stays)) == facts(stays)


async def test_a_dry_run_tells_the_same_and_changes_nothing(client, people):
    stays, first, second = await people.make_all("An", "Bo", "Ca")
    merge = await people.merge(stays, first, second)
    note = await client.post(f"/v1/customers/{stays['id']}/notes", json={"text": "Thích trà"})
    await client.patch(f"/v1/customers/{stays['id']}", json={"city": "Huế"})
    before = [await people.read(stays), await ledger(client, merge)]
    planned = await people.take_out(merge, first, dry_run=True)
    assert [await people.read(stays), await ledger(client, merge)] == before
    undone = await people.take_out(merge, first)
    for name in ("parted_ids", "given_back", "undecided"):
        assert planned[name] == undone[name]
    assert [each["value"] for each in undone["undecided"]["fields"]] == ["Huế"]
    [things] = undone["undecided"]["things"]
    assert (things["object"], things["ids"]) == ("note", [note.json()["id"]])


async def test_what_came_through_a_record_goes_with_it(client, service, shop, people):
    stays, second = await people.make_all("An", "Ca")
    buyer = PlatformIdentity(external_id="77", name="Bo Nguyễn")
    await service.receive(shop, "gateway", [platform_order("1", buyer=buyer, total_minor=100)])
    [first] = (await client.get("/v1/customers", params={"q": "bo nguyen"})).json()["data"]
    merge = await people.merge(stays, second, first)
    await service.receive(shop, "gateway", [platform_order("2", buyer=buyer, total_minor=200)])
    await people.buy(second, 7)
    consent = {"purpose": "care", "channel": "call", "status": "withdrawn"}
    await client.post(f"/v1/customers/{first['id']}/consents", json=consent)
    assert [c["status"] for c in (await people.read(stays))["consents"]] == ["withdrawn"]
    await people.take_out(merge, first)
    one, other = await people.read(stays), await people.read(first)
    assert (one["total_spent"]["amount"], one["consents"]) == ("7", [])
    assert (other["orders_count"], other["total_spent"]["amount"]) == (2, "300")
    assert [c["status"] for c in other["consents"]] == ["withdrawn"]


async def test_others_are_told_of_who_leaves_and_of_nobody_else(service, shop, people):
    stays, first, second, below = await people.make_all("An", "Bo", "Ca", "Du")
    await people.merge(first, below)
    merge = await people.merge(stays, first, second)
    told = len(await service.told(shop, "customer.updated"))
    await people.take_out(merge, first)
    unmerged = await service.told(shop, "customer.unmerged")
    states = {each["customer"]["customer_id"]: each["customer"] for each in unmerged}
    assert states.keys() == {first["id"], below["id"]}
    assert {each["merge_id"] for each in unmerged} == {merge["id"]}
    assert states[first["id"]]["merged_into"] is None
    assert states[below["id"]]["merged_into"] == first["id"]
    [updated] = (await service.told(shop, "customer.updated"))[told:]
    assert updated["customer"]["customer_id"] == stays["id"]
    recorded = [
        record
        for event in await service.told(shop, "audit.recorded")
        for record in event["records"]
        if record["detail"].get("taken_out")
    ]
    [entry] = recorded
    assert {subject["id"] for subject in entry["subjects"]} == {
        *(merge["id"], stays["id"], first["id"])
    }


async def test_naming_them_once_more_changes_nothing(client, people):
    stays, first, second = await people.make_all("An", "Bo", "Ca")
    merge = await people.merge(stays, first, second)
    await people.take_out(merge, first)
    before = await ledger(client, merge)
    again = await people.take_out(merge, first)
    assert (again["parted_ids"], again["customer"]["id"]) == ([], stays["id"])
    assert await ledger(client, merge) == before
    both = await people.take_out(merge, first, second)
    assert (both["status"], both["parted_ids"]) == ("undone", [second["id"]])
    body = {"customer_ids": [second["id"]]}
    refused = await client.post(f"/v1/merges/{merge['id']}/undo", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "merge_undone")


async def test_who_was_not_merged_by_it_cannot_be_taken_out(client, people):
    stays, first, second, stranger = await people.make_all("An", "Bo", "Ca", "Du")
    merge = await people.merge(stays, first, second)
    path = f"/v1/merges/{merge['id']}/undo"
    for wrong in (stays["id"], stranger["id"], str(new_id())):
        body = {"customer_ids": [first["id"], wrong]}
        refused = await client.post(path, json=body)
        assert refused.status_code == 422
        [fault] = refused.json()["errors"]
        assert (fault["pointer"], fault["code"]) == ("/body/customer_ids/1", "not_in_merge")
    assert (await people.read(first))["id"] == stays["id"]
    assert (await client.post(path, json={"customer_ids": []})).status_code == 422


async def test_who_was_taken_out_may_be_merged_again_and_the_rest_undone(people):
    stays, first, second = await people.make_all("An", "Bo", "Ca")
    merge = await people.merge(stays, first, second)
    await people.take_out(merge, first)
    other = await people.merge(stays, first)
    await people.undo(merge)
    assert (await people.read(first))["id"] == stays["id"]
    assert (await people.read(second))["id"] == second["id"]
    await people.undo(other)
    assert (await people.read(first))["id"] == first["id"]


async def test_one_is_taken_out_below_another_merge(people):
    top = await people.make(name="Zoe")
    stays, first, second = await people.make_all("An", "Bo", "Ca")
    city = await people.make(name="Du", city="Huế")
    merge = await people.merge(stays, first, second, city)
    await people.merge(top, stays)
    assert (await people.read(top))["city"] == "Huế"
    await people.buy(first, 5)
    await people.take_out(merge, city, first)
    assert (await people.read(first))["total_spent"]["amount"] == "5"
    one = await people.read(second)
    assert (one["id"], one["city"], one["orders_count"]) == (top["id"], None, 0)
    assert (await people.read(city))["city"] == "Huế"


async def test_the_questions_of_those_who_leave_are_asked_again(client, people):
    stays = await people.make(name="An", phone="0912345678")
    first = await people.make(name="Bo", phone="0912345678")
    second = await people.make(name="Ca", phone="0912345678")
    assert len((await client.get("/v1/duplicates")).json()["data"]) == 3
    merge = await people.merge(stays, first, second)
    assert (await client.get("/v1/duplicates")).json()["data"] == []
    await people.take_out(merge, first)
    opened = (await client.get("/v1/duplicates")).json()["data"]
    asked = {frozenset((pair["older_id"], pair["newer_id"])) for pair in opened}
    assert asked == {
        frozenset((first["id"], stays["id"])),
        frozenset((first["id"], second["id"])),
    }
    await people.undo(merge)
    assert len((await client.get("/v1/duplicates")).json()["data"]) == 3


async def test_what_a_higher_merge_had_answered_is_asked_again_of_who_leaves_a_lower_one(
    client, people
):
    names = ("An", "Bo", "Ca")
    middle, lowest, highest = [await people.make(name=n, phone="0912345678") for n in names]
    lower = await people.merge(middle, lowest)
    higher = await people.merge(highest, middle)
    await people.undo(lower)

    async def asked(status):
        found = (await client.get("/v1/duplicates", params={"status": status})).json()["data"]
        return {frozenset((pair["older_id"], pair["newer_id"])) for pair in found}

    assert await asked("merged") == {frozenset((middle["id"], highest["id"]))}
    of_lowest = {frozenset((lowest["id"], each["id"])) for each in (middle, highest)}
    assert await asked("open") == of_lowest
    joined = await people.merge(highest, lowest)
    await people.undo(higher)
    assert await asked("merged") == {frozenset((lowest["id"], highest["id"]))}
    await people.undo(joined)
    assert len(await asked("open")) == 3


async def test_who_leaves_for_ever_is_not_merged_again(people):
    stays, first, second = await people.make_all("An", "Bo", "Ca")
    merge = await people.merge(stays, first, second)
    await people.take_out(merge, first, never_again=True)
    for customer in (stays, second):
        refused = await people.try_to_merge(customer, first)
        assert refused.json()["code"] == "never_merged"


async def test_who_does_not_see_everybody_of_a_merge_takes_nobody_out(service, shop, people):
    caller, colleague = new_id(), new_id()
    for staff_id in (caller, colleague):
        state = StaffState(staff_id=staff_id, name="Hoa", email="hoa@shop.vn", role="agent")
        await service.receive(shop, "gateway", [(staff_id, StaffChanged(staff=state))])
    stays, first = await people.make_all("An", "Bo")
    second = await people.make(name="Ca", owner_id=str(colleague))
    merge = await people.merge(stays, first, second)
    scopes = ("customers:read", "customers:write")
    async with service.client(
        shop, *scopes, kind=PrincipalKind.STAFF, actor_id=str(caller), visibility=Visibility.OWN
    ) as limited:
        body = {"customer_ids": [first["id"]]}
        refused = await limited.post(f"/v1/merges/{merge['id']}/undo", json=body)
    assert (refused.status_code, refused.json()["code"]) == (404, "merge_not_found")


async def test_all_are_taken_out_at_once_by_as_many_callers(client, people):
    stays, *others = await people.make_all("An", "Bo", "Ca", "Du", "Em")
    merge = await people.merge(stays, *others)
    await asyncio.gather(*(people.take_out(merge, other) for other in others))
    assert (await ledger(client, merge))["status"] == "undone"
    for customer in (stays, *others):
        assert facts(await people.read(customer)) == facts(customer)


async def test_orders_that_come_while_one_is_taken_out_are_all_counted(people):
    stays, first, second = await people.make_all("An", "Bo", "Ca")
    merge = await people.merge(stays, first, second)
    buying = [people.buy(customer, 10) for customer in (stays, first, second) for _ in range(4)]
    await asyncio.gather(*buying[:6], people.take_out(merge, first), *buying[6:])
    one, other = await people.read(stays), await people.read(first)
    assert (one["orders_count"], other["orders_count"]) == (8, 4)
