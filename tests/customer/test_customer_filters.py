"""Filters, orders and counts of the list, also by fields of the shop's own."""

import random
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.customer.customers.filtering import PARAMETERS
from shared.contracts.gateway import PlatformIdentity
from shared.ids import new_id
from shared.security.principal import PrincipalKind, Visibility
from shared.text import search_key
from tests.customer.told import platform_order

NOW = datetime.now(UTC)
_GIVE = text(
    "UPDATE customer.customer SET owner_id = :owner WHERE tenant_id = :tenant AND id = :id"
)


async def define(client: httpx.AsyncClient, key: str, type_: str, **more: Any) -> dict[str, Any]:
    body = {"key": key, "type": type_, "label": {"vi": key}, **more}
    answer = await client.post("/v1/custom-fields", json=body)
    assert answer.status_code == 201, answer.text
    field: dict[str, Any] = answer.json()
    return field


async def add(client: httpx.AsyncClient, name: str, **known: Any) -> dict[str, Any]:
    answer = await client.post("/v1/customers", json={"name": name, **known})
    assert answer.status_code == 201, answer.text
    customer: dict[str, Any] = answer.json()
    return customer


async def listed(client: httpx.AsyncClient, *, limit: int = 200, **params: Any) -> list[str]:
    """The names on all pages."""
    found: list[str] = []
    cursor = None
    while True:
        asked = {"limit": limit, **params} | ({"cursor": cursor} if cursor else {})
        answer = await client.get("/v1/customers", params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["data"]) <= limit
        found += [customer["name"] for customer in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def fault(client: httpx.AsyncClient, **params: Any) -> tuple[str, str]:
    answer = await client.get("/v1/customers", params=params)
    assert answer.status_code == 422, answer.text
    [error] = answer.json()["errors"]
    return error["pointer"], error["code"]


LEVELS = [{"value": each, "label": {"vi": each}} for each in ("gold", "silver", "tin")]


FILTERS: list[tuple[dict[str, str], Callable[[dict[str, Any]], bool]]] = [
    ({"size": "39"}, lambda a: a.get("size") == 39),
    ({"size][gte": "37.5", "size][lt": "40"}, lambda a: 37.5 <= a.get("size", 0) < 40),
    ({"size][in": "36,40"}, lambda a: a.get("size") in {36, 40}),
    ({"size][exists": "false"}, lambda a: "size" not in a),
    ({"size][exists": "true"}, lambda a: "size" in a),
    ({"debt][gt": "0", "debt][lte": "1000000"}, lambda a: 0 < a.get("debt", 0) <= 10**6),
    ({"debt": "0"}, lambda a: a.get("debt") == 0),
    ({"met_on][gte": "2026-01-01"}, lambda a: a.get("met_on", "") >= "2026-01-01"),
    ({"met_on": "2026-02-28"}, lambda a: a.get("met_on") == "2026-02-28"),
    ({"local": "true"}, lambda a: a.get("local") is True),
    ({"level": "gold"}, lambda a: a.get("level") == "gold"),
    ({"level][in": "gold,silver"}, lambda a: a.get("level") in {"gold", "silver"}),
    ({"likes": "tin"}, lambda a: "tin" in a.get("likes", [])),
    ({"likes][in": "gold,tin"}, lambda a: {"gold", "tin"} & set(a.get("likes", []))),
    ({"colour": "do"}, lambda a: a.get("colour") == "Đỏ"),
    ({"colour][begins": "ĐỎ"}, lambda a: a.get("colour") in {"Đỏ", "đỏ tươi"}),
    (
        {"level": "gold", "size][gte": "37", "local": "false"},
        lambda a: (a.get("level"), a.get("local")) == ("gold", False) and a.get("size", 0) >= 37,
    ),
]


def _key(value: Any) -> Any:
    return search_key(str(value)) if isinstance(value, str | bool) else value


class TestOwnFields:
    """A crowd with something in every field, or not, against the slow and obvious way."""

    @pytest.fixture
    async def crowd(self, client) -> list[dict[str, Any]]:
        await define(client, "size", "number")
        await define(client, "debt", "money")
        await define(client, "met_on", "date")
        await define(client, "local", "boolean")
        await define(client, "level", "enum", options=LEVELS)
        await define(client, "likes", "multi_enum", options=LEVELS)
        await define(client, "colour", "text")
        chance = random.Random(4)
        people = []
        for number in range(40):
            attributes = {
                "size": chance.choice([None, 36, 37.5, 39, 39, 40]),
                "debt": chance.choice([None, 0, 1_000_000, 2_000_000]),
                "met_on": chance.choice([None, "2025-01-31", "2026-02-28", "2026-03-01"]),
                "local": chance.choice([None, True, False]),
                "level": chance.choice([None, "gold", "silver"]),
                "likes": chance.choice([None, ["gold"], ["gold", "tin"], ["silver", "tin"]]),
                "colour": chance.choice([None, "Đỏ", "đỏ tươi", "Xanh"]),
            }
            said = {key: value for key, value in attributes.items() if value is not None}
            stage = chance.choice(["lead", "customer"])
            tags = chance.choice([[], ["VIP"]])
            people.append(
                await add(client, f"N{number:02}", attributes=said, stage=stage, tags=tags)
            )
        return people

    @pytest.mark.capability(126)
    async def test_a_filter_finds_who_has_such_a_value(self, client, crowd):
        for asked, holds in FILTERS:
            params = {f"attributes[{key}]": value for key, value in asked.items()}
            wanted = [c for c in reversed(crowd) if holds(c["attributes"])]
            assert 0 < len(wanted) < len(crowd)
            names = [customer["name"] for customer in wanted]
            assert await listed(client, limit=9, **params) == names, asked
            assert await listed(client, sort="created_at", **params) == names[::-1], asked
            tagged = [c["name"] for c in wanted if c["tags"] and c["stage"] == "lead"]
            assert await listed(client, tag="VIP", stage="lead", **params) == tagged, asked
            assert sorted(await listed(client, q="n", **params)) == sorted(names), asked
            counted = (
                await client.get("/v1/customers", params={**params, "count": "exact"})
            ).json()
            assert (counted["count"], counted["count_is_exact"]) == (len(names), True), asked

    async def test_a_list_is_sorted_by_a_field_whoever_has_nothing_there_last(self, client, crowd):
        for key in ("size", "debt", "met_on", "level", "colour", "local"):
            values = {customer["name"]: customer["attributes"].get(key) for customer in crowd}
            for sign in ("", "-"):
                names = await listed(client, limit=13, sort=f"{sign}attributes.{key}")
                assert sorted(names) == sorted(values), key
                having = [name for name in names if values[name] is not None]
                assert names[: len(having)] == having, key
                keys = [_key(values[name]) for name in having]
                assert keys == sorted(keys, reverse=sign == "-"), key

    async def test_a_caller_of_limited_sight_gets_the_same_of_whom_they_see(
        self, service, shop, client, crowd
    ):
        agent = new_id()
        async with service.context.units.begin(shop) as uow:
            for customer in crowd[::3]:
                await uow.execute(_GIVE, {"owner": new_id(), "tenant": shop, "id": customer["id"]})
            await uow.commit()
        seen = [c for number, c in enumerate(crowd) if number % 3]
        async with service.client(
            shop,
            "customers:read",
            kind=PrincipalKind.STAFF,
            actor_id=str(agent),
            visibility=Visibility.OWN,
        ) as mine:
            gold = [c["name"] for c in reversed(seen) if c["attributes"].get("level") == "gold"]
            assert await listed(mine, limit=3, **{"attributes[level]": "gold"}) == gold
            large = [c["name"] for c in reversed(seen) if c["attributes"].get("size", 0) > 37]
            assert await listed(mine, limit=3, **{"attributes[size][gt]": "37"}) == large
            for sort in ("-attributes.size", "name", "created_at", "orders_count"):
                names = await listed(mine, limit=4, sort=sort)
                assert sorted(names) == [c["name"] for c in seen], sort
            counted = await mine.get("/v1/customers", params={"count": "exact"})
            assert counted.json()["count"] == len(seen)


async def test_a_changed_value_changes_the_filter(client):
    await define(client, "size", "number")
    customer = await add(client, "An", attributes={"size": 39})
    path = f"/v1/customers/{customer['id']}"
    await client.patch(path, json={"attributes": {"size": 40}})
    assert await listed(client, **{"attributes[size]": "39"}) == []
    assert await listed(client, **{"attributes[size]": "40"}) == ["An"]
    await client.patch(path, json={"attributes": {"size": None}})
    assert await listed(client, **{"attributes[size]": "40"}) == []
    assert await listed(client, **{"attributes[size][exists]": "false"}) == ["An"]


async def test_what_cannot_be_asked_is_refused(client):
    await define(client, "size", "number")
    await define(client, "likes", "multi_enum", options=LEVELS)
    await define(client, "colour", "text")
    assert await fault(client, **{"attributes[none]": "1"}) == (
        "/query/attributes[none]",
        "unknown_field",
    )
    assert await fault(client, **{"attributes[size]": "x"}) == ("/query/attributes[size]", "number")
    assert await fault(client, **{"attributes[size][begins]": "3"}) == (
        "/query/attributes[size]",
        "operator",
    )
    assert (await fault(client, **{"attributes[colour][gte]": "x"}))[1] == "operator"
    assert (await fault(client, **{"attributes[likes]": "iron"}))[1] == "option"
    assert (await fault(client, **{"attributes[size][near]": "3"}))[1] == "unknown_filter"
    assert await fault(client, sort="-attributes.none") == ("/query/sort", "unknown_field")
    assert await fault(client, sort="attributes.likes") == ("/query/sort", "unknown_field")
    assert (await fault(client, sort="phone"))[0] == "/query/sort"
    assert await fault(client, **{"total_spent[gte]": "1.5"}) == (
        "/query/total_spent[gte]",
        "money_too_many_decimals",
    )


@pytest.mark.capability(20)
async def test_what_can_be_one_thing_only_is_said_once(client):
    for name in ("orders_count[gte]", "has_email", "birth_month"):
        params = [(name, "1"), (name, "1")]
        answer = await client.get("/v1/customers", params=params)
        [fault] = answer.json()["errors"]
        assert (answer.status_code, fault["pointer"], fault["code"]) == (
            422,
            f"/query/{name}",
            "single",
        )


async def test_what_is_asked_of_own_fields_is_one_spelling_and_makes_sense(client):
    await define(client, "size", "number")
    await define(client, "metal", "enum", options=[{"value": "Bạc", "label": {"vi": "Bạc"}}])
    await define(client, "page", "url")
    await add(client, "An", attributes={"size": 39, "metal": "Bạc", "page": "https://a.vn/cà-phê"})
    await add(client, "Bình")
    # As it is written on other machines.
    apart = unicodedata.normalize("NFD", "Bạc")
    assert await listed(client, **{"attributes[metal]": apart}) == ["An"]
    assert await listed(client, **{"attributes[metal][in]": apart}) == ["An"]
    page = unicodedata.normalize("NFD", "https://a.vn/cà-")
    assert await listed(client, **{"attributes[page][begins]": page}) == ["An"]
    assert await listed(client, **{"attributes[size]": "3.9e1"}) == ["An"]
    for spelt in ("3_9", "٣", " 39 ", "nan", "0x27"):
        answer = await client.get("/v1/customers", params={"attributes[size]": spelt})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "number"), spelt
    both = {"attributes[size][exists]": "false", "attributes[size][gte]": "3"}
    answer = await client.get("/v1/customers", params=both)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "operator")


async def test_any_combination_of_filters(client):
    await add(
        client,
        "Đức",
        gender="male",
        province="Huế",
        country="VN",
        email="duc@example.com",
        birth_date="1990-02-28",
        tags=["VIP", "sỉ"],
        kind="organisation",
        locale="vi",
    )
    await add(
        client,
        "Mai",
        gender="female",
        province="Huế",
        birth_date="1991-02-03",
        tags=["VIP"],
        relation="supplier",
        phone="0912345678",
        city="Huế",
        source="pos",
    )
    await add(client, "An", stage="customer", birth_date="1990-03-28")
    for params, names in (
        ({"gender": "male"}, ["Đức"]),
        ({"gender": "male,female"}, ["Mai", "Đức"]),
        ({"province": "Huế", "gender": "female"}, ["Mai"]),
        ({"kind": "organisation"}, ["Đức"]),
        ({"relation": ["supplier", "customer"], "tag": "VIP"}, ["Mai", "Đức"]),
        ({"relation": "supplier"}, ["Mai"]),
        ({"tag": ["VIP", "sỉ"]}, ["Mai", "Đức"]),
        ({"tag[all]": ["VIP", "sỉ"]}, ["Đức"]),
        ({"has_email": "true"}, ["Đức"]),
        ({"has_phone": "false", "has_email": "false"}, ["An"]),
        ({"birth_month": "2"}, ["Mai", "Đức"]),
        ({"birth_month": "2", "birth_day": "28"}, ["Đức"]),
        ({"birth_day": "28"}, ["An", "Đức"]),
        ({"birth_date[gte]": "1990-03-01", "birth_date[lt]": "1991-01-01"}, ["An"]),
        ({"stage": "lead", "city": "Huế", "source": "pos", "value_tier": "standard"}, ["Mai"]),
        ({"country": "VN", "locale": "vi"}, ["Đức"]),
        ({"has_owner": "true"}, []),
        ({"value_tier": "vip,gold"}, []),
        ({"updated_at[gte]": (NOW + timedelta(days=1)).isoformat()}, []),
    ):
        assert await listed(client, **params) == names, params
        assert await listed(client, limit=1, **params) == names, params
        counted = (await client.get("/v1/customers", params={**params, "count": "exact"})).json()
        assert counted["count"] == len(names), params


async def test_consents_are_a_filter(client):
    people = [await add(client, name) for name in ("Đức", "Mai")]
    consent = {"purpose": "marketing", "channel": "email", "status": "granted"}
    consent |= {"proof": {"page": "/dang-ky"}}
    agreed = await client.post(f"/v1/customers/{people[0]['id']}/consents", json=consent)
    assert agreed.status_code == 201, agreed.text
    assert await listed(client, consent="marketing.email") == ["Đức"]
    assert await listed(client, consent="marketing.email,marketing.sms") == []
    assert await listed(client, no_consent="marketing.email") == ["Mai"]


class TestFigures:
    """Customers with orders and without."""

    @pytest.fixture
    async def buyers(self, service, shop, client) -> list[str]:
        orders = [("a", 3, 500), ("b", 1, 900), ("c", 2, 100)]
        events = [
            platform_order(
                f"{who}{number}",
                buyer=PlatformIdentity(external_id=who, name=who.upper()),
                total_minor=total,
                placed_at=NOW - timedelta(days=days * 10 + number),
            )
            for days, (who, count, total) in enumerate(orders)
            for number in range(count)
        ]
        await service.receive(shop, "gateway", events)
        for name in ("D", "E"):
            await add(client, name)
        return [who.upper() for who, _, _ in orders]

    @pytest.mark.parametrize(
        ("sort", "names"),
        [
            ("-orders_count", "ACBED"),
            ("orders_count", "EDBCA"),
            ("-total_spent", "ABCED"),
            ("total_spent", "EDCBA"),
            ("-last_order_at", "ABCED"),
            ("last_order_at", "CBAED"),
            ("days_since_last_order", "ABCED"),
            ("name", "ABCDE"),
            ("-name", "EDCBA"),
            ("created_at", "ABCDE"),
        ],
    )
    async def test_orders(self, client, buyers, sort, names):
        for limit in (1, 2, 200):
            assert await listed(client, sort=sort, limit=limit) == list(names), limit

    async def test_ranges(self, client, buyers):
        assert await listed(client, **{"orders_count[gte]": 2}) == ["C", "A"]
        assert await listed(client, **{"orders_count[lte]": 1}) == ["E", "D", "B"]
        assert await listed(client, **{"total_spent[gte]": "900"}) == ["B", "A"]
        assert await listed(client, **{"total_spent[lte]": "899", "orders_count[gte]": 1}) == ["C"]
        recent = (NOW - timedelta(days=5)).isoformat()
        assert await listed(client, **{"last_order_at[gte]": recent}) == ["A"]
        assert await listed(client, **{"first_order_at[lt]": recent}) == ["C", "B"]


def test_everything_that_may_be_asked_is_described(service):
    operation = service.app.openapi()["paths"]["/v1/customers"]["get"]
    described = [parameter["name"] for parameter in operation["parameters"]]
    assert len(described) == len(set(described))
    assert {"limit", "cursor", "q", "sort", "count", "attributes"} <= set(described)
    assert {parameter["name"] for parameter in PARAMETERS} <= set(described)
    assert {"stage", "tag[all]", "total_spent[gte]", "last_order_at[lt]"} <= set(described)
