"""Customers over the API: create, read, change, upsert."""

import asyncio
import unicodedata

import pytest

from services.customer.customers.schemas import CustomerList, CustomerRead
from shared.ids import new_id


async def create(client, **fields):
    answer = await client.post("/v1/customers", json=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def identities(client, customer_id):
    answer = await client.get(f"/v1/customers/{customer_id}/identities")
    return {(i["kind"], i["value"]): i for i in answer.json()["data"]}


@pytest.mark.capability(1)
async def test_a_name_and_a_phone_make_a_customer_with_an_id_and_a_code(client):
    answer = await client.post(
        "/v1/customers", json={"name": "Nguyễn Văn Đức", "phone": "0912 345 678"}
    )
    assert answer.status_code == 201
    created = answer.json()
    assert created["object"] == "customer"
    assert created["code"].startswith("KH0")
    assert created["stage"] == "lead"
    assert created["total_spent"] == {"amount": "0", "currency": "VND"}
    assert created["version"] == 1
    assert answer.headers["location"] == f"/v1/customers/{created['id']}"
    assert answer.headers["etag"] == '"1"'
    assert (await client.get(answer.headers["location"])).json() == created


@pytest.mark.capability(1)
async def test_codes_are_unique_among_customers_created_at_once(client):
    created = await asyncio.gather(*(create(client, name=f"Khách {n}") for n in range(20)))
    assert len({customer["code"] for customer in created}) == 20


async def test_every_field_comes_back_as_it_was_given(client):
    fields = {
        "name": "Trần Thị Bưởi",
        "email": "buoi@example.com",
        "locale": "vi",
        "gender": "female",
        "birth_date": "1992-02-29",
        "city": "Huế",
        "province": "Thừa Thiên Huế",
        "country": "VN",
        "stage": "customer",
        "source": "pos",
        "tags": ["VIP", "khách quen"],
        "attributes": {"size": 39, "colours": ["xanh", "đỏ"], "newsletter": True},
    }
    created = await create(client, **fields)
    assert {name: created[name] for name in fields} == fields


async def test_decomposed_text_is_stored_composed(client):
    created = await create(client, name=unicodedata.normalize("NFD", "Đặng Thị Ngọc"))
    assert created["name"] == unicodedata.normalize("NFC", "Đặng Thị Ngọc")


@pytest.mark.capability(29)
async def test_an_old_eleven_digit_number_is_stored_as_todays_and_kept_as_written(client):
    created = await create(client, name="Bà Tư", phone="01695678945")
    assert created["phone"] == "+84395678945"
    phone = (await identities(client, created["id"]))["phone", "+84395678945"]
    assert phone["original"] == "01695678945"
    assert phone["standing"] == "claimed"


async def test_numbers_are_read_in_the_country_of_the_shop(service, open_shop):
    american = await open_shop(country="US", currency="USD", timezone="America/New_York")
    async with service.client(american, "customers:write") as client:
        created = await create(client, name="Bob Norman", phone="(650) 253-0000")
    assert created["phone"] == "+16502530000"
    assert created["total_spent"]["currency"] == "USD"


async def test_a_number_that_cannot_be_dialled_is_refused_with_its_field(client):
    answer = await client.post("/v1/customers", json={"name": "Ai đó", "phone": "12"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "phone_not_valid"
    assert answer.json()["errors"][0]["pointer"] == "/body/phone"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "A\x00B"},
        {"name": "x" * 201},
        {"email": "not an address"},
        {"name": "A", "birth_date": "0001-01-01"},
        {"name": "A", "tags": ["t"] * 51},
        {"name": "A", "attributes": {"Bad Key": 1}},
        {"name": "A", "attributes": {"nested": {"no": 1}}},
        {"name": "A", "unknown": 1},
    ],
)
async def test_what_no_customer_can_be_is_refused(client, body):
    assert (await client.post("/v1/customers", json=body)).status_code == 422


@pytest.mark.capability(2)
async def test_a_code_leads_to_profile_and_purchase_totals(client):
    created = await create(client, name="Lê Văn Tám")
    found = await client.get(f"/v1/customers/by-code/{created['code'].lower()}")
    assert found.json() == created
    assert found.json()["orders_count"] == 0
    unknown = await client.get("/v1/customers/by-code/KH999999")
    assert unknown.status_code == 404
    assert unknown.json()["code"] == "customer_not_found"


async def test_the_other_services_are_told_the_whole_state(client, service, shop):
    created = await create(client, name="Võ Thị Sáu", email="Sau@Example.com", tags=["mới"])
    await client.patch(f"/v1/customers/{created['id']}", json={"city": "Cần Thơ"})
    told = await service.told(shop, "customer.created", "customer.updated")
    assert [event["type"] for event in told] == ["customer.created", "customer.updated"]
    assert [event["customer"]["version"] for event in told] == [1, 2]
    state = told[1]["customer"]
    assert state["email"] == "sau@example.com"
    assert state["city"] == "Cần Thơ"
    assert state["tags"] == ["mới"]
    assert state["value_tier"] == "standard"


async def test_a_change_merges_and_null_clears(client):
    created = await create(
        client,
        name="Phan Thanh Giản",
        city="Vĩnh Long",
        tags=["cũ"],
        attributes={"size": 40, "colour": "xanh"},
    )
    changed = await client.patch(
        f"/v1/customers/{created['id']}",
        json={"city": None, "tags": ["mới"], "attributes": {"colour": None, "vip": True}},
    )
    after = changed.json()
    assert after["name"] == "Phan Thanh Giản"
    assert after["city"] is None
    assert after["tags"] == ["mới"]
    assert after["attributes"] == {"size": 40, "vip": True}
    assert after["version"] == 2
    assert changed.headers["etag"] == '"2"'


async def test_a_change_that_changes_nothing_tells_nobody(client, service, shop):
    created = await create(client, name="Hồ Xuân Hương", phone="0912345678")
    same = await client.patch(
        f"/v1/customers/{created['id']}", json={"name": "Hồ Xuân Hương", "phone": "+84912345678"}
    )
    assert same.json() == created
    assert await service.told(shop, "customer.updated") == []


async def test_a_stale_change_is_refused(client):
    created = await create(client, name="Cao Bá Quát")
    path = f"/v1/customers/{created['id']}"
    fresh = await client.patch(path, json={"city": "Hà Nội"}, headers={"if-match": '"1"'})
    assert fresh.status_code == 200
    stale = await client.patch(path, json={"city": "Huế"}, headers={"if-match": '"1"'})
    assert stale.status_code == 412
    assert stale.json()["current_version"] == 2
    assert (await client.get(path)).json()["city"] == "Hà Nội"


async def test_concurrent_changes_all_take_effect(client):
    created = await create(client, name="Ngô Quyền")
    path = f"/v1/customers/{created['id']}"
    await asyncio.gather(
        *(client.patch(path, json={"attributes": {f"a{n}": n}}) for n in range(10))
    )
    after = (await client.get(path)).json()
    assert after["attributes"] == {f"a{n}": n for n in range(10)}
    assert after["version"] == 11


async def test_a_new_address_replaces_the_one_that_was_only_claimed(client):
    created = await create(client, name="Lý Thường Kiệt", email="old@example.com")
    path = f"/v1/customers/{created['id']}"
    after = (await client.patch(path, json={"email": "new@example.com"})).json()
    assert after["email"] == "new@example.com"
    assert set(await identities(client, created["id"])) == {("email", "new@example.com")}


async def test_one_key_has_one_effect(client, service, shop):
    headers = {"idempotency-key": "the-same"}
    body = {"name": "Bùi Thị Xuân"}
    first, second = await asyncio.gather(
        client.post("/v1/customers", json=body, headers=headers),
        client.post("/v1/customers", json=body, headers=headers),
    )
    assert first.json() == second.json()
    assert len(await service.told(shop, "customer.created")) == 1
    other = await client.post("/v1/customers", json={"name": "Khác"}, headers=headers)
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


@pytest.mark.capability(28)
async def test_another_shop_can_neither_see_nor_change_a_customer(client, service, open_shop):
    created = await create(client, name="Của shop này", email="mine@example.com")
    other_shop = await open_shop()
    async with service.client(other_shop, "customers:read", "customers:write") as other:
        path = f"/v1/customers/{created['id']}"
        assert (await other.get(path)).status_code == 404
        assert (await other.get(f"{path}/identities")).status_code == 404
        assert (await other.patch(path, json={"name": "Của tôi"})).status_code == 404
        assert (await other.get(f"/v1/customers/by-code/{created['code']}")).status_code == 404
        assert (await other.get("/v1/customers")).json()["data"] == []
        found = await other.get("/v1/customers", params={"q": "mine@example.com"})
        assert found.json()["data"] == []
    assert (await client.get(path)).json() == created


async def test_scopes_are_required(service, shop):
    async with service.client(shop, "customers:read") as reader:
        refused = await reader.post("/v1/customers", json={"name": "A"})
        assert refused.status_code == 403
        assert refused.json()["missing_scopes"] == ["customers:write"]
    async with service.client(shop, "customers:write") as writer:
        assert (await writer.get("/v1/customers")).status_code == 403


async def test_an_unknown_customer_is_not_found(client):
    path = f"/v1/customers/{new_id()}"
    assert (await client.get(path)).status_code == 404
    assert (await client.patch(path, json={"name": "A"})).status_code == 404


class TestUpsert:
    """PUT /v1/customers/by-external-id/{source}/{external_id}"""

    PATH = "/v1/customers/by-external-id/erp/C-1001"

    async def test_the_first_time_creates_and_the_next_changes(self, client):
        first = await client.put(self.PATH, json={"name": "Mai An Tiêm", "city": "Nga Sơn"})
        assert first.status_code == 201
        second = await client.put(self.PATH, json={"name": "Mai An Tiêm", "phone": "0987654321"})
        assert second.status_code == 200
        after = second.json()
        assert after["id"] == first.json()["id"]
        assert after["city"] == "Nga Sơn"
        assert after["phone"] == "+84987654321"
        assert after["source"] == "erp"

    async def test_the_same_again_changes_nothing(self, client):
        body = {"name": "Mai An Tiêm", "email": "an@example.com", "tags": ["dưa hấu"]}
        first = await client.put(self.PATH, json=body)
        again = await client.put(self.PATH, json=body)
        assert again.json() == first.json()

    async def test_an_id_may_have_a_slash(self, client):
        known = await create(
            client, name="A", external_ids=[{"source": "erp", "external_id": "HD/2026/1"}]
        )
        for path in ("HD%2F2026%2F1", "HD/2026/1"):
            answer = await client.put(
                f"/v1/customers/by-external-id/erp/{path}", json={"city": "Huế"}
            )
            assert (answer.status_code, answer.json()["id"]) == (200, known["id"])

    async def test_concurrent_upserts_of_one_person_make_one_customer(self, client):
        answers = await asyncio.gather(
            *(client.put(self.PATH, json={"name": f"Lần {n}"}) for n in range(8))
        )
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len({answer.json()["id"] for answer in answers}) == 1

    async def test_a_verified_address_leads_to_the_customer_who_has_it(self, client):
        known = await create(client, name="A", email="one@example.com", email_verified=True)
        body = {"email": "one@example.com", "email_verified": True}
        assert (await client.put(self.PATH, json=body)).json()["id"] == known["id"]

    async def test_a_claimed_address_makes_a_new_customer_and_a_candidate(self, client):
        known = await create(client, name="A", email="one@example.com")
        answer = await client.put(self.PATH, json={"email": "ONE@example.com"})
        assert answer.status_code == 201
        assert answer.json()["id"] != known["id"]

    async def test_two_systems_may_use_the_same_number(self, client):
        first = await client.put(self.PATH, json={"name": "Của ERP"})
        other = await client.put(self.PATH.replace("erp", "pos"), json={"name": "Của POS"})
        assert other.status_code == 201
        assert other.json()["id"] != first.json()["id"]


async def test_a_verified_address_has_one_owner(client):
    owner = await create(client, name="A", email="one@example.com", email_verified=True)
    taken = await client.post(
        "/v1/customers", json={"name": "B", "email": "one@example.com", "email_verified": True}
    )
    assert taken.status_code == 409
    assert taken.json()["code"] == "identity_taken"
    assert taken.json()["customer_ids"] == [owner["id"]]
    external = {"source": "erp", "external_id": "7"}
    await create(client, name="C", external_ids=[external])
    again = await client.post("/v1/customers", json={"name": "D", "external_ids": [external]})
    assert again.status_code == 409


async def test_a_claimed_address_becomes_verified(client):
    created = await create(client, name="A", email="one@example.com")
    await client.patch(
        f"/v1/customers/{created['id']}",
        json={"email": "one@example.com", "email_verified": True},
    )
    email = (await identities(client, created["id"]))["email", "one@example.com"]
    assert email["standing"] == "verified"


async def test_answers_are_what_the_api_document_says(client):
    """Hot answers are written without the models that document them."""
    consent = {
        "purpose": "marketing",
        "channel": "email",
        "status": "granted",
        "proof": {"page": "/dang-ky"},
    }
    created = await create(client, name="A", birth_date="2000-01-01", attributes={"half": 0.5})
    await client.post(f"/v1/customers/{created['id']}/consents", json=consent)
    for path in (f"/v1/customers/{created['id']}", f"/v1/customers/by-code/{created['code']}"):
        answer = (await client.get(path)).json()
        assert CustomerRead.model_validate(answer).model_dump(mode="json") == answer
    listed = (await client.get("/v1/customers")).json()
    assert CustomerList.model_validate(listed).model_dump(mode="json") == listed


async def test_an_address_that_stands_for_having_none_is_not_kept(client):
    placeholder = "KhongCo@gmail.com"
    made = (await client.post("/v1/customers", json={"name": "Lan", "email": placeholder})).json()
    assert made["email"] is None
    path = f"/v1/customers/{made['id']}"
    real = await client.patch(path, json={"email": "lan@shop.vn"})
    assert real.json()["email"] == "lan@shop.vn"
    same = await client.patch(path, json={"email": placeholder, "city": "Huế"})
    assert (same.json()["email"], same.json()["city"]) == ("lan@shop.vn", "Huế")
    told = await client.put(
        "/v1/customers/by-external-id/pos/9", json={"name": "Mai", "email": "guest@haravan.com"}
    )
    assert (told.status_code, told.json()["email"]) == (201, None)
    identities = (await client.get(f"{path}/identities")).json()["data"]
    assert [each["value"] for each in identities] == ["lan@shop.vn"]
    assert (await client.patch(path, json={"email": None})).json()["email"] is None
