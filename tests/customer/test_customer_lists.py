"""Lists and search over the API."""

import base64
import json
import random
import unicodedata
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text as sql

from shared.contracts.gateway import PlatformIdentity
from shared.text import search_key
from tests.customer.told import platform_customer, platform_order


async def names(client, **params):
    answer = await client.get("/v1/customers", params=params)
    assert answer.status_code == 200, answer.text
    return [customer["name"] for customer in answer.json()["data"]]


@pytest.fixture
async def people(client):
    given = [
        {"name": "Nguyễn Văn Đức", "phone": "0912345678", "email": "duc.nguyen@hoamai.vn"},
        {"name": "Nguyễn Thị Đức Hạnh", "phone": "0987651234"},
        {"name": "Trần Văn An", "phone": "0356789012", "tags": ["VIP"], "stage": "customer"},
        {"name": "Lê Thanh", "email": "an1990@example.com", "source": "pos"},
    ]
    return [(await client.post("/v1/customers", json=fields)).json() for fields in given]


async def test_a_list_is_newest_first_and_pages_to_its_end(client, people):
    seen, cursor = [], None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/customers", params=params)).json()
        seen += [customer["id"] for customer in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [person["id"] for person in reversed(people)]


async def test_filters_must_all_hold(client, people):
    assert await names(client, stage="customer") == ["Trần Văn An"]
    assert await names(client, source="pos") == ["Lê Thanh"]
    assert await names(client, tag="VIP") == ["Trần Văn An"]
    assert await names(client, tag="VIP", stage="lead") == []
    assert await names(client, q="an", stage="customer") == ["Trần Văn An"]
    assert await names(client, q="tran", tag="VIP", source="pos") == []
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert await names(client, **{"created_at[gte]": tomorrow}) == []
    assert len(await names(client, **{"created_at[lt]": tomorrow})) == 4


@pytest.mark.capability(22)
async def test_a_changed_tag_changes_the_filter(client, people):
    await client.patch(f"/v1/customers/{people[2]['id']}", json={"tags": ["thường"]})
    assert await names(client, tag="VIP") == []
    assert await names(client, tag="thường") == ["Trần Văn An"]


@pytest.mark.capability(18)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    "text", ["nguyen van duc", "Nguyễn Văn Đức", "NGUYEN  VĂN  đức", "duc nguyen van"]
)
async def test_a_name_is_found_with_or_without_accents(client, people, text, form):
    assert await names(client, q=unicodedata.normalize(form, text)) == ["Nguyễn Văn Đức"]


@pytest.mark.capability(19)
async def test_last_digits_a_code_and_a_part_of_an_address_find_a_customer(client, people):
    assert await names(client, q="5678") == ["Nguyễn Văn Đức", "Trần Văn An"]
    assert await names(client, q=people[3]["code"]) == ["Lê Thanh"]
    assert await names(client, q="hoamai.vn") == ["Nguyễn Văn Đức"]
    assert await names(client, q="1990") == ["Lê Thanh"]


async def test_without_pii_read_nobody_is_found_by_address_or_number(service, shop, people):
    async with service.client(shop, "customers:read", sees_pii=False) as client:

        async def codes(text):
            answer = await client.get("/v1/customers", params={"q": text})
            assert answer.status_code == 200, answer.text
            return [customer["code"] for customer in answer.json()["data"]]

        for text in ("5678", "0912345678", "+84 91", "hoamai", "duc.nguyen@hoamai.vn", "le hoamai"):
            assert await codes(text) == [], text
        assert await codes("nguyen duc") == [people[1]["code"], people[0]["code"]]
        assert await codes(people[3]["code"].lower()) == [people[3]["code"]]
        assert await codes(people[3]["code"][-3:]) == [people[3]["code"]]
        # Nor does an address put somebody first.
        assert await codes("an") == [people[2]["code"]]
        assert await codes("thanh") == [people[3]["code"]]


@pytest.mark.parametrize(
    "text",
    [
        *("0912345678", "+84 912 345 678", "091 234.5678", "84912345678"),
        *("(091) 234-5678", "(+84) 912 345 678", "+(84) 912-345-678"),
    ],
)
async def test_a_whole_number_is_found_however_it_is_written(client, people, text):
    assert await names(client, q=text) == ["Nguyễn Văn Đức"]


async def test_the_better_match_comes_first_across_pages(client, people):
    page = (await client.get("/v1/customers", params={"q": "duc", "limit": 1})).json()
    assert [c["name"] for c in page["data"]] == ["Nguyễn Thị Đức Hạnh"]
    rest = await client.get(
        "/v1/customers", params={"q": "duc", "limit": 1, "cursor": page["next_cursor"]}
    )
    assert [c["name"] for c in rest.json()["data"]] == ["Nguyễn Văn Đức"]
    assert await names(client, q="an") == ["Trần Văn An", "Lê Thanh"]


@pytest.mark.parametrize(
    "text", ["100%", "a_b", "\\", "'; DROP TABLE customer; --", "%", "\\%L", "!!!"]
)
async def test_signs_that_mean_something_to_the_database_mean_nothing_here(client, people, text):
    assert await names(client, q=text) == []


async def test_a_cursor_of_another_list_is_refused(client, people):
    page = (await client.get("/v1/customers", params={"q": "duc", "limit": 1})).json()
    answer = await client.get("/v1/customers", params={"cursor": page["next_cursor"]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "invalid_cursor"


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        ({"sort": "total_spent"}, ["total_spent", 10**25, "01a2089a-7c4b-7350-9b8e-b192a363dbe9"]),
        ({"sort": "total_spent"}, ["total_spent", 1e300, "01a2089a-7c4b-7350-9b8e-b192a363dbe9"]),
        ({"sort": "orders_count"}, ["orders_count", 2**31, "01a2089a-7c4b-7350-9b8e-b192a363dbe9"]),
        ({"q": "duc"}, [10**30, "2026-03-01T00:00:00Z", "01a2089a-7c4b-7350-9b8e-b192a363dbe9"]),
        (
            {"sort": "created_at"},
            ["created_at", "9999-12-31T23:59:59-14:00", "01a2089a-7c4b-7350-9b8e-b192a363dbe9"],
        ),
        (
            {"sort": "created_at"},
            ["created_at", "2026-03-01T00:00:00", "01a2089a-7c4b-7350-9b8e-b192a363dbe9"],
        ),
    ],
)
async def test_a_cursor_of_what_no_column_holds_is_refused(client, people, asked, values):
    cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
    answer = await client.get("/v1/customers", params={**asked, "cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "invalid_cursor")


async def test_a_changed_name_is_found_by_its_new_form_only(client, people):
    await client.patch(f"/v1/customers/{people[3]['id']}", json={"name": "Phạm Hùng"})
    assert await names(client, q="le thanh") == []
    assert await names(client, q="pham") == ["Phạm Hùng"]


async def test_names_with_the_accents_that_were_typed_come_first(client):
    for name in ("Trần Đức", "Trần Dục", "TRẦN ĐỨC", "Đức Trần", "Tran Duc"):
        await client.post("/v1/customers", json={"name": name})
    assert (await names(client, q="Đức"))[:3] == ["Đức Trần", "TRẦN ĐỨC", "Trần Đức"]
    assert await names(client, q="trần đức") == [
        *("TRẦN ĐỨC", "Trần Đức", "Đức Trần", "Tran Duc", "Trần Dục")
    ]
    assert await names(client, q="tran duc") == [
        *("Tran Duc", "TRẦN ĐỨC", "Trần Dục", "Trần Đức", "Đức Trần")
    ]
    page = (await client.get("/v1/customers", params={"q": "Đức", "limit": 3})).json()
    following = {"q": "Đức", "limit": 3, "cursor": page["next_cursor"]}
    assert await names(client, **following) == ["Tran Duc", "Trần Dục"]


async def test_the_code_of_an_order_finds_who_bought(service, shop, client, people):
    buyer = PlatformIdentity(external_id="9", name="Phạm Hùng", email="hung@example.com")
    await service.receive(shop, "gateway", [platform_order("1", number="DH-2041", buyer=buyer)])
    for text in ("DH-2041", "dh-2041", "#DH-2041"):
        assert await names(client, q=text) == ["Phạm Hùng"], text
    assert await names(client, q="DH-2041", stage="lead") == []
    assert await names(client, q="DH-2041", has_email="true", stage="customer") == ["Phạm Hùng"]
    assert await names(client, q="DH-204") == []
    async with service.client(shop, "customers:read", sees_pii=False) as masked:
        answer = await masked.get("/v1/customers", params={"q": "DH-2041"})
        assert len(answer.json()["data"]) == 1


async def test_who_types_the_code_of_an_order_finds_its_buyer_alone(service, shop, client, people):
    buyer = PlatformIdentity(external_id="9", name="Phạm Hùng", email="hung@example.com")
    await service.receive(shop, "gateway", [platform_order("1", number="#2041", buyer=buyer)])
    await client.post("/v1/customers", json={"name": "Khách của #2041"})
    assert await names(client, q="#2041") == ["Phạm Hùng"]
    assert await names(client, q="#2041", has_email="false") == []
    assert set(await names(client, q="2041")) == {"Phạm Hùng", "Khách của #2041"}
    await client.post("/v1/customers", json={"name": "Khách của #3052"})
    assert await names(client, q="#3052") == ["Khách của #3052"]


async def test_merged_records_are_in_no_list_and_lead_a_search_to_who_they_are(
    service, shop, client, people
):
    root, merged = people[0], people[1]
    order = platform_order("1", number="DH-2041", buyer=PlatformIdentity(external_id="9"))
    await service.receive(shop, "gateway", [order])
    bought = (await client.get("/v1/customers", params={"orders_count[gte]": 1})).json()["data"][0]
    async with service.context.units.begin(shop) as uow:
        statement = sql(
            "UPDATE customer.customer SET parent_id = :root, merged_into = :root "
            "WHERE tenant_id = :tenant AND id = ANY(:ids)"
        )
        ids = [UUID(merged["id"]), UUID(bought["id"])]
        root_id = UUID(root["id"])
        await uow.execute(statement, {"tenant": shop, "root": root_id, "ids": ids})
        await uow.commit()
    left = {person["name"] for person in people} - {merged["name"]}
    for params in ({}, {"sort": "name"}, {"sort": "-updated_at"}):
        assert set(await names(client, **params)) == left
    assert await names(client, q="đức hạnh") == [root["name"]]
    assert await names(client, q="51234") == [root["name"]]
    assert await names(client, q="DH-2041") == [root["name"]]
    assert await names(client, **{"orders_count[gte]": 1}) == []
    counted = (await client.get("/v1/customers", params={"count": "exact"})).json()
    assert (counted["count"], counted["count_is_exact"]) == (3, True)


class TestAmongMany:
    """Past the sample, the search walks the list or asks the index: both find the same."""

    NAMES = ("Nguyễn", "Trần", "Lê", "Phạm"), ("Văn", "Thị"), ("An", "Bình", "Đức", "Lan", "Tý")

    @pytest.fixture
    async def crowd(self, service, shop, client):
        chance = random.Random(1)
        events = [
            platform_customer(
                f"c{n}",
                name=" ".join(
                    chance.choices(part, range(len(part), 0, -1))[0] for part in self.NAMES
                ),
                phone=f"0912{chance.randrange(10**6):06d}",
            )
            for n in range(900)
        ]
        await service.receive(shop, "gateway", events)
        everybody, cursor = [], None
        while cursor or not everybody:
            params = {"limit": 200} | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/v1/customers", params=params)).json()
            everybody += page["data"]
            cursor = page["next_cursor"]
        return everybody

    async def test_the_newest_matches_are_found(self, client, crowd):
        for text in (
            "nguyen",
            "nguyen van",
            "le thi ty",
            "duc",
            "an",
            "pham thi lan",
            "zzz",
            "ty le",
        ):
            page = await client.get("/v1/customers", params={"q": text, "limit": 200})
            found = {customer["id"] for customer in page.json()["data"]}
            assert found == {c["id"] for c in _matching(text, crowd)[:200]}, text

    async def test_an_estimate_of_few_is_exact(self, client, crowd):
        estimate = (await client.get("/v1/customers", params={"count": "estimate"})).json()
        assert (estimate["count"], estimate["count_is_exact"]) == (len(crowd), True)

    async def test_who_ends_in_the_digits_is_found_among_all_who_contain_them(self, client, crowd):
        wanted = crowd[-1]
        page = await client.get("/v1/customers", params={"q": wanted["phone"][-4:]})
        found = [customer["id"] for customer in page.json()["data"]]
        enders = [c["id"] for c in crowd if c["phone"].endswith(wanted["phone"][-4:])]
        assert wanted["id"] in found
        assert found[: len(enders)] == enders


def _matching(text, customers):
    """The slow and obvious search: long words anywhere, short ones where a word begins."""
    words = [word if len(word) > 2 else f" {word}" for word in text.split()]
    keys = ((customer, f" {search_key(customer['name'])} ") for customer in customers)
    return [customer for customer, key in keys if all(word in key for word in words)]


async def test_a_cursor_tells_nobody_the_names_that_they_are_not_shown(service, shop):
    names = ["Bùi Thị Mật", "Đặng Văn Kín", "Trần Văn Giấu"]
    async with service.client(shop, "customers:read", "customers:write") as client:
        for name in names:
            made = await client.post("/v1/customers", json={"name": name})
            assert made.status_code == 201
    async with service.client(shop, "customers:read", sees_pii=False) as masked:
        query = {"sort": "name", "limit": 1}
        found, cursors = [], []
        while True:
            page = (await masked.get("/v1/customers", params=query)).json()
            found += [row["name"] for row in page["data"]]
            if page["next_cursor"] is None:
                break
            cursors.append(page["next_cursor"])
            query["cursor"] = page["next_cursor"]
        assert found == ["B. T. M.", "Đ. V. K.", "T. V. G."]
        for cursor in cursors:
            read = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            assert b"name" not in read
        plain = base64.urlsafe_b64encode(b'["name","a","01"]').decode()
        refused = await masked.get("/v1/customers", params={"sort": "name", "cursor": plain})
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "invalid_cursor")


@pytest.mark.capability(17, 19)
async def test_what_a_merged_record_was_known_by_leads_to_the_person(service, shop):
    scopes = ("customers:read", "customers:write", "duplicates:write")
    async with service.client(shop, *scopes) as client:

        async def made(**said):
            return (await client.post("/v1/customers", json=said)).json()

        stays = await made(name="Lan Một", phone="0912345671", email="mot@hoamai.vn")
        other = await made(name="Trần Thị Kiếm", phone="0987654322", email="kiem@hoamai.vn")
        await made(name="Trần Văn Không", phone="0900000001")
        path = f"/v1/customers/{stays['id']}/merges"
        merge = await client.post(path, json={"customer_ids": [other["id"]]})
        assert merge.status_code == 201, merge.text

        async def found(reader, text, **more):
            answer = await reader.get("/v1/customers", params={"q": text, **more})
            assert answer.status_code == 200, answer.text
            return [customer["code"] for customer in answer.json()["data"]]

        known_by = ["tran thi kiem", "Kiếm", other["code"]]
        reached_by = ["0987 654 322", "4322", "+84987654322", "kiem@", "kiem@hoamai.vn"]
        for text in (*known_by, *reached_by):
            assert await found(client, text) == [stays["code"]], text
        # Whose own name it is comes first.
        own = await made(name="Trần Thị Kiếm")
        assert await found(client, "tran thi kiem") == [own["code"], stays["code"]]
        assert await found(client, "4322", stage="customer") == []
        async with service.client(shop, "customers:read", sees_pii=False) as masked:
            for text in known_by:
                assert stays["code"] in await found(masked, text), text
            for text in reached_by:
                assert await found(masked, text) == [], text
        assert (await client.post(f"/v1/merges/{merge.json()['id']}/undo")).is_success
        assert await found(client, "4322") == [other["code"]]


@pytest.mark.capability(19)
async def test_a_second_number_or_address_finds_its_person_while_it_is_theirs(service, shop):
    scopes = ("customers:read", "customers:write")
    async with service.client(shop, *scopes) as client:
        made = await client.post("/v1/customers", json={"name": "Hai Số", "phone": "0912345671"})
        identities = f"/v1/customers/{made.json()['id']}/identities"
        second = {"standing": "verified", "reason": "Gọi lại"}
        number = await client.post(
            identities, json={"kind": "phone", "value": "0987654322", **second}
        )
        assert number.status_code == 201, number.text
        await client.post(identities, json={"kind": "email", "value": "Hai@hoamai.vn", **second})

        async def found(text):
            answer = (await client.get("/v1/customers", params={"q": text})).json()
            return [customer["name"] for customer in answer["data"]]

        for text in ("0987654322", "+84 987 654 322", "hai@HOAMAI.vn"):
            assert await found(text) == ["Hai Số"], text
        ended = {"valid_until": datetime.now(UTC).isoformat()}
        changed = await client.patch(f"{identities}/{number.json()['id']}", json=ended)
        assert changed.status_code == 200, changed.text
        assert await found("0987654322") == []
