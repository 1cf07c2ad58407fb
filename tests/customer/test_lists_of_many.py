"""Lists of 25,000 customers: what a page looks at, whatever it is asked for."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text as sql
from sqlalchemy.engine import make_url

from bench.crowd import load_crowd
from services.customer.customers.conditions import CustomerFilter
from services.customer.customers.filtering import field_questions, read_query
from services.customer.customers.lists import CustomerLists
from services.customer.customers.search import Search
from services.customer.customers.selection import Selection
from shared.db.paging import PageRequest

MANY = 25_000
# Of what may be rare 5,000 are counted, 1,000 are walked, after a glance; and the page.
LOOKED_AT_MOST = 5_000 + 1_000 + 300 + 200
DAY = "2024-01-03T00:00:00Z"
_FIELDS: dict[str, dict[str, Any]] = {
    "score": {"type": "number"},
    "level": {
        "type": "enum",
        "options": [{"value": each, "label": {"vi": each}} for each in ("gold", "tin")],
    },
    "card": {"type": "text"},
    "none": {"type": "date"},
}
# What the average shop has is not what this one has: half of theirs have no name.
_SMALL_SHOPS = """
    INSERT INTO customer.customer
        (tenant_id, id, code, stage, name, name_key, search_key, country, source, tags, attributes,
         consents, value_tier, orders_count, total_spent_minor, currency, created_at, updated_at,
         version)
    SELECT shop, gen_random_uuid(), 'KH' || n, 'lead', name, lower(name), '', 'VN', 'bench', '[]',
           '{}', '[]', 'standard', 0, 0, 'VND', now(), now(), 1
    FROM (SELECT gen_random_uuid() AS shop FROM generate_series(1, 300)) AS shops,
         (SELECT n, CASE WHEN n % 2 = 0 THEN 'Bo ' || n END AS name
          FROM generate_series(1, 12) AS n) AS people
"""
# What has not been given to the statistics yet; in index-only scans there is nothing to fetch.
_LOOKED_AT = sql(
    "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) "
    "FROM pg_stat_xact_user_tables WHERE schemaname = 'customer'"
)
_NO_LOOKING_UP = sql("SELECT set_config('enable_nestloop', 'off', true)")
_HOW_IT_PLANS = sql("SELECT current_setting('plan_cache_mode')")
_PLAN_FOR_ALL = sql("SELECT set_config('plan_cache_mode', 'force_generic_plan', true)")
_LOOKED_UP = (
    *("a tag and several provinces", "a tag and what has no index"),
    *("a value that many have, and a language", "a value that many have, and no money"),
    *("several stages and a gender", "a language that nobody speaks"),
)
_PLANNED_ONCE: tuple[dict[str, Any], ...] = (
    *({"sort": sort} for sort in ("-total_spent", "-orders_count", "-last_order_at", "name")),
    *({"attributes[level]": level} for level in ("gold", "tin")),
    {"attributes[card]": "card-0012500"},
    {"attributes[level]": "tin", "created_at[gte]": DAY},
    {"tag": "VIP"},
)
_AT_HAND: tuple[dict[str, Any], ...] = (
    {"attributes[score][gte]": "300000"},
    {"attributes[card][exists]": "true", "has_phone": "true"},
    {"tag": "VIP", "stage": "customer"},
    {"country": "VN"},
    {"sort": "-total_spent", "has_email": "true"},
)
_FEW_OF_MANY = (
    {"attributes[level]": "tin", "province": "Hà Nội"},
    {"attributes[level]": "gold", "value_tier": "gold"},
    {"tag": "VIP", "province": "Huế"},
)
_QUESTIONS: dict[str, dict[str, Any]] = {
    "all": {},
    "several stages": {"stage": ["lead", "customer"]},
    "several stages and a gender": {"stage": ["lead", "customer"], "gender": "other"},
    "several provinces and a language": {"province": ["Huế", "Hà Nội"], "locale": "en"},
    "several cities": {"city": ["Sa Pa", "Hội An"], "locale": "en"},
    "several values, one of which many have": {
        "value_tier": ["standard", "gold"],
        "has_email": "false",
    },
    "several rare values": {"value_tier": ["silver", "gold"], "locale": "en"},
    "several stages by name": {"stage": ["lead", "customer"], "sort": "name", "locale": "en"},
    "a tag and several provinces": {"tag": "VIP", "province": ["Huế", "Hà Nội"], "locale": "en"},
    "who has an owner": {"has_owner": "true"},
    "an owner and a language": {"has_owner": "true", "locale": "en"},
    "those of a stage": {"stage": "customer"},
    "those of a tag": {"tag": "VIP", "stage": "customer"},
    "a tag and what has no index": {"tag": "VIP", "locale": "en"},
    "a tag, and nobody's city": {"tag": "VIP", "city": "Sa Pa"},
    "a value that many have, and a language": {"attributes[level]": "tin", "locale": "en"},
    "a value that many have, and no money": {"attributes[level]": "tin", "total_spent[gte]": "1"},
    "a province": {"province": "Huế"},
    "a city that nobody is of": {"city": "Sa Pa"},
    "a country that nobody is of": {"country": "US"},
    "a language that nobody speaks": {"locale": "en"},
    "consents that nobody gave": {"consent": "marketing.sms"},
    "nobody without an address": {"has_email": "false"},
    "a month": {"birth_month": "3"},
    "an occupation that nobody has": {"occupation": "Phi hành gia"},
    "a province by its code": {"vn63_province": "79"},
    "what nobody likes": {"preferences": "sầu riêng"},
    "an income that nobody has": {"income_at_least[gte]": "999000000"},
    "leads who have bought": {"stage": "lead", "total_spent[gte]": "1"},
    "a narrow range": {"total_spent[gte]": "199000", "total_spent[lte]": "199990"},
    "a wide range": {"total_spent[gte]": "5000"},
    "what was spent last year": {"last_order_at[lt]": "2024-01-02T00:00:00Z"},
    "all tags": {"tag[all]": "VIP", "orders_count[lte]": "1"},
    "a field, one": {"attributes[card]": "card-0012500"},
    "a field, one in a hundred": {"attributes[level]": "gold"},
    "a field, few": {"attributes[score][gte]": "999000"},
    "a field, many": {"attributes[score][gte]": "300000"},
    "a field that nobody lacks": {"attributes[card][exists]": "false"},
    "two fields": {"attributes[level]": "gold", "attributes[score][gte]": "500000"},
    "two fields that contradict": {"attributes[level]": "gold", "attributes[score][lt]": "7919"},
    "by a field": {"sort": "-attributes.score"},
    "by what they have spent": {"sort": "-total_spent"},
    "by days since the last order": {"sort": "days_since_last_order"},
    "by days since we heard of them": {"sort": "days_since_last_interaction"},
    "by name": {"sort": "name"},
    "by what they have spent, of a stage": {"sort": "-total_spent", "stage": "lead"},
    "by name, of a city": {"sort": "name", "city": "Sa Pa"},
    "by name, of the first day": {"sort": "name", "created_at[lt]": "2024-01-01T00:05:00Z"},
    "by a field, of a city": {"sort": "attributes.score", "city": "Sa Pa"},
    "by a field, a language": {"sort": "-attributes.score", "locale": "en"},
    "by a field, of a narrow range": {
        "sort": "attributes.score",
        "attributes[score][gte]": "999900",
    },
    "by a field that nobody has": {"sort": "attributes.none", "locale": "en"},
    "by a narrow range": {"sort": "-total_spent", "total_spent[gte]": "20000000"},
    "a full name": {"q": "bùi thị hương"},
    "two words of a name": {"q": "huong bui"},
    "a common name": {"q": "nguyen"},
    "digits": {"q": "4321"},
    "an address": {"q": "khach4321@"},
    "nobody's name": {"q": "zzzz qqqq"},
    "a name and a stage": {"q": "bui", "stage": "lead"},
}


async def crowd(client, shop, database_url: str) -> None:
    fields = {}
    for key, more in _FIELDS.items():
        body = {"key": key, "label": {"vi": key}, **more}
        answer = await client.post("/v1/custom-fields", json=body)
        assert answer.status_code == 201, answer.text
        fields[key] = UUID(answer.json()["id"])
    plain = make_url(database_url).set(drivername="postgresql")
    dsn = plain.render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_SMALL_SHOPS)
    finally:
        await connection.close()
    await load_crowd(dsn, shop, MANY, fields)


async def wanted_of(uow, asked: dict[str, Any]) -> CustomerFilter:
    selection = Selection(
        uow,
        given=read_query(list(asked.items())),
        questions=field_questions(list(asked.items())),
        sees_personal=True,
    )
    return await selection.wanted(currency="VND")


async def page(uow, asked: dict[str, Any], *, walk: int | None, cursor: str | None = None):
    asked = dict(asked)
    q, sort = asked.pop("q", None), asked.pop("sort", "-created_at")
    given = [
        (name, value)
        for name, values in asked.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    questions = field_questions(given)
    selection = Selection(uow, given=read_query(given), questions=questions, sees_personal=True)
    return await CustomerLists(uow).page(
        Search.read(q, region="VN", contacts=True) if q else None,
        await selection.wanted(currency="VND"),
        PageRequest(limit=50, cursor=cursor),
        sort=await selection.sort(sort),
        walk=walk,
    )


async def to_the_end(uow, asked: dict[str, Any], *, walk: int | None):
    """Everybody in the list, and how many pages that took."""
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        rows, cursor = await page(uow, asked, walk=walk, cursor=cursor)
        found += [row.id for row in rows]
        pages += 1
    return found, pages


@pytest.mark.capability(128)
async def test_a_page_looks_at_a_bounded_number_of_customers(
    client, service, shop, database_url
) -> None:
    await crowd(client, shop, database_url)
    units = service.context.units
    looked_at = {}
    for question, asked in _QUESTIONS.items():
        # Again and again: after some times a statement is planned without its values.
        for _ in range(6):
            async with units.begin(shop) as uow:
                before = await uow.scalar(_LOOKED_AT, {})
                await page(uow, asked, walk=1000)
                found = int(await uow.scalar(_LOOKED_AT, {}) - before)
            looked_at[question] = max(looked_at.get(question, 0), found)
    assert {q: n for q, n in looked_at.items() if n > LOOKED_AT_MOST} == {}
    assert looked_at["all"] < 200
    assert looked_at["a field, one"] < 100
    # By some statistics the planner thinks little of looking customers up one by one.
    for question in _LOOKED_UP:
        async with units.begin(shop) as uow:
            await uow.scalar(_NO_LOOKING_UP, {})
            before = await uow.scalar(_LOOKED_AT, {})
            await page(uow, _QUESTIONS[question], walk=1000)
            assert int(await uow.scalar(_LOOKED_AT, {}) - before) <= LOOKED_AT_MOST, question

    # What is planned once for all values knows by its words which index has the rows.
    for asked in _PLANNED_ONCE:
        async with units.begin(shop) as uow:
            await uow.execute(_PLAN_FOR_ALL, {})
            before = await uow.scalar(_LOOKED_AT, {})
            counting = Counting(uow)
            await page(counting, asked, walk=1000)
            read = int(await uow.scalar(_LOOKED_AT, {}) - before)
            assert (counting.planned, read) == (0, min(read, 200)), asked
    # So does what fills a page with the next few customers, without any count of what is rare.
    for asked in _AT_HAND:
        async with units.begin(shop) as uow:
            await uow.execute(_PLAN_FOR_ALL, {})
            before = await uow.scalar(_LOOKED_AT, {})
            counting = Counting(uow)
            rows, _ = await page(counting, asked, walk=1000)
            read = int(await uow.scalar(_LOOKED_AT, {}) - before)
            assert (len(rows), counting.planned, read) == (50, 0, min(read, 600)), asked

    # Few of those by whom a list is driven, and few of many: whichever way, the same people.
    for asked in _FEW_OF_MANY:
        async with units.begin(shop) as uow:
            everybody, _ = await to_the_end(uow, asked, walk=200)
            exact = await CustomerLists(uow).count(await wanted_of(uow, asked), "exact")
        assert (len(set(everybody)), True) == exact
        assert len(everybody) == len(set(everybody)) > 0

    for rare in (
        {"tag[all]": "VIP", "orders_count[lte]": "1"},
        {"tag": "VIP", "stage": "customer", "orders_count[lte]": "2", "created_at[gte]": DAY},
        {"attributes[level]": "tin", "orders_count[lte]": "1", "tag[all]": "VIP"},
        {"sort": "-orders_count", "orders_count[lte]": "8", "tag[all]": "VIP"},
        {"sort": "-attributes.level", "tag[all]": "VIP", "orders_count[lte]": "1"},
        {"sort": "attributes.level", "attributes[level]": "tin", "tag[all]": "VIP"},
        {"sort": "last_order_at", "tag[all]": "VIP", "attributes[level][exists]": "false"},
        {"sort": "name", "tag[all]": "VIP", "orders_count[lte]": "1"},
        {"stage": ["lead", "customer"], "orders_count[lte]": "1", "tag[all]": "VIP"},
        {
            "tag": "VIP",
            "province": ["Huế", "Hà Nội"],
            "stage": "customer",
            "orders_count[lte]": "2",
        },
    ):
        async with units.begin(shop) as uow:
            everybody, pages = await to_the_end(uow, rare, walk=None)
            met, walks = await to_the_end(uow, rare, walk=200)
        assert (len(met), met) == (len(set(met)), everybody)
        assert walks > pages

    # Of whom something is asked that nobody without an order has, nobody is looked for there.
    for none_without in (
        {"sort": "-total_spent", "total_spent[gte]": "100000", "tag[all]": "VIP"},
        {"sort": "last_order_at", "last_order_at[gte]": DAY, "tag[all]": "VIP"},
        {"sort": "attributes.level", "attributes[level]": "tin", "tag[all]": "VIP"},
    ):
        async with units.begin(shop) as uow:
            everybody, _ = await to_the_end(uow, none_without, walk=None)
            met, walks = await to_the_end(uow, none_without, walk=5000)
        assert (met, walks <= len(everybody) // 50 + 3) == (everybody, True)

    # By way of few, in the order of a field's values, and those who have none.
    async with units.begin(shop) as uow:
        asked = {"sort": "attributes.level", "tag[all]": "VIP", "value_tier": "gold"}
        everybody, pages = await to_the_end(uow, asked, walk=None)
        assert await to_the_end(uow, asked, walk=200) == (everybody, pages)
        assert len(everybody) > 50


class Meanwhile:
    """A unit of work during which somebody else does something, after the first rows it reads."""

    def __init__(self, uow, happens) -> None:
        self._uow, self._happens = uow, happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._uow, name)

    async def rows(self, *asked):
        found = await self._uow.rows(*asked)
        happens, self._happens = self._happens, None
        if happens is not None:
            await happens()
        return found


async def test_nobody_is_lost_when_a_customer_moves_while_a_page_is_looked_for(
    client, service, shop
) -> None:
    made = [
        (await client.post("/v1/customers", json={"name": f"Khách {n}", "locale": locale})).json()
        for n, locale in enumerate(("vi", "vi", "vi", "en", "vi"))
    ]

    async def the_second_is_changed() -> None:
        await client.patch(f"/v1/customers/{made[1]['id']}", json={"name": "Khách mới"})

    asked = {"sort": "updated_at", "locale": "en"}
    async with service.context.units.begin(shop) as uow:
        meanwhile = Meanwhile(uow, the_second_is_changed)
        first, cursor = await page(meanwhile, asked, walk=3)
    async with service.context.units.begin(shop) as uow:
        second, _ = await page(uow, asked, walk=3, cursor=cursor)
    assert [str(row.id) for row in (*first, *second)] == [made[3]["id"]]


class Counting:
    """A unit of work that counts how often the server is told to plan anew."""

    def __init__(self, uow) -> None:
        self._uow, self.planned = uow, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._uow, name)

    async def plan_anew(self) -> None:
        before = await self._uow.scalar(_HOW_IT_PLANS, {})
        await self._uow.plan_anew()
        self.planned += before != await self._uow.scalar(_HOW_IT_PLANS, {})


async def test_a_page_of_an_order_in_two_parts_is_planned_anew_once(client, service, shop) -> None:
    for said in ({"name": "Khách", "locale": "vi"}, {"phone": "0912345678", "locale": "vi"}):
        assert (await client.post("/v1/customers", json=said)).status_code == 201
    async with service.context.units.begin(shop) as uow:
        counting = Counting(uow)
        # Too short a way for a glance.
        rows, _ = await page(counting, {"sort": "name", "locale": "vi"}, walk=100)
    assert (len(rows), counting.planned) == (2, 1)
