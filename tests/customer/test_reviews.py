"""What customers say of products and orders, who may read it, and what it comes to."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from services.customer.reviews.forgetting import ADDRESSES, FINGERPRINTS, review_forgetting
from services.customer.reviews.moderation import MOST_FROM_ADDRESS, ReviewPolicy, suspicions
from services.customer.reviews.repository import LOCK_OF_ORDERS, OF_ORDER
from shared.ids import new_id
from shared.security.principal import PRINCIPAL_HEADER, Principal, PrincipalKind
from tests.support.plans import rows_read

_MANY_REVIEWS = text(
    "INSERT INTO customer.review (tenant_id, id, kind, product_id, rating, photos, verified,"
    " status, suspicions, created_at, updated_at, version) "
    "SELECT :tenant, gen_random_uuid(), 'product', 'p' || n, 5, '[]', false, 'published', '[]',"
    " now(), now(), 1 FROM generate_series(1, 5000) AS n"
)
PRODUCT = "ao-dai/lụa 1"


def vnd(amount):
    return {"amount": str(amount), "currency": "VND"}


@pytest.fixture
async def client(service, shop):
    """A client of the shop who may do everything with customers, orders and reviews."""
    words = ("customers", "orders", "reviews", "loyalty")
    scopes = [f"{word}:{verb}" for word in words for verb in ("read", "write")]
    more = ("review_submissions:write", "published_reviews:read", "settings:write")
    async with service.client(shop, *scopes, *more) as client:
        yield client


@pytest.fixture
async def storefront(service, shop):
    """A page of the shop's, with a key that everybody can read."""
    scopes = ("review_submissions:write", "published_reviews:read")
    async with service.client(shop, *scopes, sees_pii=False) as client:
        yield client


@pytest.fixture
async def customer(client):
    return (await client.post("/v1/customers", json={"name": "Nguyễn Thị Minh Khai"})).json()


@pytest.fixture
async def shopper(service, shop, customer):
    """The customer, logged in to the shop."""
    async with service.client(
        shop,
        "reviews:own",
        kind=PrincipalKind.SHOPPER,
        actor_id=customer["id"],
        customer_id=UUID(customer["id"]),
    ) as client:
        yield client


@pytest.fixture
def buy(client, customer):
    """The customer buys products; the order."""

    async def bought(*product_ids, **fields):
        body = {
            "customer_id": customer["id"],
            "external_id": str(new_id()),
            "financial_status": "paid",
            "total": vnd(100_000),
            "lines": [
                {
                    "title": product,
                    "quantity": 1,
                    "unit_price": vnd(100_000),
                    "total": vnd(100_000),
                    "product_id": product,
                }
                for product in product_ids or (PRODUCT,)
            ],
            **fields,
        }
        answer = await client.post("/v1/orders", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    return bought


@pytest.fixture
def policy(client):
    """Decides what is published by itself."""

    async def decided(auto_publish, from_stars=1):
        body = {"auto_publish": auto_publish, "from_stars": from_stars}
        answer = await client.put("/v1/reviews/policy", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return decided


@pytest.fixture
def summary(client):
    """What a product comes to."""

    async def read(product=PRODUCT):
        answer = await client.get("/v1/reviews/summary", params={"product_id": product})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return read


async def write(who, rating=5, expected=201, product=PRODUCT, **fields):
    answer = await who.post("/v1/reviews", json={"product_id": product, "rating": rating, **fields})
    assert answer.status_code == expected, answer.text
    return answer.json()


@pytest.mark.capability(13)
async def test_an_order_is_rated_once_and_seen_with_its_products(
    client, customer, shopper, buy, summary
):
    order = await buy("P1", "P2")
    path = f"/v1/orders/{order['id']}/rating"
    assert (await shopper.get(path)).json()["code"] == "order_not_rated"
    first = await shopper.put(path, json={"rating": 2, "text": "Giao chậm"})
    assert first.status_code == 201, first.text
    again = await shopper.put(path, json={"rating": 4, "text": "Đã đổi hàng"})
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    read = (await client.get(path)).json()
    assert (read["rating"], read["text"], read["status"]) == (4, "Đã đổi hàng", "private")
    history = (await client.get(f"/v1/customers/{customer['id']}/reviews")).json()["data"]
    assert history == [read]
    timeline = await client.get(f"/v1/customers/{customer['id']}/timeline")
    (entry,) = [e for e in timeline.json()["data"] if e["type"] == "review.written"]
    assert (entry["data"]["rating"], entry["data"]["order_id"]) == (4, order["id"])
    for product in ("P1", "P2"):
        listed = await client.get("/v1/reviews", params={"product_id": product})
        assert [each["id"] for each in listed.json()["data"]] == [read["id"]]
        found = await summary(product)
        assert found["orders"]["distribution"] == {"1": 0, "2": 0, "3": 0, "4": 1, "5": 0}
        assert found["reviews"]["count"] == 0


async def test_a_shopper_rates_their_own_orders_only(client, shopper, customer, service, shop):
    other = (await client.post("/v1/customers", json={"name": "Lê Văn Đạt"})).json()
    body = {
        "customer_id": other["id"],
        "external_id": "x",
        "financial_status": "paid",
        "total": vnd(1),
    }
    order = (await client.post("/v1/orders", json=body)).json()
    path = f"/v1/orders/{order['id']}/rating"
    assert (await shopper.put(path, json={"rating": 1})).status_code == 404
    assert (await shopper.get(path)).status_code == 404
    assert (await shopper.get("/v1/reviews")).status_code == 403


async def test_a_review_of_a_buyer_is_verified(shopper, buy):
    assert (await write(shopper))["verified"] is False
    await buy(financial_status="pending")
    assert (await write(shopper, 4, 200))["verified"] is False
    await buy()
    changed = await write(shopper, 3, 200)
    assert (changed["verified"], changed["status"]) == (True, "pending")


async def test_all_records_of_a_person_have_bought(client, service, shop, customer, buy):
    """What one record has bought the person has: the review came through another."""
    from sqlalchemy import text  # noqa: PLC0415

    await buy()
    other = (await client.post("/v1/customers", json={"name": "Minh Khai"})).json()
    async with service.context.units.begin(shop) as uow:
        await uow.execute(
            text(
                "UPDATE customer.customer SET merged_into = :root, parent_id = :root "
                "WHERE tenant_id = :tenant AND id = :member"
            ),
            {"root": UUID(customer["id"]), "member": UUID(other["id"]), "tenant": shop},
        )
        await uow.commit()
    receipt = await write(client, customer_id=other["id"])
    assert receipt["verified"] is True
    assert (await write(client, 1, 200, customer_id=customer["id"]))["id"] == receipt["id"]
    listed = await client.get(f"/v1/customers/{customer['id']}/reviews")
    assert [each["rating"] for each in listed.json()["data"]] == [1]


async def test_what_is_published_everybody_reads(client, storefront, shopper, buy, summary):
    await buy()
    said = {
        "title": "Đẹp",
        "text": "Vải mềm, may kỹ",
        "author_name": "Khai",
        "photos": ["https://cdn.shop.vn/1.jpg"],
    }
    receipt = await write(shopper, 5, **said)
    params = {"product_id": PRODUCT}
    assert (await storefront.get("/v1/reviews/published", params=params)).json()["data"] == []
    assert (await summary())["reviews"]["count"] == 0
    published = await client.post(f"/v1/reviews/{receipt['id']}/publish")
    assert published.status_code == 200, published.text
    assert published.json()["allowed_transitions"] == ["rejected"]
    answer = {"text": "Cảm ơn chị!"}
    await client.put(f"/v1/reviews/{receipt['id']}/answer", json=answer)
    (read,) = (await storefront.get("/v1/reviews/published", params=params)).json()["data"]
    assert read | said == read
    assert (read["answer"], read["verified"]) == ("Cảm ơn chị!", True)
    assert "customer_id" not in read
    found = (await storefront.get("/v1/reviews/summary", params=params)).json()
    assert found["orders"] is None
    assert (found["reviews"]["average"], found["reviews"]["verified_share"]) == (5.0, 1.0)


async def test_nobody_publishes_other_words_than_they_have_read(client, shopper):
    receipt = await write(shopper, text="Vải mềm")
    path = f"/v1/reviews/{receipt['id']}"
    seen = (await client.get(path)).headers["etag"]
    await write(shopper, 5, 200, text="Mua ở chỗ khác đi")
    for step, body in (("publish", None), ("reject", {"reason": "Quảng cáo"})):
        stale = await client.post(f"{path}/{step}", json=body, headers={"If-Match": seen})
        assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    now = (await client.get(path)).headers["etag"]
    published = await client.post(f"{path}/publish", headers={"If-Match": now})
    assert published.json()["status"] == "published"
    assert published.headers["etag"] != now


async def test_a_rejected_review_counts_no_longer(client, shopper, policy, summary):
    await policy("all")
    receipt = await write(shopper, 1)
    assert receipt["status"] == "published"
    assert (await summary())["reviews"]["count"] == 1
    path = f"/v1/reviews/{receipt['id']}"
    rejected = await client.post(f"{path}/reject", json={"reason": "Không liên quan"})
    assert (rejected.json()["status"], rejected.json()["reason"]) == ("rejected", "Không liên quan")
    assert (await summary())["reviews"]["count"] == 0
    assert (await client.post(f"{path}/publish")).json()["reason"] is None
    assert (await summary())["reviews"]["distribution"]["1"] == 1


async def test_a_rating_of_an_order_is_not_published(client, shopper, buy):
    order = await buy()
    rating = (await shopper.put(f"/v1/orders/{order['id']}/rating", json={"rating": 1})).json()
    answer = await client.post(f"/v1/reviews/{rating['id']}/publish")
    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["allowed_transitions"]) == (
        "review_transition_refused",
        [],
    )


@pytest.mark.parametrize(
    ("auto_publish", "from_stars", "rating", "verified", "odd", "status"),
    [
        ("never", 1, 5, True, False, "pending"),
        ("verified", 1, 5, False, False, "pending"),
        ("verified", 4, 4, True, False, "published"),
        ("verified", 4, 3, True, False, "pending"),
        ("all", 1, 1, False, False, "published"),
        ("all", 1, 5, True, True, "pending"),
    ],
)
def test_what_is_published_without_a_look(auto_publish, from_stars, rating, verified, odd, status):
    policy = ReviewPolicy(auto_publish, from_stars)
    assert policy.first_status(rating=rating, verified=verified, odd=odd) == status


def test_what_looks_odd():
    plain = {"title": None, "text": "Đẹp", "name": "Mai", "honeypot": "", "from_address": 0}
    assert list(suspicions(**plain)) == []
    assert list(suspicions(**plain | {"honeypot": "x"})) == ["honeypot"]
    assert list(suspicions(**plain | {"text": "xem www.spam.vn"})) == ["links"]
    assert list(suspicions(**plain | {"from_address": MOST_FROM_ADDRESS})) == ["too_many"]


async def test_what_looks_odd_waits_for_a_look(client, storefront, policy):
    await policy("all")
    receipt = await write(storefront, text="Mua ở https://spam.example")
    assert receipt["status"] == "pending"
    waiting = (await client.get("/v1/reviews", params={"status": "pending"})).json()["data"]
    assert [(each["id"], each["suspicions"]) for each in waiting] == [(receipt["id"], ["links"])]


async def test_nobody_is_believed_who_is_not_logged_in(client, storefront, customer, buy, policy):
    await buy()
    await policy("verified")
    receipt = await write(storefront, author_name="Minh Khai")
    assert (receipt["verified"], receipt["status"]) == (False, "pending")
    named = {"product_id": PRODUCT, "rating": 5, "customer_id": customer["id"]}
    assert (await storefront.post("/v1/reviews", json=named)).status_code == 403
    read = (await client.get(f"/v1/reviews/{receipt['id']}")).json()
    assert (read["customer_id"], read["author_name"]) == (None, "Minh Khai")


async def test_the_same_words_again_are_one_review(client, storefront):
    said = {"text": "Rất đẹp", "author_name": "Mai"}
    sent = await asyncio.gather(
        *(
            storefront.post("/v1/reviews", json={"product_id": PRODUCT, "rating": 5, **said})
            for _ in range(5)
        )
    )
    assert sorted(answer.status_code for answer in sent) == [200, 200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in sent}) == 1
    await write(storefront, 4, **said)
    assert len((await client.get("/v1/reviews")).json()["data"]) == 2


async def test_a_customer_has_one_review_of_a_product(client, shopper, policy, summary):
    await policy("all")
    first = await write(shopper, 2, text="Tạm")
    changed = await write(shopper, 5, 200, text="Dùng lâu mới thấy tốt")
    assert changed["id"] == first["id"]
    found = (await summary())["reviews"]
    assert (found["count"], found["average"]) == (1, 5.0)
    await policy("never")
    assert (await write(shopper, 4, 200, text="Vẫn tốt"))["status"] == "pending"
    assert (await summary())["reviews"]["count"] == 0


async def test_summaries_are_exact_under_concurrent_reviews(client, policy, summary):
    await policy("all")
    people = [
        (await client.post("/v1/customers", json={"name": f"Khách {n}"})).json()["id"]
        for n in range(10)
    ]
    await asyncio.gather(
        *(write(client, n % 5 + 1, customer_id=who) for n, who in enumerate(people))
    )
    found = (await summary())["reviews"]
    assert found["distribution"] == dict.fromkeys("12345", 2)
    assert (found["count"], found["average"]) == (10, 3.0)
    await asyncio.gather(*(write(client, 5, 200, customer_id=who) for who in people[:9]))
    assert (await summary())["reviews"]["distribution"]["5"] == 10


async def test_lists_are_paged(client, storefront, policy):
    await policy("all")
    for n in range(5):
        await write(storefront, n + 1, text=str(n))
    for path, params in (
        ("/v1/reviews", {}),
        ("/v1/reviews", {"product_id": PRODUCT}),
        ("/v1/reviews/published", {"product_id": PRODUCT}),
    ):
        seen, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = (await client.get(path, params={**params, **more, "limit": 2})).json()
            seen += [each["rating"] for each in page["data"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == [5, 4, 3, 2, 1]
    few = (await client.get("/v1/reviews", params={"rating": 2, "kind": "product"})).json()
    assert [each["rating"] for each in few["data"]] == [2]


async def test_others_are_told(client, shopper, service, shop, customer):
    receipt = await write(shopper, 4)
    await client.post(f"/v1/reviews/{receipt['id']}/publish")
    await client.post(f"/v1/reviews/{receipt['id']}/publish")
    told = await service.told(shop, "customer.review_created", "customer.review_published")
    assert [(e["type"], e["review"]["status"]) for e in told] == [
        ("customer.review_created", "pending"),
        ("customer.review_published", "published"),
    ]
    assert {e["review"]["customer_id"] for e in told} == {customer["id"]}


async def test_others_are_told_of_every_change_once(client, shopper, service, shop, customer):
    receipt = await write(shopper, 4, text="Vải mềm")
    path = f"/v1/reviews/{receipt['id']}"
    for _ in range(2):
        await client.post(f"{path}/publish")
        await client.put(f"{path}/answer", json={"text": "Cảm ơn chị!"})
    for _ in range(2):
        await write(shopper, 2, 200, text="Mau rách")
    for _ in range(2):
        await client.post(f"{path}/reject", json={"reason": "Quảng cáo"})
    told = [e["review"] for e in await service.told(shop, "customer.review_updated")]
    assert [(e["status"], e["text"], e["answer"]) for e in told] == [
        ("published", "Vải mềm", None),
        ("published", "Vải mềm", "Cảm ơn chị!"),
        ("pending", "Mau rách", "Cảm ơn chị!"),
        ("rejected", "Mau rách", "Cảm ơn chị!"),
    ]
    assert [e["version"] for e in told] == [2, 3, 4, 5]
    assert {e["customer_id"] for e in told} == {customer["id"]}


async def test_the_rating_of_an_order_goes_with_it_to_its_products_and_to_whose_it_is(
    client, customer, shopper, buy, summary
):
    order = await buy("A", "B", external_id="HD-1")
    await shopper.put(f"/v1/orders/{order['id']}/rating", json={"rating": 2, "text": "Giao chậm"})
    friend = (await client.post("/v1/customers", json={"name": "Lê Thị Hoa"})).json()

    async def told_of(product):
        listed = await client.get("/v1/reviews", params={"product_id": product})
        return len(listed.json()["data"]), (await summary(product))["orders"]["count"]

    async def said_by(person):
        said = (await client.get(f"/v1/customers/{person['id']}/reviews")).json()
        happened = (await client.get(f"/v1/customers/{person['id']}/timeline?kind=review")).json()
        return len(said["data"]), len(happened["data"])

    assert await said_by(customer) == (1, 1)
    await buy("B", "C", external_id="HD-1")
    assert [await told_of(product) for product in "ABC"] == [(0, 0), (1, 1), (1, 1)]
    await buy("B", "C", external_id="HD-1", customer_id=friend["id"])
    assert [await told_of(product) for product in "ABC"] == [(0, 0), (1, 1), (1, 1)]
    assert (await said_by(customer), await said_by(friend)) == ((0, 0), (1, 1))


@pytest.mark.parametrize(
    ("statement", "asked"),
    [(OF_ORDER, {"row_id": new_id()}), (LOCK_OF_ORDERS, {"orders": [new_id(), new_id()]})],
)
async def test_the_rating_of_an_order_is_found_among_very_many_reviews(
    service, shop, database_url, statement, asked
):
    async with service.context.units.begin(shop) as uow:
        await uow.execute(_MANY_REVIEWS, {"tenant": shop})
        await uow.commit()
    read = await rows_read(
        database_url,
        schema="customer",
        tenant_id=shop,
        table="review",
        statement=statement,
        parameters={"tenant": shop, **asked},
    )
    assert read == 0


async def test_others_are_told_of_another_rating_of_an_order(shopper, buy, service, shop):
    path = f"/v1/orders/{(await buy())['id']}/rating"
    for rating in (2, 4, 4):
        await shopper.put(path, json={"rating": rating})
    (told,) = await service.told(shop, "customer.review_updated")
    assert (told["review"]["rating"], told["review"]["status"]) == (4, "private")


async def test_a_review_earns_points_once_it_is_published(client, shopper, customer):
    programme = {"name": "Hoa Mai", "point_value": vnd(100), "hold_days": 0}
    assert (await client.put("/v1/loyalty/programme", json=programme)).status_code == 200
    rule = {"kind": "event", "event": "review.written", "points": 30}
    assert (await client.post("/v1/loyalty/rules", json=rule)).status_code == 201

    async def points():
        account = await client.get(f"/v1/loyalty/accounts/{customer['id']}")
        return account.json()["available"]

    receipt = await write(shopper)
    assert await points() == 0
    path = f"/v1/reviews/{receipt['id']}"
    await client.post(f"{path}/publish")
    assert await points() == 30
    await client.post(f"{path}/reject", json={"reason": "x"})
    await client.post(f"{path}/publish")
    assert await points() == 30


@pytest.mark.parametrize(
    "change",
    [
        {"rating": 0},
        {"rating": 6},
        {"rating": 4.5},
        {"product_id": ""},
        {"photos": ["http://x.vn/1.jpg"]},
        {"photos": ["https://x.vn/1.jpg"] * 11},
    ],
)
async def test_what_no_review_can_be_is_refused(storefront, change):
    body = {"product_id": PRODUCT, "rating": 5} | change
    assert (await storefront.post("/v1/reviews", json=body)).status_code == 422


@pytest.mark.capability(28)
async def test_another_shop_reads_and_moderates_nothing(client, shopper, service, open_shop):
    receipt = await write(shopper)
    other_shop = await open_shop()
    async with service.client(other_shop, "reviews:read", "reviews:write") as other:
        path = f"/v1/reviews/{receipt['id']}"
        assert (await other.get(path)).status_code == 404
        assert (await other.post(f"{path}/publish")).status_code == 404
        assert (await other.get("/v1/reviews")).json()["data"] == []


class TestVotes:
    @pytest.fixture
    async def reviews(self, client, policy):
        """Three published reviews of nobody's, the oldest first."""
        await policy("all")
        return [(await write(client, text=f"Lời {n}"))["id"] for n in range(3)]

    @pytest.fixture
    def vote(self):
        async def voted(who, review_id, expected=200, *, helpful=True, **said):
            body = {"helpful": helpful, **said}
            answer = await who.put(f"/v1/reviews/{review_id}/vote", json=body)
            assert answer.status_code == expected, answer.text
            return answer.json()

        return voted

    async def test_the_most_helpful_come_first_and_each_votes_once(
        self, client, shopper, storefront, reviews, vote, summary
    ):
        first, second, third = reviews
        assert (await vote(shopper, first))["helpful_count"] == 1
        assert (await vote(shopper, first))["helpful_count"] == 1
        assert (await vote(storefront, first))["helpful_count"] == 2
        assert (await vote(storefront, first))["helpful_count"] == 2
        await vote(shopper, second)
        query = {"product_id": PRODUCT, "sort": "most_helpful", "limit": 2}
        page = (await storefront.get("/v1/reviews/published", params=query)).json()
        query["cursor"] = page["next_cursor"]
        rest = (await storefront.get("/v1/reviews/published", params=query)).json()
        found = [(each["id"], each["helpful_count"]) for each in page["data"] + rest["data"]]
        assert found == [(first, 2), (second, 1), (third, 0)]
        assert (await summary())["reviews"]["helpful_votes"] == 3
        taken_back = await vote(shopper, first, helpful=False)
        assert (taken_back["helpful"], taken_back["helpful_count"]) == (False, 1)
        assert (await vote(shopper, first, helpful=False))["helpful_count"] == 1
        assert (await client.get(f"/v1/reviews/{first}")).json()["version"] == 1

    async def test_votes_leave_the_summary_with_their_review(
        self, client, shopper, reviews, vote, summary
    ):
        await vote(shopper, reviews[0])
        rejected = await client.post(f"/v1/reviews/{reviews[0]}/reject", json={"reason": "Xấu"})
        assert rejected.status_code == 200
        assert (await summary())["reviews"]["helpful_votes"] == 0
        await vote(shopper, reviews[0], expected=404)
        await client.post(f"/v1/reviews/{reviews[0]}/publish")
        assert (await summary())["reviews"]["helpful_votes"] == 1

    async def test_nobody_votes_for_their_own_or_for_somebody_unasked(
        self, client, service, shop, customer, shopper, storefront, policy, vote
    ):
        await policy("all")
        mine = (await write(shopper))["id"]
        assert (await vote(shopper, mine, expected=409))["code"] == "own_review"
        await vote(storefront, mine, expected=403, customer_id=customer["id"])
        await vote(client, mine, expected=404, customer_id=str(new_id()))

    async def test_a_person_has_one_vote_by_all_their_records(
        self, client, customer, shopper, reviews, vote
    ):
        other = (await client.post("/v1/customers", json={"name": "Khai"})).json()["id"]
        path = f"/v1/customers/{customer['id']}/merges"
        assert (await client.post(path, json={"customer_ids": [other]})).status_code == 201
        await vote(shopper, reviews[0])
        assert (await vote(client, reviews[0], customer_id=other))["helpful_count"] == 1
        gone = await vote(client, reviews[0], helpful=False, customer_id=other)
        assert gone["helpful_count"] == 0

    async def test_votes_at_once_are_all_counted(self, client, reviews, vote, summary):
        people = [
            (await client.post("/v1/customers", json={"name": f"Khách {n}"})).json()["id"]
            for n in range(6)
        ]
        votes = [vote(client, reviews[0], customer_id=who) for who in people * 2]
        await asyncio.gather(*votes)
        read = (await client.get(f"/v1/reviews/{reviews[0]}")).json()
        assert read["helpful_count"] == 6
        assert (await summary())["reviews"]["helpful_votes"] == 6


@pytest.fixture
async def passer_by(service, shop):
    """Somebody at the shop's page, at an address."""
    scopes = frozenset({"review_submissions:write"})
    principal = Principal(
        shop, PrincipalKind.API_KEY, "page", scopes, new_id().hex, client_ip="203.0.113.9"
    )
    async with service.client(shop) as client:
        client.headers[PRINCIPAL_HEADER] = service.context.principals.mint(principal)
        yield client


async def traces(service, shop):
    """From where reviews were sent, and how many can be told to be the same."""
    async with service.context.units.begin(shop) as uow:
        sent_from = "SELECT client_ip FROM customer.review WHERE tenant_id = :t"
        known = "SELECT count(*) FROM customer.review_fingerprint WHERE tenant_id = :t"
        asked = {"t": shop}
        return await uow.scalar(text(sent_from), asked), await uow.scalar(text(known), asked)


async def age_reviews(service, shop, by):
    async with service.context.units.begin(shop) as uow:
        asked = {"at": uow.clock.now() - by, "t": shop}
        for older in ("review SET created_at", "review_fingerprint SET received_at"):
            statement = f"UPDATE customer.{older} = :at WHERE tenant_id = :t"
            await uow.execute(text(statement), asked)
        await uow.commit()


async def test_what_a_passer_by_was_judged_by_is_forgotten(client, service, shop, passer_by):
    units = service.context.units
    receipt = await write(passer_by, text="Rất đẹp")
    before = (await client.get(f"/v1/reviews/{receipt['id']}")).json()
    assert await traces(service, shop) == ("203.0.113.9", 1)

    hour = timedelta(hours=1)
    for by, fingerprints, addresses, left in (
        (FINGERPRINTS.life - hour, False, False, ("203.0.113.9", 1)),
        (FINGERPRINTS.life + hour, True, False, ("203.0.113.9", 0)),
        (ADDRESSES.life + hour, False, True, (None, 0)),
    ):
        await age_reviews(service, shop, by)
        assert (shop in await units.tenants(FINGERPRINTS.listing)) == fingerprints
        assert (shop in await units.tenants(ADDRESSES.listing)) == addresses
        await review_forgetting(units).run()
        assert await traces(service, shop) == left
    assert not {shop} & {
        *await units.tenants(FINGERPRINTS.listing),
        *await units.tenants(ADDRESSES.listing),
    }
    after = (await client.get(f"/v1/reviews/{receipt['id']}")).json()
    assert after == {**before, "created_at": after["created_at"]}
