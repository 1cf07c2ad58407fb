"""Fields that a shop has marked: who sees them, who asks by them, and that it is noted."""

from typing import Any

import httpx
import pytest

from services.customer.jobs import build_job_kinds
from shared.audit.trail import SENSITIVE
from shared.contracts.audit import AuditRecorded
from shared.contracts.customer import CustomFieldDefined
from shared.ids import TenantId
from shared.jobs.runner import JobRunner
from tests.customer.test_custom_fields import add, define, faults
from tests.support.harness import ServiceHarness
from tests.support.job_part import nobody

SCOPES = (
    *("customers:read", "customers:write", "custom_fields:read", "custom_fields:write"),
    *("exports:read", "exports:write", "jobs:read", "duplicates:read"),
)
SECRET = "hen suyễn 7193"


@pytest.fixture
async def masked(service: ServiceHarness, shop: TenantId):
    """A client who may not see personal data."""
    async with service.client(shop, *SCOPES, sees_pii=False) as client:
        yield client


@pytest.fixture
async def full(service: ServiceHarness, shop: TenantId):
    async with service.client(shop, *SCOPES) as client:
        yield client


async def reads(service: ServiceHarness, shop: TenantId, action: str) -> list[dict[str, Any]]:
    events = await service.told(shop, AuditRecorded.type)
    return [
        record
        for event in events
        for record in event["records"]
        if record["kind"] == "read" and record["action"] == action
    ]


async def of_one(client: httpx.AsyncClient, customer_id: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/customers/{customer_id}")
    assert answer.status_code == 200, answer.text
    attributes: dict[str, Any] = answer.json()["attributes"]
    return attributes


async def test_a_field_is_marked_when_it_is_defined_and_nothing_is_marked_unasked(full):
    plain = await define(full, "shoe_size", "number")
    telling = await define(full, "work_email", "text")
    said = await define(full, "allergy", "text", sensitivity="sensitive")
    assert [each["sensitivity"] for each in (plain, telling, said)] == [
        "none",
        "personal",
        "sensitive",
    ]
    wrong = {"key": "x", "label": {"vi": "x"}, "sensitivity": "secret"}
    refused = await full.post("/v1/custom-fields", json=wrong)
    assert refused.status_code == 422


async def test_marked_values_are_shown_to_those_alone_who_may_see_personal_data(full, masked):
    await define(full, "allergy", "text", sensitivity="sensitive")
    await define(full, "salary", "number", sensitivity="personal")
    await define(full, "shoe_size", "number")
    said = {"allergy": SECRET, "salary": 30_000_000, "shoe_size": 39, "note": "khách quen"}
    made = await add(full, **said)
    shown = {"salary": "***", "shoe_size": 39, "note": "khách quen"}

    assert await of_one(full, made["id"]) == said
    assert await of_one(masked, made["id"]) == shown
    by_code = await masked.get(f"/v1/customers/by-code/{made['code']}")
    assert by_code.json()["attributes"] == shown
    listed = await masked.get("/v1/customers")
    assert [each["attributes"] for each in listed.json()["data"]] == [shown]
    searched = await masked.get("/v1/customers", params={"q": "duc"})
    assert [each["attributes"] for each in searched.json()["data"]] == [shown]


async def test_answers_to_writes_are_masked_also_when_they_are_told_again(full, masked):
    await define(full, "allergy", "text", sensitivity="sensitive")
    made = await add(full, allergy=SECRET)
    key = {"idempotency-key": "mark-1"}
    for _ in range(2):
        body = {"attributes": {"shoe_size": 39}}
        changed = await masked.patch(f"/v1/customers/{made['id']}", json=body, headers=key)
        assert changed.json()["attributes"] == {"shoe_size": 39}, changed.text
    assert await of_one(full, made["id"]) == {"allergy": SECRET, "shoe_size": 39}


async def test_a_mark_holds_from_the_next_answer_on_and_for_what_was_there_before(full, masked):
    field = await define(full, "allergy", "text")
    made = await add(full, allergy=SECRET)
    assert await of_one(masked, made["id"]) == {"allergy": SECRET}
    path = f"/v1/custom-fields/{field['id']}"
    for mark, shown in (("personal", {"allergy": "***"}), ("sensitive", {})):
        assert (await masked.patch(path, json={"sensitivity": mark})).status_code == 200
        assert await of_one(masked, made["id"]) == shown
    archived = await masked.patch(path, json={"archived": True})
    assert archived.json()["sensitivity"] == "sensitive"
    assert await of_one(masked, made["id"]) == {}


async def test_who_may_not_see_values_cannot_take_their_mark_away(full, masked):
    field = await define(full, "allergy", "text", sensitivity="sensitive")
    path = f"/v1/custom-fields/{field['id']}"
    for answer in (
        await masked.patch(path, json={"sensitivity": "personal"}),
        await masked.patch(path, json={"sensitivity": "none"}),
        await masked.delete(path),
    ):
        assert (answer.status_code, answer.json()["missing_scopes"]) == (403, ["pii:read"])
    same = await masked.patch(path, json={"sensitivity": "sensitive", "required": True})
    assert (same.status_code, same.json()["required"]) == (200, True)
    lowered = await full.patch(path, json={"sensitivity": "none"})
    assert (lowered.status_code, lowered.json()["sensitivity"]) == (200, "none")
    assert (await masked.delete(path)).status_code == 204


async def test_changes_of_a_mark_are_recorded_and_told(service, shop, full):
    field = await define(full, "allergy", "text")
    await full.patch(f"/v1/custom-fields/{field['id']}", json={"sensitivity": "sensitive"})
    records = [
        record
        for event in await service.told(shop, AuditRecorded.type)
        for record in event["records"]
        if record["action"] == "customFields.update"
    ]
    assert [record["changes"]["sensitivity"] for record in records] == [
        {"old": "none", "new": "sensitive"}
    ]
    told = [event["field"] for event in await service.told(shop, CustomFieldDefined.type)]
    assert [(each["key"], each["sensitivity"], each["version"]) for each in told] == [
        ("allergy", "none", 1),
        ("allergy", "sensitive", 2),
    ]


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"attributes[allergy]": SECRET}, "/query/attributes[allergy]"),
        ({"attributes[allergy][begins]": "hen"}, "/query/attributes[allergy]"),
        ({"attributes[allergy][in]": "a,b", "count": "exact"}, "/query/attributes[allergy]"),
        ({"attributes[salary][gte]": "5"}, "/query/attributes[salary]"),
        ({"attributes[allergy][exists]": "true"}, "/query/attributes[allergy]"),
        ({"attributes[work_email][begins]": "d"}, "/query/attributes[work_email]"),
        ({"sort": "attributes.salary"}, "/query/sort"),
        ({"sort": "-attributes.allergy"}, "/query/sort"),
        ({"birth_month": "2"}, "/query/birth_month"),
        ({"birth_day": "28"}, "/query/birth_day"),
        ({"birth_date[gte]": "1990-01-01"}, "/query/birth_date[gte]"),
        ({"birth_date[lt]": "1990-01-01"}, "/query/birth_date[lt]"),
    ],
)
async def test_nobody_finds_out_by_filters_or_orders_what_they_are_not_shown(
    full, masked, asked: dict[str, str], pointer: str
):
    await define(full, "allergy", "text", sensitivity="sensitive")
    await define(full, "salary", "number", sensitivity="personal")
    # A key that tells what it holds is masked whatever it is marked as.
    await define(full, "work_email", "text", sensitivity="none")
    await define(full, "shoe_size", "number")
    await add(full, allergy=SECRET, salary=5, work_email="d@example.com", shoe_size=39)

    refused = await masked.get("/v1/customers", params=asked)
    told = refused.json()
    assert (refused.status_code, told["code"]) == (403, "personal_question")
    assert told["missing_scopes"] == ["pii:read"]
    assert [fault["pointer"] for fault in told["errors"]] == [pointer]
    assert (await full.get("/v1/customers", params=asked)).status_code == 200

    open_to_all = {"attributes[shoe_size]": "39", "sort": "attributes.shoe_size"}
    allowed = await masked.get("/v1/customers", params=open_to_all)
    assert (allowed.status_code, len(allowed.json()["data"])) == (200, 1)


async def test_nobody_finds_out_by_trying_what_an_archived_field_holds(full, masked):
    field = await define(full, "allergy", "text", sensitivity="sensitive")
    made = await add(full, allergy=SECRET)
    await full.patch(f"/v1/custom-fields/{field['id']}", json={"archived": True})
    path = f"/v1/customers/{made['id']}"
    tried = [
        await masked.patch(path, json={"attributes": {"allergy": guess}})
        for guess in ("phấn hoa", SECRET)
    ]
    assert [await faults(answer) for answer in tried] == [
        {"/body/attributes/allergy": "archived"}
    ] * 2
    again = await full.patch(path, json={"attributes": {"allergy": SECRET}})
    assert again.status_code == 200


async def test_a_sensitive_field_is_named_where_somebody_saw_it(service, shop, full, masked):
    await define(full, "allergy", "text", sensitivity="sensitive")
    await define(full, "salary", "number", sensitivity="personal")
    made = await add(full, allergy=SECRET, salary=5)
    plain = await add(full, salary=7)
    band = {"income_band": {"currency": "VND", "at_least": "10000000"}}
    changed = await full.patch(f"/v1/customers/{plain['id']}", json=band)
    assert changed.status_code == 200, changed.text
    await full.get(f"/v1/customers/{made['id']}")
    await full.get(f"/v1/customers/{plain['id']}")
    await masked.get(f"/v1/customers/{made['id']}")
    await full.get("/v1/customers")

    seen = await reads(service, shop, "customers.get")
    assert [record["detail"].get(SENSITIVE) for record in seen] == [
        ["attributes.allergy"],
        ["income_band"],
    ]
    (listed,) = await reads(service, shop, "customers.list")
    assert listed["detail"] == {SENSITIVE: ["attributes.allergy", "income_band"]}
    assert SECRET not in str([*seen, listed])


async def test_a_merge_tells_nothing_of_marked_fields(full, masked):
    await define(full, "allergy", "text", sensitivity="sensitive")
    first, second = await add(full, allergy=SECRET), await add(full, allergy=f"khác {SECRET}")
    path = f"/v1/customers/{first['id']}/merges"
    body = {"customer_ids": [second["id"]]}
    for dry_run in ("true", "false"):
        answer = await masked.post(path, json=body, params={"dry_run": dry_run})
        assert answer.is_success, answer.text
        assert SECRET not in answer.text
    for place in ("merges", "timeline", "provenance"):
        told = await masked.get(f"/v1/customers/{first['id']}/{place}")
        assert (told.status_code, SECRET in told.text) == (200, False), place


async def test_what_does_not_fit_a_marked_field_is_not_told_either(full, masked):
    made = await add(full, debt=SECRET)
    field = await define(full, "debt", "number", sensitivity="sensitive")
    await full.patch(f"/v1/customers/{made['id']}", json={"attributes": {"shoe_size": 39}})
    path = f"/v1/custom-fields/{field['id']}/misfits"
    assert [each["value"] for each in (await full.get(path)).json()["data"]] == [SECRET]
    assert [each["value"] for each in (await masked.get(path)).json()["data"]] == ["***"]


async def test_what_was_sent_by_a_form_is_masked_and_noted_too(service, shop, client, full):
    await define(full, "allergy", "text", sensitivity="sensitive")
    words = {"vi": "Dị ứng"}
    form = {
        "name": "Đăng ký",
        "title": words,
        "fields": [{"name": "email", "required": True}],
        "own_fields": [{"key": "allergy", "label": words, "type": "text"}],
        "thank_you": words,
    }
    path = f"/v1/lead-forms/{(await client.post('/v1/lead-forms', json=form)).json()['id']}"
    entered = {"email": "an@example.com", "allergy": SECRET}
    sent = await client.post(f"{path}/submissions", json={"entered": entered})
    assert sent.is_success, sent.text
    submission = f"{path}/submissions/{sent.json()['id']}"
    async with service.client(shop, "lead_submissions:read", sees_pii=False) as masked:
        told = await masked.get(submission)
        assert (told.status_code, told.json()["entered"]["own"]) == (200, {})
    assert (await client.get(submission)).json()["entered"]["own"] == {"allergy": SECRET}
    (seen,) = await reads(service, shop, "leadForms.getSubmission")
    assert seen["detail"] == {SENSITIVE: ["attributes.allergy"]}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_a_file_has_marked_fields_in_full_and_who_takes_it_is_noted(
    service, shop, full, masked, form: str
):
    await define(full, "allergy", "text", sensitivity="sensitive")
    await add(full, allergy=SECRET)
    refused = await masked.post("/v1/exports", json={"format": form})
    assert refused.status_code == 403
    started = await full.post("/v1/exports", json={"format": form})
    assert started.status_code == 202, started.text
    kinds = build_job_kinds(service.context)
    runner = JobRunner(units=service.context.units, kinds=kinds, wake=nobody)
    while await runner.step(shop):
        pass
    path = f"/v1/jobs/{started.json()['id']}/result"
    assert (await masked.get(path)).status_code == 403
    assert SECRET in (await full.get(path)).text
    (taken,) = await reads(service, shop, "jobs.result")
    assert taken["detail"] == {"file": "result", SENSITIVE: ["attributes.allergy"]}
