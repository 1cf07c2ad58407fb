"""Columns that go to the shop's own fields."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.customer.fields.record import CustomField
from services.customer.imports.attribute_cells import read_attribute
from services.customer.imports.cells import CellProblem
from shared.clock import SystemClock
from shared.ids import TenantId, new_id
from shared.jobs.runner import JobRunner
from tests.customer.imports.conftest import SCOPES
from tests.customer.imports.shop import Importing, Json, table
from tests.support.harness import ServiceHarness


def field(type_: Any, **given: Any) -> CustomField:
    now = SystemClock().now()
    known = {"label": {"vi": "Ô"}, "description": None, "options": [], "currency": None}
    flags = {"required": False, "is_unique": False, "sensitivity": "none", "archived_at": None}
    times = {"created_at": now, "updated_at": now, "version": 1}
    return CustomField(id=new_id(), key="f", type=type_, **{**known, **flags, **times, **given})


RANKS = [
    {"value": "gold", "label": {"vi": "Vàng", "en": "Gold"}},
    {"value": "silver", "label": {"vi": "Bạc", "en": None}},
]
ALIKE = [
    {"value": "tim", "label": {"vi": "Trái tim", "en": "Heart"}},
    {"value": "tím", "label": {"vi": "Màu tím", "en": "tim"}},
    {"value": "ba", "label": {"vi": "Bà", "en": None}},
    {"value": "b", "label": {"vi": "Ba", "en": None}},
]
VND = {"currency": "VND"}
USD = {"currency": "USD"}


@pytest.mark.parametrize(
    ("type_", "given", "cell", "kept"),
    [
        ("text", {}, "xin chào", "xin chào"),
        ("number", {}, "38", 38),
        ("number", {}, "-38,5", -38.5),
        ("number", {}, "-0,125", -0.125),
        ("number", {}, "1.234.567", 1234567),
        ("number", {}, "1,234,567.5", 1234567.5),
        ("number", {}, "1 234 567", 1234567),
        ("money", VND, "250.000", 250000),
        ("money", VND, "1.250.000 đ", 1250000),
        ("money", VND, "1,250,000.00", 1250000),
        ("money", VND, "250000VND", 250000),
        ("money", USD, "$12.50", 12.5),
        ("date", {}, "28/02/1990", "1990-02-28"),
        ("boolean", {}, "Có", True),
        ("boolean", {}, "không", False),
        ("enum", {"options": RANKS}, "vàng", "gold"),
        ("enum", {"options": RANKS}, "SILVER", "silver"),
        ("enum", {"options": ALIKE}, "tim", "tim"),
        ("enum", {"options": ALIKE}, "TÍM", "tím"),
        ("enum", {"options": ALIKE}, "ba", "ba"),
        ("enum", {"options": ALIKE}, "Ba", "b"),
        ("multi_enum", {"options": RANKS}, "Bạc; gold", ["silver", "gold"]),
        ("url", {}, "https://example.com/a", "https://example.com/a"),
    ],
)
def test_a_cell_is_read_by_the_type_of_its_field(
    type_: str, given: Json, cell: str, kept: object
) -> None:
    assert read_attribute(cell, field(type_, **given), order="dmy") == kept


@pytest.mark.parametrize(
    ("type_", "given", "cell", "code"),
    [
        ("number", {}, "nhiều", "number"),
        ("number", {}, "1.234", "number_not_clear"),
        ("number", {}, "1.2.3", "number"),
        ("money", USD, "1,250", "number_not_clear"),
        ("money", VND, "12.5", "money_too_many_decimals"),
        ("money", VND, "100 USD", "number"),
        ("date", {}, "31/02/1990", "date_not_valid"),
        ("boolean", {}, "có lẽ", "answer_not_known"),
        ("enum", {"options": RANKS}, "đồng", "option"),
        ("enum", {"options": ALIKE}, "tỉm", "option"),
        ("multi_enum", {"options": RANKS}, "gold, đồng", "option"),
        ("url", {}, "example", "url"),
        ("text", {"archived_at": SystemClock().now()}, "a", "archived"),
    ],
)
def test_what_cannot_be_read_says_why(type_: str, given: Json, cell: str, code: str) -> None:
    with pytest.raises(CellProblem) as problem:
        read_attribute(cell, field(type_, **given), order="dmy")
    assert problem.value.code == code


@pytest.fixture
def define(client: httpx.AsyncClient):
    async def defined(key: str, **given: Any) -> None:
        body = {"key": key, "label": {"vi": key}, **given}
        answer = await client.post("/v1/custom-fields", json=body)
        assert answer.status_code == 201, answer.text

    return defined


async def test_rows_are_checked_and_found_by_the_shops_fields(
    importing: Importing, define: Any
) -> None:
    await define("size", type="number")
    await importing.work()
    rows = [("An", "38", "1990"), ("Bo", "to", "1991"), ("Ca", "", "")]
    head = ("Tên", "attributes.size", "attributes.other")
    done = await importing.take_in(table(head, *rows))
    assert [one["attributes"] for one in await importing.customers()] == [
        {"size": 38, "other": "1990"},
        {"other": "1991"},
        {},
    ]
    [problem] = done["run"]["problems"]
    assert (problem["column"], problem["code"], problem["count"]) == (
        *("attributes.size", "number"),
        1,
    )
    wanted = {"attributes[size][gte]": "38"}
    answer = await importing.client.get("/v1/customers", params=wanted)
    assert answer.status_code == 200, answer.text
    assert [one["name"] for one in answer.json()["data"]] == ["An"]


async def test_a_value_that_only_one_may_have_is_the_firsts(
    importing: Importing, define: Any
) -> None:
    await define("card", type="text", unique=True)
    await importing.work()
    made = {"name": "Lan", "attributes": {"card": "C1"}}
    assert (await importing.client.post("/v1/customers", json=made)).status_code == 201
    rows = [("An", "c1"), ("Bo", "C2"), ("Ca", "C3"), ("Di", "C4"), ("En", "C5"), ("Gi", "C2")]
    read = await importing.read(table(("Tên", "attributes.card"), *rows))
    tried = await importing.run(read, dry_run=True)
    done = await importing.run(read)
    for report in (tried["dry_run"], done["run"]):
        [problem] = report["problems"]
        assert (problem["code"], problem["count"], problem["first_row"]) == ("not_unique", 2, 2)
    cards = [one["attributes"].get("card") for one in await importing.customers()]
    assert cards == ["C1", None, "C2", "C3", "C4", "C5", None]


@pytest.mark.parametrize("existing", ["update", "fill", "skip"])
async def test_a_value_that_nobody_has_taken_is_free(
    importing: Importing, define: Any, existing: str
) -> None:
    """Who has one already, or is left as they are, takes none from a later row."""
    await define("card", type="text", unique=True)
    await importing.work()
    ids = [{"source": "pos", "external_id": "M0"}]
    made = {"name": "Lan", "external_ids": ids, "attributes": {"card": "C0"}}
    assert (await importing.client.post("/v1/customers", json=made)).status_code == 201
    rows = [("An", "C1", "M1"), ("An", "C2", "M1"), ("Bo", "C2", "M2")]
    if existing != "update":
        rows += [("Lan", "C3", "M0"), ("Ca", "C3", "M3")]
    read = await importing.read(
        table(("Tên", "attributes.card", "Mã hội viên"), *rows), source="pos"
    )
    read = await importing.change(read, options={"existing": existing})
    tried = await importing.run(read, dry_run=True)
    done = await importing.run(read)
    assert (tried["dry_run"]["problems"], done["run"]["problems"]) == ([], [])
    cards = [one["attributes"].get("card") for one in await importing.customers()]
    assert cards == ["C0", "C1", "C2", "C3"][: len(cards)]
    assert len(cards) == (3 if existing == "update" else 4)


async def test_a_dry_run_knows_which_values_became_free(
    importing: Importing, define: Any, new_runner: Callable[..., JobRunner]
) -> None:
    await define("card", type="text", unique=True)
    await importing.work()
    ids = [{"source": "pos", "external_id": "M0"}]
    made = {"name": "Lan", "external_ids": ids, "attributes": {"card": "C0"}, "source": "pos"}
    assert (await importing.client.post("/v1/customers", json=made)).status_code == 201
    # The second takes what the first has given up, and the next what that one has no use for.
    rows = [("Lan", "C1", "M0"), ("An", "C0", "M1"), ("An", "C2", "M1"), ("Bo", "C2", "M2")]
    importing.runner = new_runner(1)
    head = ("Tên", "attributes.card", "Mã hội viên")
    read = await importing.read(table(head, *rows, ("Ca", "C0", "M3")), source="pos")
    tried = await importing.run(read, dry_run=True)
    done = await importing.run(read)
    assert tried["dry_run"]["problems"] == done["run"]["problems"]
    [problem] = done["run"]["problems"]
    assert (problem["code"], problem["count"], problem["first_row"]) == ("not_unique", 1, 6)
    cards = [one["attributes"].get("card") for one in await importing.customers()]
    assert cards == ["C1", "C0", "C2", None]


async def test_what_the_shop_asks_for_and_does_not_know_is_told(
    importing: Importing, define: Any
) -> None:
    await define("size", type="number", required=True)
    await importing.work()
    policy = await importing.client.put("/v1/custom-fields/policy", json={"strict": True})
    assert policy.status_code == 200, policy.text
    head = ("Tên", "attributes.size", "attributes.other")
    done = await importing.take_in(table(head, ("An", "38", "x"), ("Bo", "")))
    found = {(one["column"], one["code"]): one["first_row"] for one in done["run"]["problems"]}
    assert found == {
        ("attributes.other", "unknown_field"): 2,
        ("attributes.size", "required"): 3,
    }
    assert [one["attributes"] for one in await importing.customers()] == [{"size": 38}, {}]


async def test_marked_fields_are_not_told_by_an_import(
    service: ServiceHarness, shop: TenantId, importing: Importing, client: httpx.AsyncClient
) -> None:
    body = {"key": "allergy", "label": {"vi": "Dị ứng"}, "sensitivity": "sensitive"}
    assert (await client.post("/v1/custom-fields", json=body)).status_code == 201
    head = ("phone", "name", "attributes.allergy")
    rows = [head, ("0912345678", "An", "hen 7193"), ("x", "Bo", "hen 7193")]
    wanted = await importing.read(table(*rows))
    await importing.run(wanted, dry_run=True)
    await importing.take_in(table(("phone", "name"), ("0912345678", "An")))
    last = await importing.take_in(table(*rows[:2]))
    assert [row["outcome"] for row in await importing.rows(last)] == ["updated"]
    assert "hen 7193" in str(await importing.rows(last))

    path = f"/v1/imports/{last['id']}"
    async with service.client(shop, *SCOPES, sees_pii=False) as masked:
        for place in ("/v1/imports", path, f"/v1/imports/{wanted['id']}", f"{path}/rows"):
            told = await masked.get(place)
            assert (told.status_code, "hen 7193" in told.text) == (200, False), place
        assert (await masked.get(f"/v1/jobs/{last['job_id']}/result")).status_code == 403
