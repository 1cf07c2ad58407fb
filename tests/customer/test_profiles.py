"""What is known of people and organisations, over the API."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

LUNAR = {"day": 15, "month": 8, "year": 1990}


async def _created(client, **fields):
    answer = await client.post("/v1/customers", json={"name": "Nguyễn Văn Đức", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.capability(4)
async def test_everything_told_of_a_person_is_returned_as_it_was_told(client):
    told = {
        "kind": "person",
        "relation": "customer",
        "given_name": "Đức",
        "honorific": "anh",
        "gender": "male",
        "birth_date": "1990-10-03",
        "phone": "+84912345678",
        "email": "duc@example.com",
        "city": "Thủ Đức",
        "province": "TP. Hồ Chí Minh",
        "country": "VN",
        "locale": "vi",
        "time_zone": "Asia/Ho_Chi_Minh",
        "occupation": "Giáo viên",
        "position": "Tổ trưởng",
        "income_band": {"currency": "VND", "at_least": "10000000", "below": "20000000"},
        "preferences": ["cà phê", "áo dài"],
        "preferred_channel": "zalo",
        "rating": 4,
        "tax_code": "0312345678",
    }
    made = await _created(client, **told)
    read = (await client.get(f"/v1/customers/{made['id']}")).json()

    assert {name: read[name] for name in told} == told
    listed = (await client.get("/v1/customers")).json()["data"]
    assert [row for row in listed if row["id"] == made["id"]] == [read]


async def test_what_nobody_told_is_null(client):
    made = await _created(client)

    assert (made["kind"], made["relation"]) == ("person", "customer")
    for name in ("given_name", "birth_date_lunar", "income_band", "preferences", "rating"):
        assert made[name] is None


async def test_a_change_leaves_what_it_does_not_name_and_null_clears(client):
    made = await _created(client, occupation="Giáo viên", rating=4, preferences=["trà"])
    path = f"/v1/customers/{made['id']}"

    after = (await client.patch(path, json={"rating": None, "honorific": "chị"})).json()

    assert (after["rating"], after["honorific"]) == (None, "chị")
    assert (after["occupation"], after["preferences"]) == ("Giáo viên", ["trà"])
    assert after["version"] == made["version"] + 1
    same = (await client.patch(path, json={"honorific": "chị"})).json()
    assert same["version"] == after["version"]
    cleared = (await client.patch(path, json={"income_band": None, "preferences": None})).json()
    assert cleared["preferences"] is None
    refused = await client.patch(path, json={"kind": None})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/body/kind"


@pytest.mark.parametrize(
    ("lunar", "solar"),
    [
        (LUNAR, "1990-10-03"),
        # Tết of 2007, when the Chinese calendar was a day later.
        ({"day": 1, "month": 1, "year": 2007}, "2007-02-17"),
        ({"day": 5, "month": 6, "leap_month": True, "year": 2025}, "2025-07-29"),
    ],
)
async def test_a_lunar_birthday_with_its_year_is_a_day_by_the_sun(client, lunar, solar):
    made = await _created(client, birth_date_lunar=lunar)

    assert made["birth_date"] == solar
    assert made["birth_date_lunar"] == {"leap_month": False, **lunar}


async def test_nobody_is_born_in_the_future(client):
    made = await _created(client)
    today = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date()
    tomorrow = {"birth_date": (today + timedelta(days=1)).isoformat()}
    lunar = {"birth_date_lunar": {"day": 1, "month": 1, "year": today.year + 3}}
    for said in (tomorrow, lunar, {"birth_date": "2150-01-01"}):
        body = {"name": "Lan", **said}
        for refused in (
            await client.post("/v1/customers", json=body),
            await client.patch(f"/v1/customers/{made['id']}", json=said),
            await client.put("/v1/customers/by-external-id/pos/1", json=body),
        ):
            assert (refused.status_code, refused.json()["code"]) == (422, "not_yet_born")
            assert refused.json()["errors"][0]["pointer"] == f"/body/{next(iter(said))}"
    born = await client.patch(f"/v1/customers/{made['id']}", json={"birth_date": today.isoformat()})
    assert born.json()["birth_date"] == today.isoformat()


async def test_a_lunar_birthday_without_its_year_says_no_more_than_that(client):
    made = await _created(client, birth_date_lunar={"day": 30, "month": 2})

    assert made["birth_date_lunar"] == {"day": 30, "month": 2, "leap_month": False}
    assert made["birth_date"] is None


async def test_a_day_that_was_told_is_kept_beside_the_lunar_one(client):
    made = await _created(client, birth_date="1990-10-04", birth_date_lunar=LUNAR)

    assert made["birth_date"] == "1990-10-04"


@pytest.mark.parametrize(
    ("said", "pointer", "code"),
    [
        ({"birth_date_lunar": {"day": 30, "month": 2, "year": 2026}}, "", "no_such_lunar_day"),
        (
            {"birth_date_lunar": {"day": 1, "month": 5, "leap_month": True, "year": 2026}},
            "",
            "no_such_lunar_day",
        ),
        ({"birth_date_lunar": {"day": 31, "month": 1}}, "/day", "less_than_equal"),
        ({"income_band": {"currency": "VND"}}, "", "empty_band"),
        (
            {"income_band": {"currency": "VND", "at_least": "20", "below": "10"}},
            "",
            "empty_band",
        ),
        ({"time_zone": "Asia/Saigon_City"}, "", "unknown_time_zone"),
        ({"rating": 6}, "", "less_than_equal"),
        ({"relation": "friend"}, "", "literal_error"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(client, said, pointer, code):
    [field] = said
    answer = await client.post("/v1/customers", json={"name": "Lan", **said})

    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (f"/body/{field}{pointer}", code)


@pytest.mark.capability(31)
async def test_a_supplier_is_kept_with_what_they_are_to_the_shop(client):
    made = await _created(client, kind="organisation", relation="supplier", tax_code="0312345678")

    assert (made["kind"], made["relation"]) == ("organisation", "supplier")


async def test_without_the_right_to_personal_data_neither_income_nor_birthday_is_seen(
    service, shop, client
):
    made = await _created(
        client,
        given_name="Đức",
        birth_date_lunar=LUNAR,
        income_band={"currency": "VND", "below": "5000000"},
        tax_code="0312345678",
        occupation="Giáo viên",
    )
    async with service.client(shop, "customers:read", sees_pii=False) as other:
        seen = (await other.get(f"/v1/customers/{made['id']}")).json()

    assert seen["occupation"] == "Giáo viên"
    assert (seen["income_band"], seen["birth_date_lunar"], seen["tax_code"]) == (None, None, "***")
    assert seen["given_name"] == "Đ."
