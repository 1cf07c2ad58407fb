"""Orders over the API, and what they make of a customer."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.ids import new_id


def vnd(amount):
    return {"amount": str(amount), "currency": "VND"}


@pytest.fixture
async def customer(client):
    answer = await client.post("/v1/customers", json={"name": "Nguyễn Thị Minh Khai"})
    return answer.json()


@pytest.fixture
def order(client, customer):
    """Sends an order of the customer; the answer's body."""

    async def sent(external_id="1001", total=350_000, **fields):
        answer = await client.post(
            "/v1/orders",
            json={
                "customer_id": customer["id"],
                "external_id": external_id,
                "source": "pos",
                "financial_status": "paid",
                "total": vnd(total),
                **fields,
            },
        )
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    return sent


@pytest.fixture
def figures(client, customer):
    """Reads what the customer's orders add up to."""

    async def read():
        after = (await client.get(f"/v1/customers/{customer['id']}")).json()
        return after["orders_count"], int(after["total_spent"]["amount"]), after["value_tier"]

    return read


@pytest.mark.capability(10)
async def test_an_order_is_stored_and_updates_the_customers_figures(client, customer, order):
    line = {"title": "Áo dài lụa", "quantity": 2, "unit_price": vnd(175_000), "total": vnd(350_000)}
    sent = await order(
        lines=[line],
        number="HD-1001",
        channel="pos",
        store="Chi nhánh Lê Lợi",
        placed_at="2026-03-01T10:00:00+07:00",
    )
    read = (await client.get(f"/v1/orders/{sent['id']}")).json()
    assert read == sent
    assert read["lines"][0] | line == read["lines"][0]
    assert (read["number"], read["channel"], read["store"]) == (
        "HD-1001",
        "pos",
        "Chi nhánh Lê Lợi",
    )
    assert read["total"] == vnd(350_000)
    after = (await client.get(f"/v1/customers/{customer['id']}")).json()
    assert after["orders_count"] == 1
    assert after["total_spent"] == vnd(350_000)
    assert after["last_order_at"] == after["first_order_at"] == "2026-03-01T03:00:00Z"


@pytest.mark.capability(11)
async def test_the_same_order_sent_twice_is_one_order(client, customer, order, figures):
    first = await order(placed_at="2026-03-01T03:00:00Z", changed_at="2026-03-01T03:00:00Z")
    again = await order(placed_at="2026-03-01T03:00:00Z", changed_at="2026-03-01T03:00:00Z")
    assert again == first
    assert await figures() == (1, 350_000, "standard")
    listed = await client.get(f"/v1/customers/{customer['id']}/orders")
    assert [o["id"] for o in listed.json()["data"]] == [first["id"]]


async def test_an_order_sent_again_without_a_date_keeps_the_one_it_has(
    client, customer, order, service, shop
):
    async def told():
        after = (await client.get(f"/v1/customers/{customer['id']}")).json()
        return after["first_order_at"], after["last_order_at"], after["version"]

    first = await order()
    known = await told()
    again = await order()
    assert (again["placed_at"], again["version"]) == (first["placed_at"], 1)
    assert await told() == known
    changed = await order(total=400_000)
    assert (changed["placed_at"], changed["version"]) == (first["placed_at"], 2)
    dated = await order(total=400_000, placed_at="2026-03-01T00:00:00Z")
    assert dated["placed_at"] == "2026-03-01T00:00:00Z"
    undated = await order(total=400_000)
    assert (undated["placed_at"], undated["version"]) == (dated["placed_at"], dated["version"])
    events = await service.told(shop, "customer.order_placed", "customer.order_updated")
    assert [event["order"]["version"] for event in events] == [1, 2, 3]


async def test_the_same_order_sent_at_once_is_one_order(order, figures):
    sent = await asyncio.gather(*(order() for _ in range(8)))
    assert len({o["id"] for o in sent}) == 1
    assert await figures() == (1, 350_000, "standard")


async def test_concurrent_orders_all_count(order, figures):
    await asyncio.gather(*(order(external_id=str(n), total=1_000) for n in range(10)))
    assert await figures() == (10, 10_000, "standard")


async def test_sources_number_their_orders_alike(order, figures):
    await order()
    await order(source="web")
    assert (await figures())[0] == 2


@pytest.mark.capability(12)
async def test_refunded_and_cancelled_orders_correct_the_totals(order, figures):
    await order("1", total=400_000)
    await order("2", total=600_000)
    assert await figures() == (2, 1_000_000, "standard")
    await order("1", total=400_000, financial_status="partially_refunded", refunded=vnd(150_000))
    assert await figures() == (2, 850_000, "standard")
    await order("1", total=400_000, financial_status="refunded", refunded=vnd(400_000))
    assert await figures() == (2, 600_000, "standard")
    await order("2", total=600_000, status="cancelled")
    assert await figures() == (1, 0, "standard")


async def test_an_unpaid_order_counts_but_is_not_spent(order, figures):
    await order(financial_status="pending")
    assert await figures() == (1, 0, "standard")
    await order(financial_status="voided")
    assert await figures() == (0, 0, "standard")


async def test_news_older_than_what_is_known_changes_nothing(client, order):
    await order(changed_at="2026-03-02T00:00:00Z", total=500_000)
    late = await order(changed_at="2026-03-01T00:00:00Z", total=1)
    assert late["total"] == vnd(500_000)
    assert late["version"] == 1


async def test_what_was_said_again_since_is_not_undone_by_news_from_between(
    client, order, service, shop
):
    def at(day: int, total: int):
        return order(
            placed_at="2026-03-01T00:00:00Z", changed_at=f"2026-03-0{day}T00:00:00Z", total=total
        )

    await at(1, 100_000)
    again = await at(3, 100_000)
    assert (again["version"], again["changed_at"]) == (1, "2026-03-03T00:00:00Z")
    late = await at(2, 80_000)
    assert (late["total"], late["version"]) == (vnd(100_000), 1)
    newer = await at(4, 80_000)
    assert (newer["total"], newer["version"]) == (vnd(80_000), 2)
    told = await service.told(shop, "customer.order_placed", "customer.order_updated")
    assert [event["order"]["version"] for event in told] == [1, 2]


@pytest.mark.capability(7)
async def test_the_first_paid_order_makes_a_lead_a_customer(client, customer, order, service, shop):
    assert customer["stage"] == "lead"
    await order("1", financial_status="pending")
    path = f"/v1/customers/{customer['id']}"
    assert (await client.get(path)).json()["stage"] == "lead"
    await order("1", financial_status="paid")
    assert (await client.get(path)).json()["stage"] == "customer"
    told = await service.told(shop, "customer.updated")
    assert told[-1]["customer"]["stage"] == "customer"


async def test_spent_money_makes_the_value_tier(order, figures):
    await order("1", total=4_999_999)
    assert (await figures())[2] == "standard"
    await order("2", total=1)
    assert (await figures())[2] == "silver"
    await order("3", total=15_000_000)
    assert (await figures())[2] == "gold"
    await order("4", total=30_000_000)
    assert (await figures())[2] == "vip"


async def test_money_is_added_up_in_the_currency_of_the_first_order(client, customer, order):
    usd = {"amount": "12.50", "currency": "USD"}
    answer = await client.post(
        "/v1/orders",
        json={
            "customer_id": customer["id"],
            "external_id": "usd",
            "financial_status": "paid",
            "total": usd,
            "placed_at": "2026-01-01T00:00:00Z",
        },
    )
    assert answer.status_code == 201
    await order("vnd", placed_at="2026-02-01T00:00:00Z")
    after = (await client.get(f"/v1/customers/{customer['id']}")).json()
    assert after["orders_count"] == 2
    assert after["total_spent"] == usd


async def test_the_other_services_are_told_of_every_version(order, service, shop):
    line = {"title": "Nón lá", "quantity": 1, "unit_price": vnd(50_000), "total": vnd(50_000)}
    sent = await order(total=50_000, financial_status="pending", lines=[line])
    await order(total=50_000, financial_status="paid", lines=[line])
    told = await service.told(shop, "customer.order_placed", "customer.order_updated")
    assert [(e["type"], e["order"]["version"]) for e in told] == [
        ("customer.order_placed", 1),
        ("customer.order_updated", 2),
    ]
    state = told[1]["order"]
    assert state["order_id"] == sent["id"]
    assert state["financial_status"] == "paid"
    assert state["lines"][0]["title"] == "Nón lá"


async def test_an_order_that_turns_out_to_be_somebody_elses_leaves_nothing_behind(
    client, customer, order
):
    other = await order("1002", total=90_000)
    sent = await order(financial_status="pending")
    await order(financial_status="paid")
    friend = (await client.post("/v1/customers", json={"name": "Lê Thị Hoa"})).json()
    assert (await order(customer_id=friend["id"]))["id"] == sent["id"]

    async def told_of(person):
        answer = await client.get(
            f"/v1/customers/{person['id']}/timeline", params={"kind": "order"}
        )
        return [(entry["type"], entry["data"]["order_id"]) for entry in answer.json()["data"]]

    assert await told_of(friend) == [("order.paid", sent["id"]), ("order.placed", sent["id"])]
    assert await told_of(customer) == [("order.placed", other["id"])]


async def test_orders_page_newest_first(client, customer, order):
    for day in (3, 1, 2):
        await order(str(day), placed_at=f"2026-03-0{day}T00:00:00Z")
    path = f"/v1/customers/{customer['id']}/orders"
    first = (await client.get(path, params={"limit": 2})).json()
    rest = (await client.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [o["external_id"] for o in first["data"] + rest["data"]] == ["3", "2", "1"]


@pytest.mark.parametrize(
    "change",
    [
        {"total": {"amount": "1.5", "currency": "VND"}},
        {"total": {"amount": 1, "currency": "VND"}},
        {"total": vnd(-1)},
        {"refunded": {"amount": "1", "currency": "USD"}},
        {"placed_at": "2026-03-01T00:00:00"},
        {"financial_status": None},
    ],
)
async def test_what_no_order_can_be_is_refused(client, customer, change):
    body = {
        "customer_id": customer["id"],
        "external_id": "1",
        "financial_status": "paid",
        "total": vnd(1),
    }
    assert (await client.post("/v1/orders", json=body | change)).status_code == 422


async def test_what_lies_ahead_of_an_order_is_refused(client, customer, order):
    now = datetime.now(UTC)
    ahead = (now + timedelta(days=1, minutes=1)).isoformat()
    body = {
        "customer_id": customer["id"],
        "external_id": "1",
        "financial_status": "paid",
        "total": vnd(1),
    }
    sent = await order()
    part = {"amount": vnd(1), "changed_at": ahead}
    for path, said, pointer in (
        ("/v1/orders", {**body, "placed_at": ahead}, "/body/placed_at"),
        ("/v1/orders", {**body, "changed_at": "2100-01-01T00:00:00Z"}, "/body/changed_at"),
        ("/v1/orders", {**body, "refunds": [part]}, "/body/refunds/0/changed_at"),
        (f"/v1/orders/{sent['id']}/payments", part, "/body/changed_at"),
        (f"/v1/orders/{sent['id']}/cancel", {"cancelled_at": ahead}, "/body/cancelled_at"),
    ):
        refused = await client.post(path, json=said)
        assert (refused.status_code, refused.json()["code"]) == (422, "not_yet_happened")
        assert refused.json()["errors"][0]["pointer"] == pointer
    # A till's clock, a little ahead of ours, does not keep later news out.
    soon = (now + timedelta(hours=20)).isoformat()
    assert (await order(changed_at=soon, total=2))["total"] == vnd(2)
    assert (await order(total=3))["total"] == vnd(3)


async def test_an_order_of_nobody_is_refused(client):
    body = {
        "customer_id": str(new_id()),
        "external_id": "1",
        "financial_status": "paid",
        "total": vnd(1),
    }
    answer = await client.post("/v1/orders", json=body)
    assert answer.status_code == 404
    assert answer.json()["code"] == "customer_not_found"


@pytest.mark.capability(28)
async def test_another_shop_can_neither_read_nor_add_orders(
    client, customer, order, service, open_shop
):
    sent = await order()
    other_shop = await open_shop()
    async with service.client(other_shop, "orders:read", "orders:write") as other:
        assert (await other.get(f"/v1/orders/{sent['id']}")).status_code == 404
        assert (await other.get(f"/v1/customers/{customer['id']}/orders")).status_code == 404
        body = {
            "customer_id": customer["id"],
            "external_id": "1001",
            "source": "pos",
            "financial_status": "paid",
            "total": vnd(1),
        }
        assert (await other.post("/v1/orders", json=body)).status_code == 404
