"""Addresses that platforms tell of, as customers have them."""

import pytest

from shared.contracts.gateway import PlatformAddress, PlatformIdentity
from shared.ids import new_id
from shared.security.principal import PrincipalKind
from tests.customer.told import SHOPIFY, later, platform_customer, platform_order

HOME = PlatformAddress(
    external_id="60",
    name="Nguyễn Thị Lan",
    phone="0912 345 678",
    company="Hoa Sen",
    street="12 Lê Lợi",
    ward="P. Bến Nghé",
    district="Q.1",
    city="Hồ Chí Minh",
    province="TP.HCM",
    country="VN",
    is_default=True,
)
WORK = PlatformAddress(external_id="61", street="5 Trần Phú", city="Nha Trang", country="VN")
AUSTIN = PlatformAddress(
    street="555 East Street",
    city="Austin",
    province="Texas",
    postal_code="78108",
    country="US",
    name="Jane Doe",
)


@pytest.fixture
def deliver(service, shop):
    async def delivered(*events):
        await service.receive(shop, "gateway", events)

    return delivered


@pytest.fixture
def addresses(client):
    """The only customer's addresses."""

    async def read():
        [customer] = (await client.get("/v1/customers")).json()["data"]
        answer = await client.get(f"/v1/customers/{customer['id']}/addresses")
        return answer.json()["data"]

    return read


@pytest.fixture
async def staff(service, shop):
    """Somebody who corrects addresses by hand."""
    scopes, who = ("customers:read", "customers:write"), str(new_id())
    async with service.client(shop, *scopes, kind=PrincipalKind.STAFF, actor_id=who) as client:
        yield client


@pytest.fixture
def only(client):
    async def read():
        [customer] = (await client.get("/v1/customers")).json()["data"]
        return (await client.get(f"/v1/customers/{customer['id']}")).json()

    return read


def lan(*told, at=None, **said):
    return platform_customer(
        "7", name="Lan", addresses=told, **({"changed_at": at} if at else {}), **said
    )


@pytest.mark.capability(30)
async def test_a_customers_addresses_are_kept_whole_and_found_in_both_schemes(
    deliver, addresses, only
):
    await deliver(lan(HOME, WORK))
    home, work = await addresses()
    assert home["full_address"] == "12 Lê Lợi, P. Bến Nghé, Q.1, TP.HCM"
    assert (home["street"], home["ward"], home["district"], home["province"]) == (
        "12 Lê Lợi",
        "P. Bến Nghé",
        "Q.1",
        "TP.HCM",
    )
    assert home["vn63"]["ward"] == {"code": "26740", "name": "Phường Bến Nghé"}
    assert home["vn34"]["ward"] == {"code": "26740", "name": "Phường Sài Gòn"}
    assert (home["recipient_name"], home["recipient_phone"], home["company"]) == (
        "Nguyễn Thị Lan",
        "0912 345 678",
        "Hoa Sen",
    )
    assert (home["is_primary"], home["source"]) == (True, f"shopify:{SHOPIFY}")
    assert (work["full_address"], work["is_primary"]) == ("5 Trần Phú, Nha Trang", False)
    primary = (await only())["address"]
    assert (primary["vn34_ward_code"], primary["district"]) == ("26740", "Q.1")


async def test_another_country_stays_plain(deliver, addresses, only):
    await deliver(lan(AUSTIN.model_copy(update={"external_id": "9"})))
    [austin] = await addresses()
    assert austin["full_address"] == "555 East Street, Austin, Texas, 78108, US"
    assert [austin[n] for n in ("street", "city", "province", "postal_code", "country")] == [
        "555 East Street",
        "Austin",
        "Texas",
        "78108",
        "US",
    ]
    assert (austin["vn63"], austin["vn34"]) == (None, None)
    assert (await only())["address"]["city"] == "Austin"


async def test_what_is_told_again_is_the_same_and_what_changed_is_changed(deliver, addresses):
    await deliver(lan(HOME, WORK), lan(HOME, WORK))
    before = await addresses()
    await deliver(lan(HOME, WORK, at=later(hours=1)))
    assert await addresses() == before
    moved = HOME.model_copy(update={"street": "14 Lê Lợi"})
    await deliver(lan(moved, WORK, at=later(hours=2)))
    home, work = await addresses()
    assert (home["id"], home["street"], home["version"]) == (before[0]["id"], "14 Lê Lợi", 2)
    assert work == before[1]
    await deliver(lan(HOME, WORK, at=later(hours=1)))  # a late one
    assert (await addresses())[0]["street"] == "14 Lê Lợi"


async def test_another_default_becomes_the_primary_one(deliver, addresses, only):
    await deliver(lan(HOME, WORK))
    first = HOME.model_copy(update={"is_default": False})
    second = WORK.model_copy(update={"is_default": True})
    await deliver(lan(first, second, at=later(hours=1)))
    assert [(a["street"], a["is_primary"]) for a in await addresses()] == [
        ("5 Trần Phú", True),
        ("12 Lê Lợi", False),
    ]
    assert (await only())["address"]["street"] == "5 Trần Phú"


async def test_an_orders_places_are_added_once(deliver, addresses):
    buyer = PlatformIdentity(external_id="7", name="Lan")
    shipping = HOME.model_copy(update={"external_id": None, "ward": "Phường Bến Nghé"})
    for number in ("1", "2"):
        await deliver(
            platform_order(
                number,
                buyer=buyer,
                shipping_address=shipping,
                further_shipping_addresses=(WORK,),
                billing_address=AUSTIN,
            )
        )
    found = await addresses()
    assert [(a["street"], a["label"], a["is_primary"]) for a in found] == [
        ("12 Lê Lợi", "shipping", True),
        ("555 East Street", "billing", False),
        ("5 Trần Phú", "shipping", False),
    ]
    # An account's own address of the same place has a name there, and is kept by it.
    written = platform_order("3", buyer=buyer, shipping_address=shipping, changed_at=later(hours=1))
    await deliver(written)
    assert len(await addresses()) == 3


async def test_an_order_to_a_known_place_adds_nothing(deliver, addresses):
    await deliver(lan(HOME))
    buyer = PlatformIdentity(external_id="7", addresses=(HOME,))
    otherwise = PlatformAddress(
        street="12 lê lợi", ward="Bến Nghé", district="Quận 1", province="Hồ Chí Minh", country="VN"
    )
    await deliver(platform_order(buyer=buyer, shipping_address=otherwise))
    assert len(await addresses()) == 1


async def test_a_correction_outlives_what_is_told_again(deliver, addresses, client):
    await deliver(lan(HOME))
    [home] = await addresses()
    path = f"/v1/customers/{home['customer_id']}/addresses/{home['id']}"
    fixed = await client.patch(path, json={"street": "12A Lê Lợi"})
    assert fixed.status_code == 200, fixed.text
    await deliver(lan(HOME, at=later(hours=1)))
    [kept] = await addresses()
    assert (kept["street"], kept["version"]) == ("12A Lê Lợi", 2)


async def test_staff_are_believed_before_a_platform(deliver, addresses, staff):
    await deliver(lan(HOME))
    [home] = await addresses()
    path = f"/v1/customers/{home['customer_id']}/addresses/{home['id']}"
    fixed = await staff.patch(path, json={"street": "12A Lê Lợi"})
    assert fixed.status_code == 200, fixed.text
    moved = HOME.model_copy(update={"street": "99 Nguyễn Huệ"})
    for hours in (1, 2):
        await deliver(lan(moved, at=later(days=9000, hours=hours)))
    found = await addresses()
    assert [(a["street"], a["is_primary"]) for a in found] == [
        ("12A Lê Lợi", True),
        ("99 Nguyễn Huệ", False),
    ]
    assert [a["source"] for a in found] == [None, f"shopify:{SHOPIFY}"]


async def test_a_platform_that_the_shop_believes_first_is_followed(
    deliver, addresses, client, staff
):
    order = {"sources": ["shopify", "staff"], "fields": {}}
    answer = await client.put("/v1/customers/source-priority", json=order)
    assert answer.status_code == 200, answer.text
    await deliver(lan(HOME))
    [home] = await addresses()
    path = f"/v1/customers/{home['customer_id']}/addresses/{home['id']}"
    await staff.patch(path, json={"street": "12A Lê Lợi"})
    await deliver(lan(HOME.model_copy(update={"street": "99 Nguyễn Huệ"}), at=later(days=1)))
    [home] = await addresses()
    assert home["street"] == "99 Nguyễn Huệ"


async def test_what_was_removed_here_stays_away_until_something_else_is_told(
    deliver, addresses, client
):
    await deliver(lan(HOME, WORK))
    _, work = await addresses()
    path = f"/v1/customers/{work['customer_id']}/addresses/{work['id']}"
    assert (await client.delete(path)).status_code == 204
    await deliver(lan(HOME, WORK, at=later(hours=1)))
    assert len(await addresses()) == 1
    elsewhere = WORK.model_copy(update={"street": "7 Trần Phú"})
    await deliver(lan(HOME, elsewhere, at=later(hours=2)))
    assert [a["street"] for a in await addresses()] == ["12 Lê Lợi", "7 Trần Phú"]


async def test_addresses_follow_a_merge_and_go_back_with_it(deliver, client):
    await deliver(lan(HOME))
    await deliver(platform_customer("12", source="woocommerce", name="Lan", addresses=(WORK,)))
    first, second = (await client.get("/v1/customers")).json()["data"]
    merged = await client.post(
        f"/v1/customers/{second['id']}/merges", json={"customer_ids": [first["id"]]}
    )
    assert merged.status_code == 201, merged.text
    await deliver(
        platform_customer(
            "12",
            source="woocommerce",
            changed_at=later(hours=1),
            addresses=(WORK.model_copy(update={"street": "6 Trần Phú"}),),
        )
    )
    both = (await client.get(f"/v1/customers/{second['id']}/addresses")).json()["data"]
    assert {(a["street"], a["customer_id"]) for a in both} == {
        ("12 Lê Lợi", second["id"]),
        ("6 Trần Phú", first["id"]),
    }


async def test_no_more_than_one_may_have(deliver, addresses):
    buyer = PlatformIdentity(external_id="7", name="Lan")
    await deliver(
        *(
            platform_order(
                str(number),
                buyer=buyer,
                shipping_address=AUSTIN.model_copy(update={"street": f"{number} East Street"}),
            )
            for number in range(1, 61)
        )
    )
    assert len(await addresses()) == 50
