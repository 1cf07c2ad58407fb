"""Addresses of customers, over the API."""

import asyncio

import pytest

from services.customer.addresses.service import MOST_ADDRESSES
from shared.ids import new_id

OLD_STYLE = "12 Lê Lợi, P. Bến Nghé, Q.1, TP.HCM"


@pytest.fixture
async def lan(client):
    made = await client.post("/v1/customers", json={"name": "Lan"})
    return f"/v1/customers/{made.json()['id']}"


async def _added(client, lan, **fields):
    answer = await client.post(f"{lan}/addresses", json=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.capability(30)
async def test_an_old_address_is_read_and_known_by_its_units_of_then_and_now(client, lan):
    made = await _added(client, lan, full_address=OLD_STYLE)

    assert made["full_address"] == OLD_STYLE
    assert (made["street"], made["ward"], made["district"]) == ("12 Lê Lợi", "P. Bến Nghé", "Q.1")
    assert made["vn63"] == {
        "province": {"code": "79", "name": "Thành phố Hồ Chí Minh"},
        "district": {"code": "760", "name": "Quận 1"},
        "ward": {"code": "26740", "name": "Phường Bến Nghé"},
    }
    assert made["vn34"] == {
        "province": {"code": "79", "name": "Thành phố Hồ Chí Minh"},
        "ward": {"code": "26740", "name": "Phường Sài Gòn"},
        "ward_is_certain": True,
    }
    listed = (await client.get(f"{lan}/addresses")).json()["data"]
    assert listed == [made]
    assert (await client.get(f"{lan}/addresses/{made['id']}")).json() == made


async def test_parts_go_before_what_is_read_and_other_countries_stay_plain(client, lan):
    made = await _added(client, lan, full_address=OLD_STYLE, street="14 Lê Lợi")
    assert (made["street"], made["ward"]) == ("14 Lê Lợi", "P. Bến Nghé")

    london = await _added(
        client, lan, street="221B Baker Street", province="London", country="GB", label="work"
    )
    assert (london["vn63"], london["vn34"]) == (None, None)
    assert london["province"] == "London"


async def test_the_first_is_primary_until_another_is_and_the_customer_tells_of_it(client, lan):
    first = await _added(client, lan, full_address=OLD_STYLE)
    second = await _added(client, lan, province="Bình Dương", label="work")
    assert (first["is_primary"], second["is_primary"]) == (True, False)
    customer = (await client.get(lan)).json()
    assert customer["province"] == "TP.HCM"
    assert customer["address"]["vn63_ward_code"] == "26740"

    await client.patch(f"{lan}/addresses/{second['id']}", json={"is_primary": True})

    listed = (await client.get(f"{lan}/addresses")).json()["data"]
    assert [(row["id"], row["is_primary"]) for row in listed] == [
        (second["id"], True),
        (first["id"], False),
    ]
    customer = (await client.get(lan)).json()
    assert customer["province"] == "Bình Dương"
    address = customer["address"]
    assert (address["vn63_province_code"], address["vn34_province_code"]) == ("74", "79")
    assert address["vn34_province"] == "Thành phố Hồ Chí Minh"


@pytest.fixture
def place(client, lan):
    """What the customer says of where they are, and whether it is said in an address."""

    async def read():
        customer = (await client.get(lan)).json()
        province = (customer["address"] or {}).get("province")
        return province, customer["province"], customer["country"]

    return read


async def test_after_the_primary_address_the_newest_other_is_it(client, lan, place):
    oldest = await _added(client, lan, full_address=OLD_STYLE)
    newer = await _added(client, lan, street="1 Baker Street", city="London", country="GB")
    gone = await _added(client, lan, full_address="5 Phố Huế, Hà Nội", is_primary=True)
    assert await place() == ("Hà Nội", "Hà Nội", "VN")

    assert (await client.delete(f"{lan}/addresses/{gone['id']}")).status_code == 204
    listed = (await client.get(f"{lan}/addresses")).json()["data"]
    assert [(row["id"], row["is_primary"]) for row in listed] == [
        (newer["id"], True),
        (oldest["id"], False),
    ]
    assert await place() == (None, None, "GB")
    await client.delete(f"{lan}/addresses/{newer['id']}")
    assert await place() == ("TP.HCM", "TP.HCM", "VN")
    await client.delete(f"{lan}/addresses/{oldest['id']}")
    assert await place() == (None, None, None)


async def test_what_several_addresses_said_alike_goes_with_the_last(client, lan, place):
    made = [await _added(client, lan, province=name) for name in ("Huế", "Cần Thơ")]
    for address in made:
        await client.patch(f"{lan}/addresses/{address['id']}", json={"is_primary": True})
    await client.delete(f"{lan}/addresses/{made[1]['id']}")
    assert await place() == ("Huế", "Huế", "VN")
    await client.delete(f"{lan}/addresses/{made[0]['id']}")
    assert await place() == (None, None, None)


async def test_what_was_said_otherwise_stays_without_the_address(client, lan, place):
    await client.patch(lan, json={"country": "VN"})
    made = await _added(client, lan, full_address="5 Phố Huế, Hà Nội")
    await client.patch(lan, json={"province": "Huế"})
    await client.delete(f"{lan}/addresses/{made['id']}")
    assert await place() == (None, "Huế", "VN")


async def test_a_new_text_is_taken_apart_anew_and_a_stale_change_is_refused(client, lan):
    made = await _added(client, lan, full_address=OLD_STYLE)
    path = f"{lan}/addresses/{made['id']}"

    after = await client.patch(
        path, json={"full_address": "5 Phố Huế, Hai Bà Trưng, Hà Nội"}, headers={"If-Match": '"1"'}
    )
    assert after.json()["district"] == "Hai Bà Trưng"
    assert after.json()["ward"] is None
    assert after.json()["vn63"]["province"]["code"] == "01"
    assert after.headers["etag"] == '"2"'
    stale = await client.patch(path, json={"label": "work"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412


async def test_what_is_nowhere_or_too_much_is_refused(client, lan):
    empty = await client.post(f"{lan}/addresses", json={"label": "home"})
    assert empty.status_code == 422
    assert empty.json()["errors"][0]["code"] == "empty_address"
    nobody = await client.post(f"/v1/customers/{new_id()}/addresses", json={"street": "1 Lê Lợi"})
    assert (nobody.status_code, nobody.json()["code"]) == (404, "customer_not_found")
    assert (await client.get(f"{lan}/addresses/{new_id()}")).json()["code"] == "address_not_found"

    for number in range(MOST_ADDRESSES):
        await _added(client, lan, street=f"{number} Lê Lợi")
    full = await client.post(f"{lan}/addresses", json={"street": "1 Lê Lợi"})
    assert (full.status_code, full.json()["code"]) == (409, "too_many_addresses")


async def test_many_at_once_leave_one_primary_address(client, lan):
    made = await asyncio.gather(
        *(_added(client, lan, street=f"{n} Lê Lợi", is_primary=True) for n in range(8))
    )

    listed = (await client.get(f"{lan}/addresses")).json()["data"]
    assert {row["id"] for row in listed} == {row["id"] for row in made}
    assert [row["is_primary"] for row in listed] == [True] + [False] * 7


async def test_another_customers_address_is_not_there(client, lan):
    made = await _added(client, lan, street="1 Lê Lợi")
    other = await client.post("/v1/customers", json={"name": "Mai"})
    path = f"/v1/customers/{other.json()['id']}/addresses/{made['id']}"

    for answer in (
        await client.get(path),
        await client.patch(path, json={"label": "work"}),
        await client.delete(path),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "address_not_found")


async def test_of_a_merged_person_one_address_is_the_primary_one_until_they_part(client, lan):
    lan = lan.rpartition("/")[2]
    mai = (await client.post("/v1/customers", json={"name": "Mai"})).json()["id"]
    third = (await client.post("/v1/customers", json={"name": "Ba"})).json()["id"]
    made = {}
    for who, province in ((mai, "Huế"), (third, "Cần Thơ"), (lan, "Hà Nội")):
        answer = await client.post(f"/v1/customers/{who}/addresses", json={"province": province})
        made[who] = answer.json()["id"]

    async def primary(who):
        found = (await client.get(f"/v1/customers/{who}/addresses")).json()["data"]
        shown = [one["id"] for one in found if one["is_primary"]]
        assert [one["id"] for one in found][: len(shown)] == shown, "the primary one comes first"
        for one in found:
            read = (await client.get(f"/v1/customers/{who}/addresses/{one['id']}")).json()
            assert read == one
        return shown

    merges = f"/v1/customers/{lan}/merges"
    body = {"customer_ids": [mai, third], "fields": {"address": third}}
    merged = await client.post(merges, json=body)
    assert merged.status_code == 201, merged.text
    told = (await client.get(f"/v1/customers/{lan}")).json()["address"]
    shown = await primary(lan)
    read = (await client.get(f"/v1/customers/{lan}/addresses/{shown[0]}")).json()
    assert len(shown) == 1
    assert read["province"] == told["province"], "where the customer is said to be first of all"
    path = f"/v1/customers/{lan}/addresses/{made[mai]}"
    changed = (await client.patch(path, json={"street": "12 Lê Lợi"})).json()
    assert changed["is_primary"] is False
    undone = await client.post(f"/v1/merges/{merged.json()['id']}/undo")
    assert undone.status_code == 200
    for who in (lan, mai, third):
        assert await primary(who) == [made[who]]


@pytest.fixture
async def both(client, lan):
    """Lan, who has no address, with whom somebody was merged who lives in Huế: their paths."""
    mai = (await client.post("/v1/customers", json={"name": "Mai"})).json()["id"]
    answer = await client.post(f"/v1/customers/{mai}/addresses", json={"province": "Huế"})
    merged = await client.post(f"{lan}/merges", json={"customer_ids": [mai]})
    assert merged.status_code == 201, merged.text
    address = f"{lan}/addresses/{answer.json()['id']}"
    return address, f"/v1/customers/{mai}", f"/v1/merges/{merged.json()['id']}/undo"


async def _moved(client, address, lan, mai):
    """Send them elsewhere; what they tell of it from then on."""
    answer = await client.patch(address, json={"full_address": OLD_STYLE})
    assert answer.json()["is_primary"] is True
    return "TP.HCM"


async def _forgotten(client, address, lan, mai):
    assert (await client.delete(address)).status_code == 204


async def _nowhere_first(client, address, lan, mai):
    assert (await client.patch(address, json={"is_primary": False})).status_code == 200


async def _elsewhere_too(client, address, lan, mai):
    await _added(client, mai, full_address=OLD_STYLE, is_primary=True)
    return "TP.HCM"


@pytest.mark.parametrize("change", [_moved, _forgotten, _nowhere_first, _elsewhere_too])
async def test_a_person_is_where_the_address_of_their_other_record_says(client, lan, both, change):
    address, mai, undo = both
    province = await change(client, address, lan, mai)
    told = (await client.get(lan)).json()
    assert told["province"] == province
    assert (told["address"] or {}).get("province") == province
    planned = (await client.post(undo, params={"dry_run": True})).json()
    undone = (await client.post(undo)).json()
    for name in ("address", "province"):
        assert planned["customer"][name] == undone["customer"][name]
    assert planned["undecided"] == undone["undecided"]
    assert all(each["value"] is None for each in undone["undecided"]["fields"])
    for who, is_at in ((lan, None), (mai, province)):
        told = (await client.get(who)).json()
        assert (told["province"], (told["address"] or {}).get("province")) == (is_at, is_at)


async def test_who_loses_their_own_address_is_where_their_other_record_is(client, lan, both):
    own = await _added(client, lan, full_address=OLD_STYLE, is_primary=True)
    assert (await client.get(lan)).json()["province"] == "TP.HCM"
    assert (await client.delete(f"{lan}/addresses/{own['id']}")).status_code == 204
    assert (await client.get(lan)).json()["address"]["province"] == "Huế"


async def test_any_record_may_have_the_primary_address_of_a_person(client, lan, both):
    theirs, _, undo = both
    own = await _added(client, lan, full_address=OLD_STYLE, is_primary=True)
    for address, province in ((theirs, "Huế"), (f"{lan}/addresses/{own['id']}", "TP.HCM")) * 2:
        assert (await client.patch(address, json={"is_primary": True})).json()["is_primary"] is True
        listed = (await client.get(f"{lan}/addresses")).json()["data"]
        assert [each["province"] for each in listed if each["is_primary"]] == [province]
        assert (await client.get(lan)).json()["address"]["province"] == province
    await client.patch(theirs, json={"is_primary": True})
    await client.post(undo)
    assert (await client.get(lan)).json()["address"]["province"] == "TP.HCM"


async def test_what_a_merged_record_gets_it_has_when_they_part(client, lan):
    mai = (await client.post("/v1/customers", json={"name": "Mai"})).json()["id"]
    own = await _added(client, lan, province="Huế")
    merged = await client.post(f"{lan}/merges", json={"customer_ids": [mai]})
    await _added(client, f"/v1/customers/{mai}", full_address=OLD_STYLE)
    assert (await client.get(lan)).json()["address"]["province"] == "Huế"
    await client.post(f"/v1/merges/{merged.json()['id']}/undo")
    told = (await client.get(f"/v1/customers/{mai}")).json()
    assert (told["province"], told["address"]["province"]) == ("TP.HCM", "TP.HCM")
    assert (await client.get(lan)).json()["address"]["province"] == own["province"]
