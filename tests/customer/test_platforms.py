"""Customers and orders that platforms delivered: who they belong to, and what becomes of them."""

import asyncio
import random
import unicodedata
from datetime import UTC, date, datetime

import pytest

from shared.contracts.gateway import (
    PlatformAddress,
    PlatformDiscountCode,
    PlatformFulfillment,
    PlatformIdentity,
    PlatformPartLine,
    PlatformPayment,
    PlatformRefund,
    PlatformReturn,
)
from tests.customer.told import DAY, later, line, platform_customer, platform_order


@pytest.fixture
def deliver(service, shop):
    """Hands over deliveries as one batch of the gateway's stream."""

    async def delivered(*events):
        await service.receive(shop, "gateway", events)

    return delivered


@pytest.fixture
def customers(client):
    """All customers, oldest first."""

    async def read(**params):
        answer = await client.get("/v1/customers", params=params)
        return answer.json()["data"][::-1]

    return read


@pytest.fixture
def orders_of(client):
    async def read(customer):
        answer = await client.get(f"/v1/customers/{customer['id']}/orders")
        return answer.json()["data"]

    return read


@pytest.fixture
def duplicates(client):
    async def read():
        return (await client.get("/v1/duplicates")).json()["data"]

    return read


def somebody(external_id="1", **said):
    return PlatformIdentity(external_id=external_id, **said)


async def test_a_customer_and_their_order_are_known_once(deliver, customers, orders_of, client):
    await deliver(
        platform_customer(
            "207119551", name="Bob Norman", email="Bob@Example.com", phone="0912345678"
        ),
        platform_order("8209", buyer=somebody("207119551", email="bob@example.com")),
    )
    [bob] = await customers()
    assert (bob["name"], bob["email"], bob["phone"]) == (
        "Bob Norman",
        "bob@example.com",
        "+84912345678",
    )
    assert (bob["source"], bob["stage"], bob["orders_count"]) == ("shopify", "customer", 1)
    assert bob["total_spent"] == {"amount": "398000", "currency": "VND"}
    [order] = await orders_of(bob)
    read = (await client.get(f"/v1/orders/{order['id']}")).json()
    assert read["lines"][0]["title"] == "Áo dài lụa"
    answer = await client.get(f"/v1/customers/{bob['id']}/identities")
    assert [(i["kind"], i["standing"]) for i in answer.json()["data"]] == [
        ("platform_id", "verified"),
        ("email", "claimed"),
        ("phone", "claimed"),
    ]


async def test_an_order_that_comes_before_its_customer_leads_to_one_customer(deliver, customers):
    await deliver(platform_order(buyer=somebody("7", name="Lan")))
    await deliver(platform_customer("7", name="Nguyễn Thị Lan"))
    [lan] = await customers()
    assert lan["name"] == "Nguyễn Thị Lan"
    assert lan["orders_count"] == 1


async def test_the_same_delivery_again_has_no_effect(deliver, customers, orders_of):
    order = platform_order(buyer=somebody("7", name="Lan"))
    await deliver(order)
    before = await customers()
    await deliver(order)
    assert await customers() == before
    assert len(await orders_of(before[0])) == 1


async def test_a_verified_address_joins_two_platforms(deliver, customers, duplicates, orders_of):
    await deliver(platform_customer("7", name="Lan", email="lan@example.com", email_verified=True))
    buyer = somebody("12", email="LAN@example.com", email_verified=True)
    await deliver(platform_order("1", source="woocommerce", buyer=buyer))
    [lan] = await customers()
    assert [o["source"] for o in await orders_of(lan)] == ["woocommerce"]
    assert await duplicates() == []


@pytest.mark.capability(16)
async def test_a_claimed_address_makes_a_duplicate_candidate(deliver, customers, duplicates):
    await deliver(platform_customer("7", email="lan@example.com", email_verified=True))
    await deliver(
        platform_order("1", source="woocommerce", buyer=somebody(None, email="lan@example.com"))
    )
    lan, guest = await customers()
    assert guest["email"] == "lan@example.com"
    [pair] = await duplicates()
    assert (pair["older_id"], pair["newer_id"]) == (lan["id"], guest["id"])
    assert pair["score"] == 60
    assert pair["reasons"] == ["same_email_claimed"]


async def test_two_claims_weigh_more_than_one(deliver, duplicates):
    said = {"email": "lan@example.com", "phone": "0912345678"}
    await deliver(platform_customer("7", **said), platform_customer("8", **said))
    [pair] = await duplicates()
    assert pair["reasons"] == ["same_email_claimed", "same_phone_claimed"]
    assert pair["score"] == 80


async def test_a_platform_id_wins_over_an_address_of_somebody_else(deliver, customers, duplicates):
    await deliver(platform_customer("7", email="lan@example.com", email_verified=True))
    await deliver(platform_customer("8", name="Mai"))
    await deliver(
        platform_customer(
            "8", email="lan@example.com", email_verified=True, changed_at=later(hours=1)
        )
    )
    lan, mai = await customers()
    assert (lan["email"], mai["email"]) == ("lan@example.com", "lan@example.com")
    [pair] = await duplicates()
    assert {pair["older_id"], pair["newer_id"]} == {lan["id"], mai["id"]}


async def test_shops_of_one_platform_number_their_customers_alike(
    service, shop, customers, deliver
):
    await deliver(
        platform_customer("1", source="shopify", name="A"),
        platform_customer("1", source="woocommerce", name="B"),
    )
    assert [c["name"] for c in await customers()] == ["A", "B"]


async def test_news_from_ahead_does_not_keep_later_news_out(deliver, customers, orders_of):
    buyer = somebody("7", name="Lan")
    ahead = datetime(2100, 1, 1, tzinfo=UTC)
    await deliver(platform_order(buyer=buyer, placed_at=ahead, changed_at=ahead))
    [customer] = await customers()
    [order] = await orders_of(customer)
    assert datetime.fromisoformat(order["placed_at"]) == ahead
    assert datetime.fromisoformat(order["changed_at"]) <= datetime.now(UTC)
    await deliver(platform_order(buyer=buyer, total_minor=5, changed_at=datetime.now(UTC)))
    [order] = await orders_of(customer)
    assert (order["total"]["amount"], order["version"]) == ("5", 2)


async def test_a_refund_told_again_without_its_date_keeps_the_one_it_has(
    deliver, customers, orders_of, client
):
    refund = PlatformRefund(external_id="R", amount_minor=5)
    for hours in (1, 2):
        told = platform_order(
            buyer=somebody("7", name="Lan"), refunds=(refund,), changed_at=later(hours=hours)
        )
        await deliver(told)
    [customer] = await customers()
    [order] = await orders_of(customer)
    read = (await client.get(f"/v1/orders/{order['id']}")).json()
    assert datetime.fromisoformat(read["refunds"][0]["refunded_at"]) == later(hours=1)
    assert read["version"] == 1


async def test_a_guest_is_known_by_the_order(deliver, customers, orders_of):
    guest = somebody(None, name="Khách", phone="0912345678")
    await deliver(platform_order("1", buyer=guest, financial_status="pending"))
    await deliver(
        platform_order("1", buyer=guest, financial_status="paid", changed_at=later(hours=1))
    )
    [customer] = await customers()
    assert customer["phone"] == "+84912345678"
    [order] = await orders_of(customer)
    assert order["financial_status"] == "paid"
    assert order["version"] == 2


@pytest.mark.parametrize("buyer", [None, PlatformIdentity(), somebody("0"), somebody("")])
async def test_an_order_of_nobody_is_kept_with_a_customer_of_its_own(
    deliver, customers, orders_of, buyer
):
    await deliver(platform_order("1", buyer=buyer), platform_order("2", buyer=buyer))
    found = await customers()
    assert len(found) == 2
    assert [len(await orders_of(customer)) for customer in found] == [1, 1]
    assert all(customer["name"] is None for customer in found)


async def test_an_order_follows_its_buyer_once_the_platform_names_them(
    deliver, customers, duplicates
):
    await deliver(platform_order("1", buyer=somebody(None, email="lan@example.com")))
    buyer = somebody("7", email="lan@example.com")
    await deliver(platform_order("1", buyer=buyer, changed_at=later(hours=1)))
    guest, lan = await customers()
    assert (guest["orders_count"], lan["orders_count"]) == (0, 1)
    assert (guest["total_spent"]["amount"], lan["total_spent"]["amount"]) == ("0", "398000")
    assert len(await duplicates()) == 1


async def test_the_address_that_a_platform_fills_in_for_guests_identifies_nobody(
    deliver, customers, duplicates
):
    placeholder = somebody(None, email="guest@haravan.com")
    await deliver(platform_order("1", buyer=placeholder), platform_order("2", buyer=placeholder))
    assert [customer["email"] for customer in await customers()] == [None, None]
    assert await duplicates() == []


async def test_junk_in_a_delivery_never_loses_it(deliver, customers):
    await deliver(
        platform_customer(
            "1",
            name=unicodedata.normalize("NFD", "Đặng\x00 Thị  Hương\n"),
            email="not an address",
            phone="không có",
            tags=("VIP\x00", "", "VIP", "x" * 500),
        )
    )
    [customer] = await customers()
    assert customer["name"] == unicodedata.normalize("NFC", "Đặng Thị Hương")
    assert (customer["email"], customer["phone"]) == (None, None)
    assert customer["tags"] == ["VIP", "x" * 64]
    assert [c["id"] for c in await customers(q="dang thi huong")] == [customer["id"]]


async def test_a_delivery_about_nobody_recognisable_is_passed_over(deliver, customers):
    await deliver(platform_customer(None, name="Ai đó"))
    assert await customers() == []


async def test_what_was_said_last_counts_whatever_comes_last(deliver, customers):
    await deliver(platform_customer("1", name="Mới", changed_at=later(hours=2)))
    await deliver(platform_customer("1", name="Cũ", city="Huế", changed_at=later(hours=1)))
    [customer] = await customers()
    assert (customer["name"], customer["city"]) == ("Mới", None)


async def test_an_order_only_fills_what_is_missing_in_its_buyers_profile(deliver, customers):
    await deliver(platform_customer("1", name="Nguyễn Thị Lan"))
    gift = somebody("1", name="Người nhận quà", city="Huế")
    await deliver(platform_order(buyer=gift, changed_at=later(hours=1)))
    [lan] = await customers()
    assert (lan["name"], lan["city"]) == ("Nguyễn Thị Lan", "Huế")


async def test_an_older_state_of_an_order_changes_nothing(deliver, customers):
    buyer = somebody("1")
    await deliver(
        platform_order("1", buyer=buyer, financial_status="refunded", changed_at=later(hours=2)),
        platform_order("1", buyer=buyer, financial_status="paid", changed_at=later(hours=1)),
    )
    [customer] = await customers()
    assert customer["total_spent"]["amount"] == "0"


async def test_several_states_of_one_order_in_one_batch_leave_the_newest(
    deliver, customers, orders_of, service, shop
):
    states = ["pending", "paid", "partially_refunded"]
    await deliver(
        *(
            platform_order(
                "1",
                buyer=somebody("1"),
                financial_status=status,
                refunded_minor=98_000 * (status == "partially_refunded"),
                changed_at=later(hours=hour),
            )
            for hour, status in enumerate(states)
        )
    )
    [customer] = await customers()
    assert customer["total_spent"]["amount"] == "300000"
    [order] = await orders_of(customer)
    assert order["financial_status"] == "partially_refunded"
    told = await service.told(shop, "customer.order_placed", "customer.order_updated")
    assert [event["order"]["version"] for event in told] == [1]


async def test_a_deleted_order_counts_no_more(deliver, customers, orders_of, service, shop):
    buyer = somebody("1")
    await deliver(platform_order("1", buyer=buyer), platform_order("2", buyer=buyer))
    await deliver(platform_order("1", deleted=True))
    [customer] = await customers()
    assert customer["orders_count"] == 1
    deleted = [o for o in await orders_of(customer) if o["external_id"] == "1"]
    assert deleted[0]["deleted_at"] is not None
    told = await service.told(shop, "customer.order_updated")
    assert told[-1]["order"]["status"] == "cancelled"


async def test_an_unknown_order_that_is_deleted_is_nothing(deliver, customers):
    await deliver(platform_order("1", deleted=True))
    assert await customers() == []


async def test_a_customer_deleted_on_the_platform_stays_and_their_timeline_tells(
    deliver, customers, client
):
    await deliver(platform_customer("1", name="Lan"))
    await deliver(platform_customer("1", deleted=True), platform_customer("999", deleted=True))
    [lan] = await customers()
    answer = await client.get(f"/v1/customers/{lan['id']}/timeline")
    assert "customer.deleted_at_source" in [entry["type"] for entry in answer.json()["data"]]


async def test_tags_of_platforms_are_added_to_the_shops_own(deliver, customers, client):
    await deliver(platform_customer("1", tags=("online",)))
    [customer] = await customers()
    await client.patch(f"/v1/customers/{customer['id']}", json={"tags": ["online", "VIP"]})
    await deliver(platform_customer("1", tags=("online", "mới"), changed_at=later(hours=1)))
    assert [c["tags"] for c in await customers(tag="mới")] == [["online", "VIP", "mới"]]


async def test_consent_is_recorded_with_its_proof_and_only_when_it_changes(
    deliver, customers, client
):
    granted = platform_customer("1", email="lan@example.com", email_marketing="granted")
    await deliver(granted)
    await deliver(
        platform_customer(
            "1", email_marketing="granted", sms_marketing="withdrawn", changed_at=later(hours=1)
        )
    )
    [lan] = await customers()
    current = {(c["channel"], c["status"]) for c in lan["consents"]}
    assert current == {("email", "granted"), ("sms", "withdrawn")}
    ledger = (await client.get(f"/v1/customers/{lan['id']}/consents")).json()["data"]
    assert len(ledger) == 2
    proof = ledger[1]["proof"]
    assert proof["topic"] == "customers/create"
    assert proof["delivery_id"] == str(granted[1].origin.delivery_id)


async def test_a_batch_of_five_hundred_orders(deliver, customers, service, shop, client):
    events = [
        platform_order(str(n), buyer=somebody(f"c{n % 50}", name=f"Khách {n % 50}"))
        for n in range(500)
    ]
    await deliver(*events)
    counts = (await client.get("/v1/care-loop-counts")).json()
    assert (counts["customers"], counts["orders"], counts["orders_from_platforms"]) == (
        50,
        500,
        500,
    )
    assert {customer["orders_count"] for customer in await customers(limit=200)} == {10}


async def test_an_order_of_five_hundred_lines(deliver, customers, orders_of, client):
    lines = tuple(line(f"Món {n}", quantity=1, total_minor=n) for n in range(500))
    await deliver(platform_order(buyer=somebody("1"), lines=lines))
    [customer] = await customers()
    [order] = await orders_of(customer)
    read = (await client.get(f"/v1/orders/{order['id']}")).json()
    assert [one["title"] for one in read["lines"]] == [f"Món {n}" for n in range(500)]


async def test_a_person_who_arrives_twice_at_once_is_one_customer(
    deliver, client, service, shop, customers
):
    """From the platform's stream and from a client of the API, both in flight."""
    scope = "shopify:0199d6a2-b1c9-7e4f-9b1f-000000000001"
    for n in range(5):
        await asyncio.gather(
            deliver(platform_customer(str(n), name="Từ nền tảng")),
            client.put(f"/v1/customers/by-external-id/{scope}/{n}", json={"name": "Từ API"}),
        )
    assert len(await customers()) == 5


async def test_shops_do_not_share_people(service, open_shop):
    buyer = somebody("1", email="lan@example.com", email_verified=True)
    for _ in range(2):
        tenant = await open_shop()
        await service.receive(tenant, "gateway", [platform_order("1", buyer=buyer)])
        async with service.client(tenant, "customers:read", "duplicates:read") as client:
            [customer] = (await client.get("/v1/customers")).json()["data"]
            assert customer["orders_count"] == 1
            assert (await client.get("/v1/duplicates")).json()["data"] == []


async def test_placed_long_ago_is_told_as_of_then(deliver, customers):
    await deliver(platform_order(buyer=somebody("1"), placed_at=DAY, changed_at=DAY))
    [customer] = await customers()
    assert customer["first_order_at"] == "2026-03-01T03:00:00Z"


@pytest.mark.parametrize("seed", range(5))
async def test_in_whatever_order_and_however_often_it_comes_the_end_is_the_same(
    service, open_shop, seed
):
    """Deliveries are late, repeated and reordered; the newest state of each order counts."""
    chance = random.Random(seed)
    statuses = ["pending", "paid", "partially_refunded", "refunded", "voided"]
    states = [
        {
            "external_id": f"o{chance.randrange(4)}",
            "financial_status": chance.choice(statuses),
            "status": chance.choice(["open", "completed", "cancelled"]),
            "total_minor": 100_000,
            "refunded_minor": chance.randrange(0, 100_000, 10_000),
            "changed_at": later(minutes=minute),
        }
        for minute in range(12)
    ]
    newest = {state["external_id"]: state for state in states}
    counted = [
        state
        for state in newest.values()
        if state["status"] != "cancelled" and state["financial_status"] != "voided"
    ]
    spent = sum(
        state["total_minor"] - state["refunded_minor"]
        for state in counted
        if state["financial_status"] in {"paid", "partially_refunded"}
    )
    deliveries = [platform_order(buyer=somebody("c1"), **state) for state in states]
    deliveries += chance.choices(deliveries, k=6)
    chance.shuffle(deliveries)
    tenant = await open_shop()
    while deliveries:
        size = chance.randrange(1, 6)
        await service.receive(tenant, "gateway", deliveries[:size])
        del deliveries[:size]
    async with service.client(tenant, "customers:read") as client:
        [customer] = (await client.get("/v1/customers")).json()["data"]
    figures = (customer["orders_count"], int(customer["total_spent"]["amount"]))
    assert figures == (len(counted), spent)


async def test_all_that_a_platform_tells_of_an_order_is_kept(deliver, client):
    place = {"name": "Trần Thị Mai", "street": "12 Lê Lợi", "province": "TP. Hồ Chí Minh"}
    buyer = PlatformIdentity(
        external_id="7",
        name="Trần Thị Mai",
        gender="female",
        birth_date=date(1990, 2, 28),
        company="Hoa Mai",
        note="Gọi trước 9 giờ",
    )
    goods = PlatformPartLine(line_id="L1", quantity=1)
    parts = {
        "payments": (
            PlatformPayment(external_id="p", status="paid", amount_minor=398_000, paid_at=DAY),
        ),
        "refunds": (PlatformRefund(external_id="r", amount_minor=98_000, lines=(goods,)),),
        "returns": (PlatformReturn(external_id="t", status="received", lines=(goods,)),),
        "fulfillments": (
            PlatformFulfillment(external_id="f", status="delivered", carrier="GHN", shipped_at=DAY),
        ),
    }
    await deliver(
        platform_order(
            buyer=buyer,
            store="Q1",
            staff="NV1",
            note="Gói quà",
            tags=("tết",),
            discount_codes=(PlatformDiscountCode(code="TET", amount_minor=5_000),),
            billing_address=PlatformAddress(**place),
            shipping_address=PlatformAddress(**place),
            landing_page="/tet?utm_source=zalo",
            **parts,
        )
    )
    (known,) = (await client.get("/v1/customers")).json()["data"]
    assert (known["gender"], known["birth_date"]) == ("female", "1990-02-28")
    assert known["attributes"] == {"company": "Hoa Mai", "note": "Gọi trước 9 giờ"}
    listed = (await client.get(f"/v1/customers/{known['id']}/orders")).json()["data"]
    order = (await client.get(f"/v1/orders/{listed[0]['id']}")).json()
    assert (order["store"], order["staff"], order["note"], order["tags"]) == (
        "Q1",
        "NV1",
        "Gói quà",
        ["tết"],
    )
    assert order["shipping_address"] | place == order["shipping_address"]
    assert order["discount_codes"][0]["amount"]["amount"] == "5000"
    assert order["landing_page"] == "/tet?utm_source=zalo"
    assert {name: [part["external_id"] for part in order[name]] for name in parts} == {
        "payments": ["p"],
        "refunds": ["r"],
        "returns": ["t"],
        "fulfillments": ["f"],
    }
    assert (order["financial_status"], order["returns_count"]) == ("partially_refunded", 1)
    assert known["total_spent"]["amount"] == "300000"


async def test_the_same_delivery_again_changes_nothing_of_an_order(deliver, client, service, shop):
    payment = PlatformPayment(external_id="p", status="paid", amount_minor=398_000)
    buyer = PlatformIdentity(external_id="7", name="Mai")
    for _ in range(2):
        await deliver(platform_order(buyer=buyer, payments=(payment,), financial_status="pending"))
    assert len(await service.told(shop, "customer.order_placed")) == 1
    assert await service.told(shop, "customer.order_updated") == []
    assert len(await service.told(shop, "customer.order_paid")) == 1
