"""Who may not see personal data cannot guess them by rules either."""

from typing import Any
from uuid import UUID

import pytest

from services.segmentation.rules import parse_rule, personal_leaves
from shared.audit.trail import SENSITIVE
from shared.contracts.audit import AuditRecorded
from shared.contracts.customer import CustomFieldDefined, CustomFieldState, FieldSensitivity
from shared.ids import new_id
from tests.segmentation.shop import Shop, customer

DUC = {
    "name": "Nguyễn Văn Đức",
    "email": "duc@example.com",
    "phone": "+84912345678",
    "birth_date": "1990-02-28",
    "attributes": {"work_email": "duc@hoamai.example.com", "shoe_size": 39},
}
PREVIEW, LIST = "/v1/segments/preview", "segmentMemberships.list"
HUE = {"field": "profile.city", "op": "eq", "value": "Huế"}
EMAIL = {"field": "profile.email", "op": "starts_with", "value": "d"}
PERSONAL = [
    {"field": "profile.full_name", "op": "contains", "value": "duc"},
    EMAIL,
    {"field": "profile.phone", "op": "starts_with", "value": "+849"},
    {"field": "profile.birth_date", "op": "before", "value": "1991-01-01"},
    {"field": "profile.age", "op": "gte", "value": 30},
    {"field": "attributes.work_email", "op": "starts_with", "value": "d"},
]


def body(rule: dict[str, Any]) -> dict[str, Any]:
    return {"key": "asked", "name": {"vi": "Hỏi", "en": "Asked"}, "rule": rule}


@pytest.mark.parametrize("leaf", PERSONAL, ids=lambda leaf: str(leaf["field"]))
async def test_a_rule_about_personal_data_needs_pii_read(shop: Shop, leaf: dict[str, Any]):
    await shop.hear(customer(**DUC))
    rule = {"all": [{"not": HUE}, {"not": {"not": leaf}}]}
    seen = await shop.call("POST", PREVIEW, {"rule": rule})
    assert (seen.status_code, seen.json()["count"]) == (200, 1)

    for path, asked in ((PREVIEW, {"rule": rule}), ("/v1/segments", body(rule))):
        refused = await shop.call("POST", path, asked, sees_pii=False)
        told = refused.json()
        assert (refused.status_code, told["code"]) == (403, "personal_rule")
        assert told["missing_scopes"] == ["pii:read"]
        assert [fault["pointer"] for fault in told["errors"]] == ["/body/rule/all/1/not/not/field"]
        assert "/body/rule/all/1/not/not/field" in told["detail"]


async def test_a_segment_is_not_given_such_a_rule_and_may_keep_the_one_it_has(shop: Shop):
    plain = (await shop.call("POST", "/v1/segments", body(HUE), sees_pii=False)).json()
    path = f"/v1/segments/{plain['id']}"
    refused = await shop.call("PATCH", path, {"rule": EMAIL}, sees_pii=False)
    assert (refused.status_code, refused.json()["code"]) == (403, "personal_rule")
    assert (await shop.get(path))["rule"] == HUE

    assert (await shop.call("PATCH", path, {"rule": EMAIL})).status_code == 200
    name = {"vi": "Khác", "en": "Other"}
    renamed = await shop.call("PATCH", path, {"name": name, "rule": EMAIL}, sees_pii=False)
    assert (renamed.status_code, renamed.json()["name"]) == (200, name)


async def test_other_rules_and_the_houses_templates_are_for_everybody(shop: Shop):
    preview = await shop.call("POST", PREVIEW, {"rule": HUE}, sees_pii=False)
    assert preview.status_code == 200
    size = {"field": "attributes.shoe_size", "op": "eq", "value": 39}
    assert personal_leaves(parse_rule(size), ()) == []
    templates = (await shop.get("/v1/segment-templates"))["data"]
    assert [t["key"] for t in templates if personal_leaves(parse_rule(t["rule"]), ())] == []


async def test_a_reason_shows_personal_data_only_to_those_who_may_see_them(shop: Shop):
    told = customer(**DUC)
    await shop.hear(told)
    known_size = {"field": "attributes.shoe_size", "op": "eq", "value": 39}
    segment = await shop.add_segment("born", {"all": [*PERSONAL, known_size]})
    explain = f"/v1/segments/{segment['id']}/explain/{told[0]}"
    of_customer = f"/v1/segment-memberships?customer_id={told[0]}"

    async def actual(*, sees_pii: bool) -> list[list[Any]]:
        explained = (await shop.call("GET", explain, sees_pii=sees_pii)).json()
        listed = (await shop.call("GET", of_customer, sees_pii=sees_pii)).json()
        (member,) = [each for each in listed["data"] if each["segment_key"] == "born"]
        nodes = (explained["rule"]["children"], member["because"])
        return [[node["actual"] for node in each] for each in nodes]

    full = [
        DUC["name"],
        DUC["email"],
        DUC["phone"],
        DUC["birth_date"],
        36,
        "duc@hoamai.example.com",
    ]
    assert await actual(sees_pii=True) == [[*full, 39], [*full, 39]]
    assert await looks(shop) == [("segments.explain", {told[0]}), (LIST, {told[0]})]
    assert await actual(sees_pii=False) == [[*[None] * 6, 39], [*[None] * 6, 39]]
    assert len(await looks(shop)) == 2


async def test_a_preview_that_shows_names_is_a_read_of_those_customers(shop: Shop):
    there, elsewhere = customer(**DUC, city="Huế"), customer(city="Hà Nội")
    await shop.hear(there, elsewhere)
    for sees_pii in (False, True):
        preview = await shop.call("POST", PREVIEW, {"rule": HUE}, sees_pii=sees_pii)
        assert preview.json()["count"] == 1
    assert await looks(shop) == [("segments.preview", {there[0]})]


async def mark(
    shop: Shop, key: str, sensitivity: FieldSensitivity, *, field_id: UUID, version: int = 1
) -> None:
    """The customer service tells of a field of the shop's own."""
    field = CustomFieldState(field_id=field_id, key=key, sensitivity=sensitivity, version=version)
    await shop.hear((field_id, CustomFieldDefined(field=field)))


async def test_a_field_that_the_shop_has_marked_is_personal_until_it_is_not(shop: Shop):
    field_id = new_id()
    size = {"field": "attributes.shoe_size", "op": "eq", "value": 39}
    await mark(shop, "shoe_size", "personal", field_id=field_id)
    for path, asked in ((PREVIEW, {"rule": size}), ("/v1/segments", body(size))):
        refused = await shop.call("POST", path, asked, sees_pii=False)
        assert (refused.status_code, refused.json()["code"]) == (403, "personal_rule")
        assert (await shop.call("POST", path, asked)).is_success
    await mark(shop, "shoe_size", "none", field_id=field_id, version=2)
    asked = await shop.call("POST", PREVIEW, {"rule": size}, sees_pii=False)
    assert asked.status_code == 200


async def test_a_reason_shows_marked_fields_only_to_those_who_may_see_them(shop: Shop):
    told = customer(**DUC)
    await shop.hear(told)
    size = {"field": "attributes.shoe_size", "op": "eq", "value": 39}
    segment = await shop.add_segment("size", {"all": [size]})
    explain = f"/v1/segments/{segment['id']}/explain/{told[0]}"
    of_customer = f"/v1/segment-memberships?customer_id={told[0]}"
    await mark(shop, "shoe_size", "sensitive", field_id=new_id())

    for sees_pii, seen in ((True, 39), (False, None)):
        explained = (await shop.call("GET", explain, sees_pii=sees_pii)).json()
        assert [node["actual"] for node in explained["rule"]["children"]] == [seen]
        listed = (await shop.call("GET", of_customer, sees_pii=sees_pii)).json()
        (member,) = [each for each in listed["data"] if each["segment_key"] == "size"]
        assert [node["actual"] for node in member["because"]] == [seen]
    events = await shop.service.told(shop.tenant, AuditRecorded.type)
    reads = [r for event in events for r in event["records"] if r["kind"] == "read"]
    assert [read["detail"] for read in reads] == [{SENSITIVE: ["attributes.shoe_size"]}] * 2


async def looks(shop: Shop) -> list[tuple[str, set[UUID]]]:
    """The reads that the audit log hears of: the operation and whom it showed."""
    events = await shop.service.told(shop.tenant, AuditRecorded.type)
    reads = [r for event in events for r in event["records"] if r["kind"] == "read"]
    return [(r["action"], {UUID(subject["id"]) for subject in r["subjects"]}) for r in reads]
