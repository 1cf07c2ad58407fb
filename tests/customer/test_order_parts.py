"""Payments, refunds, returns and fulfillments of orders, and what they make of the order."""

import asyncio

import pytest

from services.customer.orders.parts import OrderParts, OrderPayment
from services.customer.orders.read_schemas import OrderRead, OrderSummary
from shared.clock import SystemClock
from shared.ids import new_id
from shared.web.resources import Page


def vnd(amount):
    return {"amount": str(amount), "currency": "VND"}


LINE = {
    "title": "Áo dài lụa",
    "quantity": 2,
    "unit_price": vnd(200_000),
    "total": vnd(350_000),
    "external_id": "L1",
    "product_id": "P1",
    "variant_id": "V1",
    "sku": "AO-DAI",
    "discount": vnd(50_000),
    "tax": vnd(10_000),
    "category": "Áo dài",
    "vendor": "Hoa Mai",
}
ADDRESS = {
    "name": "Trần Thị Mai",
    "phone": "0912345678",
    "street": "12 Lê Lợi",
    "ward": "Phường Bến Nghé",
    "province": "TP. Hồ Chí Minh",
    "country": "VN",
}


@pytest.fixture
async def customer(client):
    return (await client.post("/v1/customers", json={"name": "Nguyễn Thị Minh Khai"})).json()


@pytest.fixture
def order(client, customer):
    """Sends an order of the customer; the answer's body."""

    async def sent(external_id="1001", total=350_000, **fields):
        body = {
            "customer_id": customer["id"],
            "external_id": external_id,
            "source": "pos",
            "financial_status": "pending",
            "total": vnd(total),
            **fields,
        }
        answer = await client.post("/v1/orders", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    return sent


@pytest.fixture
def tell(client):
    """Tells of a part of an order; the answer's body."""

    async def told(order, kind, expected=201, /, **part):
        answer = await client.post(f"/v1/orders/{order['id']}/{kind}", json=part)
        assert answer.status_code == expected, answer.text
        return answer.json()

    return told


@pytest.fixture
def read(client):
    """Reads an order."""

    async def found(order):
        return (await client.get(f"/v1/orders/{order['id']}")).json()

    return found


@pytest.fixture
def figures(client, customer):
    """Reads what the customer's orders come to, by currency."""

    async def found():
        answer = await client.get(f"/v1/customers/{customer['id']}/order-figures")
        assert answer.status_code == 200, answer.text
        return {each["currency"]: each for each in answer.json()["data"]}

    return found


@pytest.fixture
def timeline(client, customer):
    """Reads the types of the customer's entries about orders, newest first."""

    async def found():
        path = f"/v1/customers/{customer['id']}/timeline"
        entries = (await client.get(path, params={"kind": "order"})).json()["data"]
        return [entry["type"] for entry in entries]

    return found


async def test_everything_that_is_said_of_an_order_is_there_again(order, read):
    sent = await order(
        lines=[LINE],
        staff="NV012",
        note="Gói quà",
        tags=["tết"],
        discount_codes=[{"code": "TET2027", "amount": vnd(50_000)}],
        billing_address=ADDRESS,
        shipping_address=ADDRESS,
        landing_page="https://shop.vn/tet?utm_source=zalo",
        referrer="https://zalo.me",
        discount=vnd(50_000),
        shipping=vnd(30_000),
        tax=vnd(10_000),
    )
    found = await read(sent)
    assert found == sent
    assert found["lines"] == [LINE]
    assert found["shipping_address"] | ADDRESS == found["shipping_address"]
    assert found["billing_address"] | ADDRESS == found["billing_address"]
    assert found["discount_codes"] == [{"code": "TET2027", "amount": vnd(50_000)}]
    assert (found["staff"], found["note"], found["tags"]) == ("NV012", "Gói quà", ["tết"])
    assert found["landing_page"] == "https://shop.vn/tet?utm_source=zalo"
    assert (found["subtotal"], found["shipping"]) == (vnd(350_000), vnd(30_000))


async def test_parts_can_come_with_the_order(order, read):
    parcel = {"external_id": "f1", "carrier": "GHN", "tracking_number": "GHN1", "status": "shipped"}
    sent = await order(
        changed_at="2026-03-01T00:00:00Z",
        payments=[{"external_id": "p1", "amount": vnd(350_000), "method": "momo"}],
        refunds=[{"external_id": "r1", "amount": vnd(50_000), "reason": "Trễ"}],
        returns=[{"external_id": "t1", "lines": [{"line_id": "L1", "quantity": 1}]}],
        fulfillments=[parcel],
    )
    assert sent["financial_status"] == "partially_refunded"
    assert sent["refunded"] == vnd(50_000)
    assert sent["paid_at"] == sent["shipped_at"] == "2026-03-01T00:00:00Z"
    assert [part["external_id"] for part in sent["payments"]] == ["p1"]
    assert sent["fulfillments"][0] | parcel == sent["fulfillments"][0]
    assert sent["returns"][0]["lines"][0]["quantity"] == 1
    assert await read(sent) == sent
    again = await order(changed_at="2026-03-02T00:00:00Z")
    assert again["payments"] == sent["payments"]
    assert again["financial_status"] == "partially_refunded"


async def test_answers_are_what_their_schema_says(client, customer, order):
    """They are made of plain data and not of the models that describe them."""
    sent = await order(
        total=300_000,
        lines=[{"title": "Áo", "quantity": 1, "unit_price": vnd(300_000), "total": vnd(300_000)}],
        note="Giao giờ hành chính",
        discount_codes=[{"code": "TET2027", "amount": vnd(1_000)}, {"code": "MOI"}],
        shipping_address={"name": "Lan", "street": "12 Lê Lợi"},
        payments=[{"external_id": "p", "amount": vnd(300_000)}],
        refunds=[{"external_id": "r", "amount": vnd(1), "lines": [{"quantity": 1}]}],
        returns=[{"external_id": "t"}],
        fulfillments=[{"external_id": "f", "tracking_number": "GHN1"}],
    )
    plain = await order("2")
    for answer in (sent, plain):
        assert OrderRead.model_validate(answer).model_dump(mode="json") == answer
    listed = (await client.get(f"/v1/customers/{customer['id']}/orders")).json()
    assert len(listed["data"]) == 2
    assert Page[OrderSummary].model_validate(listed).model_dump(mode="json") == listed


async def test_payments_of_the_whole_total_pay_an_order(order, tell, read, figures, timeline):
    sent = await order()
    await tell(sent, "payments", external_id="p1", amount=vnd(100_000))
    assert (await read(sent))["financial_status"] == "pending"
    await tell(sent, "payments", external_id="p2", amount=vnd(250_000), status="authorized")
    assert (await read(sent))["financial_status"] == "pending"
    await tell(sent, "payments", 200, external_id="p2", amount=vnd(250_000), status="paid")
    assert (await read(sent))["financial_status"] == "paid"
    assert (await figures())["VND"]["total_spent"] == vnd(350_000)
    assert (await timeline())[0] == "order.paid"
    await tell(sent, "payments", 200, external_id="p2", amount=vnd(250_000), status="voided")
    assert (await read(sent))["financial_status"] == "pending"


@pytest.mark.capability(12)
async def test_refunds_and_returns_correct_the_figures_at_once(
    client, customer, order, tell, read, figures, timeline
):
    sent = await order(financial_status="paid", lines=[LINE])
    await tell(sent, "refunds", external_id="r1", amount=vnd(100_000), reason="Lỗi chỉ")
    assert (await read(sent))["financial_status"] == "partially_refunded"
    now = (await figures())["VND"]
    assert (now["total_spent"], now["refunded"]) == (vnd(250_000), vnd(100_000))
    back = await tell(
        sent,
        "returns",
        external_id="t1",
        lines=[{"line_id": "L1", "quantity": 2}],
        reason="Không vừa",
    )
    assert (await figures())["VND"]["returns_count"] == 0
    await tell(sent, "returns", 200, external_id="t1", status="received", restock=True)
    assert (await figures())["VND"]["returns_count"] == 1
    await tell(sent, "refunds", external_id="r2", amount=vnd(250_000))
    whole = await read(sent)
    assert (whole["financial_status"], whole["returns_count"]) == ("refunded", 1)
    assert whole["returns"][0]["id"] == back["id"]
    after = (await client.get(f"/v1/customers/{customer['id']}")).json()
    assert after["total_spent"] == vnd(0)
    told = await timeline()
    assert sorted(told) == sorted(
        [
            *("order.placed", "order.refunded", "order.refunded"),
            *("order.return_requested", "order.returned"),
        ]
    )


async def test_what_was_paid_in_one_currency_is_never_of_another(client, order, tell, customer):
    sent = await order(total=100_000)
    dollars = {
        "customer_id": customer["id"],
        "external_id": "1001",
        "source": "pos",
        "financial_status": "pending",
        "total": {"amount": "400", "currency": "USD"},
    }
    answer = await client.post("/v1/orders", json=dollars)
    assert answer.status_code == 200, answer.text
    await order(total=100_000)
    await tell(sent, "payments", external_id="p1", amount=vnd(50_000))
    refused = await client.post("/v1/orders", json=dollars)
    [fault] = refused.json()["errors"]
    assert (refused.status_code, fault["code"], fault["pointer"]) == (
        422,
        "currency_mismatch",
        "/body/total/currency",
    )
    read = (await client.get(f"/v1/orders/{sent['id']}")).json()
    assert (read["total"], read["payments"][0]["amount"]) == (vnd(100_000), vnd(50_000))


async def test_an_order_that_comes_with_a_refund_tells_of_it(order, timeline):
    await order(financial_status="partially_refunded", refunded=vnd(1000))
    assert sorted(await timeline()) == ["order.placed", "order.refunded"]


async def test_the_timeline_has_each_step_when_it_came_to_pass(client, customer, order, tell):
    sent = await order(changed_at="2026-03-01T00:00:00Z", placed_at="2026-03-01T00:00:00Z")
    await tell(sent, "payments", amount=vnd(350_000), paid_at="2026-03-04T00:00:00Z")
    await tell(sent, "refunds", amount=vnd(1), refunded_at="2026-03-09T00:00:00Z")
    await tell(sent, "refunds", amount=vnd(1), refunded_at="2026-03-07T00:00:00Z")
    path = f"/v1/customers/{customer['id']}/timeline"
    entries = (await client.get(path, params={"kind": "order"})).json()["data"]
    assert [(entry["type"], entry["occurred_at"]) for entry in reversed(entries)] == [
        ("order.placed", "2026-03-01T00:00:00Z"),
        ("order.paid", "2026-03-04T00:00:00Z"),
        ("order.refunded", "2026-03-07T00:00:00Z"),
        ("order.refunded", "2026-03-09T00:00:00Z"),
    ]


async def test_a_refund_counts_whatever_the_source_says_later(order, tell, figures):
    sent = await order(financial_status="paid", changed_at="2026-03-01T00:00:00Z")
    await tell(sent, "refunds", external_id="r1", amount=vnd(100_000))
    await order(financial_status="paid", changed_at="2026-03-02T00:00:00Z", note="Gói lại")
    assert (await figures())["VND"]["total_spent"] == vnd(250_000)
    await order(financial_status="paid", changed_at="2026-03-03T00:00:00Z", refunded=vnd(120_000))
    assert (await figures())["VND"]["total_spent"] == vnd(230_000)


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        (
            "payments",
            {"amount": vnd(1), "status": "pending"},
            {"amount": vnd(2), "status": "paid"},
        ),
        ("refunds", {"amount": vnd(1), "reason": "a"}, {"amount": vnd(2), "reason": "b"}),
        ("returns", {"status": "requested"}, {"status": "refused"}),
        ("fulfillments", {"status": "pending"}, {"status": "delivered"}),
    ],
)
async def test_the_newest_news_of_a_part_stands(client, order, tell, kind, old, new):
    sent = await order()
    first = {"external_id": "1", "changed_at": "2026-03-02T00:00:00Z", **new}
    late = {"external_id": "1", "changed_at": "2026-03-01T00:00:00Z", **old}
    kept = await tell(sent, kind, **first)
    assert await tell(sent, kind, 200, **late) == kept
    assert await tell(sent, kind, 200, **first) == kept
    listed = (await client.get(f"/v1/orders/{sent['id']}/{kind}")).json()["data"]
    assert listed == [kept]
    again = await tell(sent, kind, 200, **{**first, "changed_at": "2026-03-04T00:00:00Z"})
    assert again == {**kept, "changed_at": "2026-03-04T00:00:00Z"}
    between = {**late, "changed_at": "2026-03-03T00:00:00Z"}
    assert await tell(sent, kind, 200, **between) == again
    newer = {**late, "changed_at": "2026-03-05T00:00:00Z"}
    assert (await tell(sent, kind, 200, **newer))["version"] == 2


async def test_an_order_is_followed_to_the_door(order, tell, read, timeline, service, shop):
    sent = await order()
    parcel = {"external_id": "f1", "carrier": "GHTK", "tracking_number": "S1"}
    await tell(sent, "fulfillments", **parcel, shipped_at="2026-03-02T00:00:00Z")
    arrived = {"status": "delivered", "delivered_at": "2026-03-04T00:00:00Z"}
    shipped = {"shipped_at": "2026-03-02T00:00:00Z"}
    await tell(sent, "fulfillments", 200, **parcel, **shipped, **arrived)
    found = await read(sent)
    assert (found["shipped_at"], found["delivered_at"]) == (
        "2026-03-02T00:00:00Z",
        "2026-03-04T00:00:00Z",
    )
    assert set(await timeline()) == {"order.placed", "order.fulfilled", "order.delivered"}
    told = await service.told(shop, "customer.order_fulfilled", "customer.order_delivered")
    assert [event["type"] for event in told] == [
        "customer.order_fulfilled",
        "customer.order_delivered",
    ]
    assert told[1]["order"]["delivered_at"] == "2026-03-04T00:00:00Z"


async def test_an_order_is_called_off_once(client, order, read, figures, timeline, service, shop):
    sent = await order(financial_status="paid")
    path = f"/v1/orders/{sent['id']}/cancel"
    first = await client.post(path, json={"reason": "Khách đổi ý"})
    assert first.status_code == 200, first.text
    assert (first.json()["status"], first.json()["cancel_reason"]) == ("cancelled", "Khách đổi ý")
    again = (await client.post(path, json={"reason": "Khác"})).json()
    assert again == {**first.json(), "changed_at": again["changed_at"]}
    assert await figures() == {}
    assert (await timeline()).count("order.cancelled") == 1
    assert len(await service.told(shop, "customer.order_cancelled")) == 1


async def test_what_was_called_off_again_since_is_not_reopened_by_news_from_between(
    client, order, figures
):
    sent = await order(changed_at="2026-03-01T00:00:00Z", status="cancelled")
    path = f"/v1/orders/{sent['id']}/cancel"
    again = await client.post(path, json={"cancelled_at": "2026-03-03T00:00:00Z"})
    assert (again.json()["cancelled_at"], again.json()["version"]) == ("2026-03-01T00:00:00Z", 1)
    late = await order(changed_at="2026-03-02T00:00:00Z", status="open")
    assert (late["status"], await figures()) == ("cancelled", {})
    newer = await order(changed_at="2026-03-04T00:00:00Z", status="open")
    assert (newer["status"], newer["version"]) == ("open", 2)


async def test_each_step_of_an_order_is_told_once(order, tell, service, shop):
    sent = await order(financial_status="paid")
    await tell(sent, "refunds", external_id="1", amount=vnd(1))
    await tell(sent, "returns", external_id="1", status="received")
    steps = ("paid", "refunded", "returned", "fulfilled", "delivered", "cancelled")
    told = await service.told(shop, *(f"customer.order_{step}" for step in steps))
    assert [event["type"].rpartition("_")[2] for event in told] == ["paid", "refunded", "returned"]


async def test_two_currencies_are_never_added(client, customer, order, figures):
    await order("1", total=300_000, financial_status="paid", placed_at="2026-03-01T00:00:00Z")
    await order("2", total=200_001, financial_status="paid", placed_at="2026-03-05T00:00:00Z")
    await order("3", total=900_000, placed_at="2026-03-06T00:00:00Z")
    usd = {"amount": "12.50", "currency": "USD"}
    body = {
        "customer_id": customer["id"],
        "external_id": "usd",
        "financial_status": "paid",
        "total": usd,
        "placed_at": "2026-03-07T00:00:00Z",
    }
    assert (await client.post("/v1/orders", json=body)).status_code == 201
    found = await figures()
    assert list(found) == ["VND", "USD"]
    assert (found["VND"]["orders_count"], found["VND"]["paid_orders_count"]) == (3, 2)
    assert found["VND"]["total_spent"] == vnd(500_001)
    assert found["VND"]["average_order"] == vnd(250_000)
    assert found["VND"]["last_order_at"] == "2026-03-06T00:00:00Z"
    assert (found["USD"]["total_spent"], found["USD"]["average_order"]) == (usd, usd)
    assert found["USD"]["days_since_last_order"] >= 0


async def test_figures_are_exact_under_concurrent_changes(client, customer, order, tell, figures):
    sent = await order("0", total=1_000_000, financial_status="paid")
    refunds = [tell(sent, "refunds", external_id=str(n), amount=vnd(10_000)) for n in range(6)]
    orders = [order(str(n), total=1_000, financial_status="paid") for n in range(1, 7)]
    await asyncio.gather(*refunds, *orders)
    found = (await figures())["VND"]
    assert (found["orders_count"], found["total_spent"]) == (7, vnd(946_000))
    after = (await client.get(f"/v1/customers/{customer['id']}")).json()
    assert (after["orders_count"], after["total_spent"]) == (7, vnd(946_000))


async def test_sums_that_nothing_could_hold_are_refused(client, customer):
    body = {"customer_id": customer["id"], "external_id": "1", "financial_status": "paid"}
    body["total"] = vnd(9 * 10**18)
    first = await client.post("/v1/orders", json=body)
    assert first.status_code == 201, first.text
    second = await client.post("/v1/orders", json={**body, "external_id": "2"})
    assert (second.status_code, second.json()["code"]) == (422, "order_figures_too_large")
    path = f"/v1/orders/{first.json()['id']}/refunds"
    assert (await client.post(path, json={"amount": vnd(9 * 10**18)})).status_code == 201
    more = await client.post(path, json={"amount": vnd(9 * 10**18)})
    assert (more.status_code, more.json()["code"]) == (422, "order_figures_too_large")
    assert (await client.get(f"/v1/customers/{customer['id']}/order-figures")).status_code == 200


async def test_a_part_in_another_currency_is_refused(client, order):
    sent = await order()
    usd = {"amount": "1.00", "currency": "USD"}
    for kind in ("payments", "refunds"):
        answer = await client.post(f"/v1/orders/{sent['id']}/{kind}", json={"amount": usd})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["code"] == "currency_mismatch"


@pytest.mark.parametrize(
    ("kind", "part", "dates"),
    [
        ("payments", {"amount": vnd(1_000)}, ["paid_at"]),
        ("refunds", {"amount": vnd(1_000)}, ["refunded_at"]),
        ("returns", {"status": "received"}, ["requested_at", "received_at"]),
        ("fulfillments", {"status": "delivered"}, ["shipped_at", "delivered_at"]),
    ],
)
async def test_a_part_sent_again_without_dates_keeps_those_it_has(
    service, shop, order, tell, kind, part, dates
):
    sent = await order()
    first = await tell(sent, kind, external_id="1", **part)
    assert all(first[name] for name in dates)
    again = await tell(sent, kind, 200, external_id="1", **part)
    assert again == {**first, "changed_at": again["changed_at"]}
    (with_the_order,) = (await order(**{kind: [{"external_id": "1", **part}]}))[kind]
    assert with_the_order == {**first, "changed_at": with_the_order["changed_at"]}
    events = await service.told(shop, "customer.order_updated")
    assert [event["order"]["version"] for event in events] == [2]
    for name in dates:
        said = {name: "2026-03-01T00:00:00Z"}
        assert (await tell(sent, kind, 200, external_id="1", **part, **said))[name] == said[name]
        again = await tell(sent, kind, 200, external_id="1", **part)
        assert again[name] == said[name]


async def test_a_return_that_was_asked_for_keeps_that_moment_when_it_is_received(order, tell):
    sent = await order()
    asked = await tell(sent, "returns", external_id="1")
    assert asked["received_at"] is None
    received = await tell(sent, "returns", 200, external_id="1", status="received")
    assert received["requested_at"] == asked["requested_at"]
    assert received["received_at"] > asked["requested_at"]


async def test_an_order_has_room_for_so_many_parts(client, order):
    many = [{"external_id": str(n), "amount": vnd(1)} for n in range(200)]
    sent = await order(payments=many)
    answer = await client.post(f"/v1/orders/{sent['id']}/payments", json={"amount": vnd(1)})
    assert answer.status_code == 409
    assert answer.json()["code"] == "too_many_order_parts"


async def test_parts_of_an_order_that_is_not_there(client):
    path = f"/v1/orders/{new_id()}"
    assert (await client.get(f"{path}/payments")).status_code == 404
    assert (await client.post(f"{path}/refunds", json={"amount": vnd(1)})).status_code == 404
    assert (await client.post(f"{path}/cancel", json={})).status_code == 404


def test_news_of_parts_is_taken_in_in_any_order():
    now = SystemClock().now()

    def payment(amount, second):
        at = now.replace(microsecond=second)
        made = {"changed_at": at, "created_at": now, "updated_at": now}
        return OrderPayment(external_id="1", status="paid", amount_minor=amount, **made)

    newest, older = payment(2, 2), payment(1, 1)
    forth = OrderParts().after([older, newest])
    back = OrderParts().after([newest]).after([older])
    assert forth.payments[0].amount_minor == back.payments[0].amount_minor == 2
    assert back.changes_since(OrderParts().after([newest])) == []
