"""What clients can do with segments."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.ids import TenantId, new_id
from tests.segmentation.shop import START, ManualClock, Shop, customer, order, survey, ticket
from tests.support.harness import ServiceHarness

HUE = {"field": "profile.city", "op": "eq", "value": "Huế"}
NAME = {"vi": "Ở Huế", "en": "In Huế"}

NOBODY = "0199d6a2-b1c9-7e4f-9b1f-5d6c7a8e9f00"


async def create(shop: Shop, **body: Any) -> Any:
    return await shop.call("POST", "/v1/segments", {"key": "hue", "name": NAME, **body})


async def job(shop: Shop, location: str) -> Any:
    return await shop.get(location)


async def test_a_new_shop_finds_a_segment_of_each_template(shop: Shop):
    segments = (await shop.get("/v1/segments"))["data"]

    assert [s["key"] for s in segments] == [
        "new_customers",
        "unhappy",
        "loyal",
        "potential",
        "dormant",
    ]
    assert all(s["status"] == "active" and s["evaluation_job_id"] is None for s in segments)
    assert segments[0]["template"] == {"key": "new_customers", "parameters": {}}


async def test_a_shop_told_of_twice_gets_nothing_twice(shop: Shop):
    segment = await shop.segment("loyal")
    await shop.call("DELETE", f"/v1/segments/{segment['id']}")

    await shop.provision()

    keys = [s["key"] for s in (await shop.get("/v1/segments"))["data"]]
    assert keys == ["new_customers", "unhappy", "potential", "dormant"]


async def test_templates_tell_what_a_shop_decides(open_shop):
    shop = await open_shop(currency="USD")
    templates = {t["key"]: t for t in (await shop.get("/v1/segment-templates"))["data"]}

    *figures, relation = templates["new_customers"]["parameters"]
    assert (relation["name"], relation["default"]) == ("relation", "customer")
    assert relation["options"] == ["customer", "anybody"]
    assert figures == [
        {
            "name": "days",
            "type": "integer",
            "description": "How long a customer is new",
            "default": 30,
            "minimum": 1,
            "maximum": 3650,
            "options": None,
        }
    ]
    definition = templates["potential"]["parameters"][0]
    assert definition["options"] == ["prospect", "trying", "both"]
    loyal, _ = templates["loyal"]["rule"]["all"]
    by_amount = loyal["any"][1]["orders"]
    assert by_amount["value"] == {"amount": "5000000.00", "currency": "USD"}


async def test_templates_of_a_shop_of_which_nobody_has_told_yet(
    service: ServiceHarness, clock: ManualClock
):
    shop = Shop(service, clock, TenantId(new_id()))
    templates = (await shop.get("/v1/segment-templates"))["data"]
    assert {"new_customers", "loyal"} <= {template["key"] for template in templates}


async def test_a_segment_of_a_template_with_the_shops_figures(shop: Shop):
    template = {"key": "unhappy", "parameters": {"score": 3}}

    created = await create(shop, template=template)

    assert created.status_code == 201
    assert created.json()["rule"] == {
        "all": [
            {"field": "profile.last_csat", "op": "lte", "value": 3},
            {"field": "profile.relation", "op": "eq", "value": "customer"},
        ]
    }
    assert created.json()["template"] == template


@pytest.mark.capability(31)
async def test_suppliers_belong_to_no_template_that_does_not_say_so(shop: Shop):
    template = {"key": "new_customers", "parameters": {"relation": "anybody"}}
    await create(shop, template=template)
    supplier, customer_ = customer(relation="supplier"), customer()
    await shop.hear(supplier, customer_, *(order(key) for key, _ in (supplier, customer_)))
    await shop.finish_runs()

    assert await shop.members("new_customers") == {customer_[0]}
    assert await shop.members("hue") == {supplier[0], customer_[0]}
    for key in ("loyal", "potential", "dormant", "unhappy"):
        assert supplier[0] not in await shop.members(key)
    await shop.hear(customer(supplier[0], version=2, relation="customer"))
    assert await shop.members("new_customers") == {supplier[0], customer_[0]}


@pytest.mark.parametrize(
    ("template", "pointer"),
    [
        ({"key": "vip"}, "/body/template/key"),
        ({"key": "loyal", "parameters": {"days": 0}}, "/body/template/parameters/days"),
        ({"key": "loyal", "parameters": {"hours": 9}}, "/body/template/parameters/hours"),
    ],
)
async def test_a_template_refuses_what_it_does_not_take(shop: Shop, template, pointer: str):
    refused = await create(shop, template=template)

    assert refused.status_code == 422
    assert [e["pointer"] for e in refused.json()["errors"]] == [pointer]


async def test_everybody_is_evaluated_for_a_new_segment(shop: Shop):
    people = [customer(city="Huế" if n % 2 else "Vinh") for n in range(130)]
    await shop.hear(*people)
    told_before = len(await shop.moves())

    created = await create(shop, rule=HUE)
    assert created.status_code == 201
    body = created.json()
    assert created.headers["ETag"] == '"1"'
    assert created.headers["Location"] == f"/v1/segments/{body['id']}"
    location = f"/v1/jobs/{body['evaluation_job_id']}"
    assert (await job(shop, location))["status"] == "queued"
    assert await shop.finish_runs() == 4  # three steps of 50 customers, and who is gone

    done = await job(shop, location)
    assert (done["kind"], done["status"], done["done"]) == ("segment_rebuild", "succeeded", 130)
    expected = {key for n, (key, _) in enumerate(people) if n % 2}
    assert await shop.members("hue") == expected
    assert len(await shop.moves()) == told_before + 65
    found = await shop.get(f"/v1/segments/{body['id']}", include="members_count")
    assert (found["members_count"], found["evaluation_job_id"]) == (65, None)


async def test_changes_count_from_the_first_moment_on(shop: Shop):
    early, late = customer(city="Huế"), customer(city="Huế")
    await shop.hear(early)
    await create(shop, rule=HUE)

    await shop.hear(late)

    assert await shop.members("hue") == {late[0]}
    await shop.finish_runs()
    assert await shop.members("hue") == {early[0], late[0]}
    assert [m for m in await shop.moves() if m[1] == "hue"] == [
        ("entered", "hue", late[0]),
        ("entered", "hue", early[0]),
    ]


async def test_a_key_belongs_to_one_segment(shop: Shop):
    first = (await create(shop, rule=HUE)).json()

    taken = await create(shop, rule=HUE)
    assert (taken.status_code, taken.json()["code"]) == (409, "segment_key_taken")

    await shop.call("DELETE", f"/v1/segments/{first['id']}")
    assert (await create(shop, rule=HUE)).status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (
            {"rule": {"all": [HUE, {"field": "profile.town", "op": "eq", "value": "x"}]}},
            "/body/rule/all/1/field",
            "unknown_field",
        ),
        (
            {"rule": {"field": "profile.city", "op": "gt", "value": "x"}},
            "/body/rule/op",
            "operator_not_allowed",
        ),
        ({"rule": HUE, "key": "Huế"}, "/body/key", "string_pattern_mismatch"),
        ({"rule": HUE, "name": {"vi": "Huế"}}, "/body/name/en", "missing"),
        ({"rule": HUE, "colour": "red"}, "/body/colour", "extra_forbidden"),
        ({}, "/body", "value_error"),
        ({"rule": HUE, "template": {"key": "loyal"}}, "/body", "value_error"),
    ],
)
async def test_what_is_wrong_with_a_segment_is_told_by_its_place(
    shop: Shop, body: dict[str, Any], pointer: str, code: str
):
    refused = await create(shop, **body)

    assert refused.status_code == 422
    assert {(e["pointer"], e["code"]) for e in refused.json()["errors"]} == {(pointer, code)}


async def test_a_change_is_based_on_the_version_it_names(shop: Shop):
    segment = (await create(shop, rule=HUE)).json()
    path = f"/v1/segments/{segment['id']}"
    renamed = {"name": {"vi": "Cố đô", "en": "Old capital"}}

    first = await shop.call("PATCH", path, renamed, headers={"If-Match": '"1"'})
    stale = await shop.call("PATCH", path, renamed, headers={"If-Match": '"1"'})
    gone = await shop.call("DELETE", path, headers={"If-Match": '"1"'})

    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    assert first.json()["name"] == renamed["name"]
    assert first.json()["rule_version"] == 1
    assert (stale.status_code, gone.status_code) == (412, 412)


async def test_the_same_rule_again_is_no_new_version(shop: Shop):
    segment = (await create(shop, rule=HUE)).json()
    await shop.finish_runs()

    same = await shop.call("PATCH", f"/v1/segments/{segment['id']}", {"rule": HUE})

    assert same.json()["rule_version"] == 1
    assert same.json()["evaluation_job_id"] is None


async def test_a_new_name_is_told_from_then_on(shop: Shop):
    segment = await shop.add_segment("hue", HUE)
    await shop.call(
        "PATCH", f"/v1/segments/{segment['id']}", {"name": {"vi": "Cố đô", "en": "Old capital"}}
    )

    await shop.hear(customer(city="Huế"))

    told = await shop.service.told(shop.tenant, "segmentation.segment_entered")
    assert [e["membership"]["segment_name"] for e in told][-1] == "Cố đô"


async def test_the_members_of_a_deleted_segment_leave_and_its_history_stays(shop: Shop):
    people = [customer(city="Huế") for _ in range(60)]
    await shop.hear(*people)
    segment = await shop.add_segment("hue", HUE)

    deleted = await shop.call("DELETE", f"/v1/segments/{segment['id']}")
    await shop.finish_runs()

    assert deleted.status_code == 204
    assert (await shop.call("GET", f"/v1/segments/{segment['id']}")).status_code == 404
    left = [m for m in await shop.moves() if m[:2] == ("left", "hue")]
    assert {m[2] for m in left} == {key for key, _ in people}
    assert len(left) == 60
    changes = await shop.rows(
        "SELECT change, reason, count(*) FROM segmentation.membership_change "
        f"WHERE tenant_id = :tenant AND segment_id = '{segment['id']}' GROUP BY 1, 2 ORDER BY 1"
    )
    assert changes == [("entered", "segment_created", 60), ("left", "segment_deleted", 60)]


async def test_a_rebuild_repairs_the_list_and_tells_only_of_repairs(shop: Shop):
    people = [customer(city="Huế") for _ in range(3)]
    await shop.hear(*people)
    segment = await shop.add_segment("hue", HUE)
    stranger = new_id()
    await shop.run_sql(
        "UPDATE segmentation.membership SET customer_id = '"
        f"{stranger}' WHERE tenant_id = :tenant AND segment_id = '{segment['id']}' "
        f"AND customer_id = '{people[0][0]}'"
    )
    told_before = await shop.moves()

    started = await shop.call("POST", f"/v1/segments/{segment['id']}/rebuilds")
    await shop.finish_runs()

    assert started.status_code == 202
    assert (await job(shop, started.headers["Location"]))["status"] == "succeeded"
    assert await shop.members("hue") == {key for key, _ in people}
    assert (await shop.moves())[len(told_before) :] == [
        ("entered", "hue", people[0][0]),
        ("left", "hue", stranger),
    ]


async def test_a_paused_segment_is_not_rebuilt(shop: Shop):
    segment = (await create(shop, rule=HUE, status="paused")).json()
    assert segment["evaluation_job_id"] is None

    refused = await shop.call("POST", f"/v1/segments/{segment['id']}/rebuilds")

    assert (refused.status_code, refused.json()["code"]) == (409, "segment_paused")


@pytest.mark.capability(130)
async def test_any_nesting_can_be_tried_before_it_is_kept(shop: Shop):
    buyer, complainer, quiet = customer(city="Huế"), customer(city="Vinh"), customer()
    await shop.hear(
        buyer, complainer, quiet, order(buyer[0], total_minor=900_000), order(complainer[0])
    )
    await shop.hear(
        ticket(complainer[0]), survey(complainer[0], 1, status="closed"), source="support_ticket"
    )
    rule = {
        "any": [
            {
                "all": [
                    {"not": {"field": "profile.city", "op": "eq", "value": "Vinh"}},
                    {
                        "orders": {
                            "measure": "sum_total",
                            "window": {"last": "P30D"},
                            "op": "gte",
                            "value": {"amount": "500000", "currency": "VND"},
                        }
                    },
                ]
            },
            {
                "tickets": {
                    "measure": "count",
                    "where": {
                        "all": [
                            {"field": "ticket.type", "op": "eq", "value": "complaint"},
                            {"field": "ticket.status_category", "op": "eq", "value": "open"},
                        ]
                    },
                    "op": "gte",
                    "value": 1,
                }
            },
        ]
    }

    preview = await shop.call("POST", "/v1/segments/preview", {"rule": rule})

    assert preview.status_code == 200, preview.text
    body = preview.json()
    assert (body["count"], body["total"]) == (2, 3)
    assert {UUID(c["customer_id"]) for c in body["sample"]} == {buyer[0], complainer[0]}
    unknown_counts = {"not": {"field": "profile.city", "op": "eq", "value": "Vinh"}}
    kept = await shop.call("POST", "/v1/segments/preview", {"rule": unknown_counts})
    left_out = await shop.call(
        "POST", "/v1/segments/preview", {"rule": unknown_counts | {"require_known": True}}
    )
    assert (kept.json()["count"], left_out.json()["count"]) == (2, 1)


async def test_a_preview_keeps_nothing(shop: Shop):
    before = await shop.get("/v1/segments")

    await shop.call("POST", "/v1/segments/preview", {"rule": HUE, "sample_size": 0})

    assert await shop.get("/v1/segments") == before


async def test_a_repeated_request_makes_one_segment(shop: Shop):
    body = {"key": "hue", "name": NAME, "rule": HUE}
    key = {"Idempotency-Key": "one-segment"}

    first = await shop.call("POST", "/v1/segments", body, headers=key)
    again = await shop.call("POST", "/v1/segments", body, headers=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/segments"),
        ("POST", f"/v1/segments/{NOBODY}/rebuilds"),
        ("POST", "/v1/segmentation-rebuilds"),
        ("DELETE", f"/v1/segments/{NOBODY}"),
    ],
)
async def test_readers_change_nothing(shop: Shop, method: str, path: str):
    refused = await shop.call(method, path, scopes=["segments:read"])

    assert refused.status_code == 403


async def test_the_counts_of_the_care_loop(shop: Shop):
    happy, unhappy = customer(), customer()
    await shop.hear(
        happy, unhappy, order(happy[0]), order(unhappy[0], placed_at=START - timedelta(days=40))
    )
    await shop.hear(survey(unhappy[0], 1), source="support_ticket")
    await shop.hear(
        survey(unhappy[0], 4, answered_at=START + timedelta(days=1)), source="support_ticket"
    )

    counts = await shop.get("/v1/care-loop-counts")

    assert counts == {
        "profiles": 2,
        "orders_known": 2,
        "segments": 5,
        "entries": 3,
        "exits": 1,
        "members_dormant": 0,
        "members_loyal": 0,
        "members_new_customers": 1,
        "members_potential": 1,
        "members_unhappy": 0,
    }


async def test_the_api_describes_itself(service):
    document = service.app.openapi()

    operations = {
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    }
    assert {
        "segments.create",
        "segments.list",
        "segments.get",
        "segments.update",
        "segments.delete",
        "segments.listVersions",
        "segments.listMembers",
        "segments.listHistory",
        "segments.overlap",
        "segments.explain",
        "segments.preview",
        "segments.rebuild",
        "segmentMemberships.list",
        "segmentTemplates.list",
        "segmentationRebuilds.create",
        "jobs.get",
    } <= operations
    assert "segmentation.careLoopCounts" not in operations
    rule = document["components"]["schemas"]["SegmentCreate"]["properties"]["rule"]
    assert "anyOf" in rule
