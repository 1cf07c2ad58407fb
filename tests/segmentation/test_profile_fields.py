"""What the profile of a customer says, as rules ask for it."""

from typing import Any

import pytest

from shared.contracts.customer import AddressState, IncomeBand
from tests.segmentation.shop import Shop, customer

DUC: dict[str, Any] = {
    "kind": "organisation",
    "relation": "partner",
    "occupation": "Giáo viên",
    "position": "Tổ trưởng",
    "income_band": IncomeBand(currency="VND", at_least="10000000", below="20000000"),
    "preferences": ("cà phê", "áo dài"),
    "preferred_channel": "zalo",
    "rating": 4,
    "tax_code": "0312345678",
    "address": AddressState(province="TP.HCM", vn63_province_code="79", vn34_province_code="79"),
}
VND = {"currency": "VND"}


async def preview(shop: Shop, *, sees_pii: bool = True, **leaf: Any) -> Any:
    leaf["field"] = f"profile.{leaf['field']}"
    return await shop.call("POST", "/v1/segments/preview", {"rule": leaf}, sees_pii=sees_pii)


@pytest.mark.capability(20)
@pytest.mark.parametrize(
    ("field", "op", "value", "other"),
    [
        ("kind", "eq", "organisation", "family"),
        ("relation", "in", ["partner", "supplier"], ["supplier"]),
        ("occupation", "eq", "Giáo viên", "giao vien"),
        ("occupation", "contains", "giao vien", "ky su"),
        ("position", "starts_with", "to tr", "truong"),
        ("preferences", "any_of", ["áo dài", "trà"], ["trà"]),
        ("preferred_channel", "eq", "zalo", "email"),
        ("rating", "gte", 4, 5),
        ("tax_code", "eq", "0312345678", "0100109106"),
        ("income_at_least", "gte", VND | {"amount": "10000000"}, VND | {"amount": "10000001"}),
        ("income_below", "lte", VND | {"amount": "20000000"}, VND | {"amount": "19999999"}),
        ("income_below", "lte", VND | {"amount": "20000000"}, {"amount": "9", "currency": "USD"}),
        ("vn63_province", "eq", "79", "01"),
        ("vn34_province", "eq", "79", "01"),
    ],
)
async def test_a_rule_finds_people_by_their_profile(
    shop: Shop, field: str, op: str, value: Any, other: Any
):
    await shop.hear(customer(**DUC), customer())
    counts = [
        (await preview(shop, field=field, op=op, value=asked)).json()["count"]
        for asked in (value, other)
    ]
    assert counts == [1, 0]


async def test_who_is_told_of_without_a_profile_is_a_person_and_a_customer(shop: Shop):
    await shop.hear(customer())
    for field, value in (("kind", "person"), ("relation", "customer")):
        assert (await preview(shop, field=field, op="eq", value=value)).json()["count"] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("tax_code", "1"), ("income_at_least", VND | {"amount": "1"})],
)
async def test_what_is_masked_is_not_asked_about(shop: Shop, field: str, value: Any):
    refused = await preview(shop, sees_pii=False, field=field, op="eq", value=value)
    assert (refused.status_code, refused.json()["code"]) == (403, "personal_rule")
