"""Filters of the list by what the profile says of people, and by where they live."""

import pytest

from tests.customer.test_customer_filters import add, fault, listed

PEOPLE = (
    {
        "name": "An",
        "occupation": "Giáo viên",
        "position": "Tổ trưởng",
        "preferences": ["cà phê", "áo dài"],
        "preferred_channel": "zalo",
        "rating": 4,
        "tax_code": "0312345678",
        "income_band": {"currency": "VND", "at_least": "10000000", "below": "20000000"},
    },
    {
        "name": "Bình",
        "occupation": "Kỹ sư, kiến trúc sư",
        "position": "Giám đốc",
        "preferences": ["trà"],
        "preferred_channel": "email",
        "rating": 5,
        "tax_code": "0100109106",
        "income_band": {"currency": "VND", "at_least": "20000000"},
    },
    {"name": "Chi", "income_band": {"currency": "USD", "at_least": "30000000"}},
)


@pytest.fixture
async def crowd(client) -> None:
    for known in PEOPLE:
        await add(client, **known)


@pytest.mark.capability(20)
@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"occupation": "Giáo viên"}, ["An"]),
        ({"occupation": ["Giáo viên", "Kỹ sư, kiến trúc sư"]}, ["Bình", "An"]),
        ({"position": "Giám đốc"}, ["Bình"]),
        ({"preferences": "áo dài"}, ["An"]),
        ({"preferences": ["áo dài", "trà"]}, ["Bình", "An"]),
        ({"preferred_channel": "zalo,sms"}, ["An"]),
        ({"rating": "5"}, ["Bình"]),
        ({"rating": "4,5"}, ["Bình", "An"]),
        ({"rating[gte]": "4", "rating[lte]": "4"}, ["An"]),
        ({"tax_code": "0312345678"}, ["An"]),
        ({"income_at_least[gte]": "10000000"}, ["Bình", "An"]),
        ({"income_at_least[gte]": "10000001"}, ["Bình"]),
        ({"income_below[lte]": "20000000"}, ["An"]),
        ({"rating": "4", "preferences": "cà phê", "stage": "lead"}, ["An"]),
    ],
)
async def test_a_filter_finds_them_by_their_profile(client, crowd, asked, names):
    assert await listed(client, **asked) == names
    assert sorted(await listed(client, sort="name", **asked)) == sorted(names)
    counted = await client.get("/v1/customers", params={**asked, "count": "exact"})
    assert counted.json()["count"] == len(names)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"tax_code": "0312345678"}, "tax_code"),
        ({"income_at_least[gte]": "1"}, "income_band"),
        ({"income_below[lte]": "1"}, "income_band"),
    ],
)
async def test_what_is_masked_is_not_asked_about(service, shop, crowd, asked, field):
    async with service.client(shop, "customers:read", sees_pii=False) as masked:
        refused = await masked.get("/v1/customers", params=asked)
    assert refused.status_code == 403
    [fault] = refused.json()["errors"]
    assert field in fault["detail"]


async def test_a_province_is_found_by_its_code_however_it_is_written(client):
    for name, written in (("An", "TP.HCM"), ("Bình", "Thành phố Hồ Chí Minh"), ("Chi", "Huế")):
        known = await add(client, name=name)
        address = {"full_address": f"12 Lê Lợi, P. Bến Nghé, Q.1, {written}"}
        if name == "Chi":
            address = {"full_address": "5 Lê Lợi, Phường Vĩnh Ninh, TP Huế, Thừa Thiên Huế"}
        answer = await client.post(f"/v1/customers/{known['id']}/addresses", json=address)
        assert answer.status_code == 201, answer.text
    assert await listed(client, vn63_province="79") == ["Bình", "An"]
    assert await listed(client, vn34_province="79") == ["Bình", "An"]
    assert await listed(client, vn34_province="79,46") == ["Chi", "Bình", "An"]
    assert await fault(client, vn63_province="HCM") == (
        "/query/vn63_province/0",
        "string_pattern_mismatch",
    )
