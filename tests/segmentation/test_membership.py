"""Who enters and leaves, when, and why."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.ids import new_id
from tests.segmentation.facts import SAIGON
from tests.segmentation.shop import (
    MEMBERSHIP_EVENTS,
    START,
    Shop,
    customer,
    message,
    order,
    survey,
    ticket,
)


def saigon(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SAIGON).astimezone(UTC)


@pytest.mark.capability(33)
async def test_an_order_moves_the_customer_in_the_same_batch_and_tells(shop: Shop):
    who, known = customer()

    await shop.hear((who, known), order(who))

    assert await shop.members("new_customers") == {who}
    told = await shop.service.told(shop.tenant, "segmentation.segment_entered")
    [entered] = [e for e in told if e["membership"]["segment_key"] == "new_customers"]
    assert entered["key"] == who
    assert entered["membership"]["segment_name"] == "Khách mới"
    assert entered["membership"]["rule_version"] == 1
    assert entered["membership"]["reason"] == "orders_changed"


async def test_entries_and_exits_tell_the_state_of_the_customer_they_were_decided_on(shop: Shop):
    await shop.add_segment("hue", {"field": "profile.city", "op": "eq", "value": "Huế"})
    who, known = customer(version=3, city="Huế")
    await shop.hear((who, known))
    await shop.hear(customer(who, version=7, city="Đà Nẵng"))
    await shop.hear(customer(who, version=8, city="Huế"))
    segment = await shop.segment("hue")
    await shop.call("DELETE", f"/v1/segments/{segment['id']}")
    await shop.finish_runs()

    told = await shop.service.told(shop.tenant, *MEMBERSHIP_EVENTS)
    versions = [
        e["membership"]["customer_version"] for e in told if e["membership"]["segment_key"] == "hue"
    ]
    assert versions == [3, 7, 8, None]


@pytest.mark.capability(41)
async def test_a_low_score_makes_unhappy_and_a_better_one_later_does_not(shop: Shop):
    who, known = customer()
    await shop.hear((who, known))

    await shop.hear(survey(who, 2), source="support_ticket")
    assert await shop.members("unhappy") == {who}

    later = survey(who, 5, answered_at=START + timedelta(days=1))
    await shop.hear(later, source="support_ticket")
    assert await shop.members("unhappy") == set()
    assert [m for m in await shop.moves() if m[1] == "unhappy"] == [
        ("entered", "unhappy", who),
        ("left", "unhappy", who),
    ]


async def test_who_buys_leaves_the_prospects_before_entering_the_new_customers(shop: Shop):
    who, known = customer()
    await shop.hear((who, known))
    assert await shop.members("potential") == {who}

    await shop.hear(order(who))

    assert (await shop.moves())[-2:] == [
        ("left", "potential", who),
        ("entered", "new_customers", who),
    ]
    history = await history_of(shop, "potential")
    assert [(h["change"], h["reason"]) for h in history] == [
        ("left", "orders_changed"),
        ("entered", "customer_created"),
    ]


async def history_of(shop: Shop, key: str) -> list[dict]:
    segment = await shop.segment(key)
    return (await shop.get(f"/v1/segments/{segment['id']}/history"))["data"]


async def test_the_reason_names_the_facts_that_changed(shop: Shop):
    await shop.add_segment("asked", {"tickets": {"measure": "count", "op": "gte", "value": 1}})
    await shop.add_segment("told", {"messages": {"measure": "count", "op": "gte", "value": 1}})
    await shop.add_segment("hue", {"field": "profile.city", "op": "eq", "value": "Huế"})
    who, known = customer()
    await shop.hear((who, known))
    await shop.hear(ticket(who), source="support_ticket")
    await shop.hear(message(who), source="messaging")
    await shop.hear(customer(who, version=2, city="Huế"))

    reasons = {key: (await history_of(shop, key))[0]["reason"] for key in ("asked", "told", "hue")}

    assert reasons == {
        "asked": "tickets_changed",
        "told": "messages_changed",
        "hue": "profile_changed",
    }


@pytest.mark.capability(34)
async def test_a_new_customer_is_one_until_the_thirtieth_day_ends_in_the_shop(shop: Shop):
    shop.clock.set(saigon(2026, 12, 1, 9, 30))
    who, known = customer()
    await shop.hear((who, known), order(who, placed_at=saigon(2026, 12, 1, 9, 30)))
    assert await shop.members("new_customers") == {who}

    shop.clock.set(saigon(2026, 12, 31, 23, 59, 59))
    await shop.pass_time()
    assert await shop.members("new_customers") == {who}

    await shop.pass_time(seconds=2)

    assert await shop.members("new_customers") == set()
    [left] = [h for h in await history_of(shop, "new_customers") if h["change"] == "left"]
    assert left["reason"] == "time_passed"


@pytest.mark.capability(34)
async def test_how_long_a_customer_is_new_is_the_shops_business(shop: Shop):
    segment = await shop.segment("new_customers")
    changed = await shop.call(
        "PATCH",
        f"/v1/segments/{segment['id']}",
        {"template": {"key": "new_customers", "parameters": {"days": 7}}},
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["template"]["parameters"] == {"days": 7}
    recent, earlier = customer(), customer()
    await shop.hear(
        recent,
        earlier,
        order(recent[0], placed_at=START - timedelta(days=7)),
        order(earlier[0], placed_at=START - timedelta(days=8)),
    )

    assert await shop.members("new_customers") == {recent[0]}


@pytest.mark.capability(12)
@pytest.mark.parametrize(("status", "back"), [("refunded", 5_000_000), ("partially_refunded", 1)])
async def test_money_given_back_takes_the_customer_out_of_the_segment(
    shop: Shop, status: str, back: int
):
    who, known = customer()
    order_id = new_id()
    await shop.hear((who, known), order(who, order_id=order_id, total_minor=5_000_000))
    assert await shop.members("loyal") == {who}
    given_back = {"financial_status": status, "refunded_minor": back}
    again = order(who, order_id=order_id, version=2, total_minor=5_000_000, **given_back)
    await shop.hear(again)
    assert await shop.members("loyal") == set()


@pytest.mark.capability(35)
async def test_loyal_is_who_buys_often_or_spends_much_within_the_year(shop: Shop):
    often, much, long_ago, unpaid = customer(), customer(), customer(), customer()
    await shop.hear(
        often,
        much,
        long_ago,
        unpaid,
        *(order(often[0]) for _ in range(3)),
        order(much[0], total_minor=5_000_000),
        order(long_ago[0], total_minor=9_000_000, placed_at=START - timedelta(days=366)),
        *(order(unpaid[0], financial_status="pending") for _ in range(3)),
    )

    assert await shop.members("loyal") == {often[0], much[0]}


@pytest.mark.capability(36)
async def test_potential_means_what_the_shop_means(shop: Shop):
    prospect, trying, fresh, regular = (customer() for _ in range(4))
    await shop.hear(
        prospect,
        trying,
        fresh,
        regular,
        order(trying[0], placed_at=START - timedelta(days=31)),
        order(fresh[0], placed_at=START - timedelta(days=30)),
        *(order(regular[0], placed_at=START - timedelta(days=40)) for _ in range(2)),
    )
    found = {}
    for definition in ("prospect", "trying", "both"):
        template = {"key": "potential", "parameters": {"definition": definition}}
        preview = await shop.call(
            "POST", "/v1/segments/preview", {"template": template, "sample_size": 10}
        )
        found[definition] = {UUID(c["customer_id"]) for c in preview.json()["sample"]}

    assert found == {
        "prospect": {prospect[0]},
        "trying": {trying[0]},
        "both": {prospect[0], trying[0]},
    }
    assert await shop.members("potential") == found["both"]


@pytest.mark.capability(37)
async def test_a_customer_is_dormant_from_the_midnight_after_the_ninetieth_day(shop: Shop):
    shop.clock.set(saigon(2026, 12, 1, 9))
    who, known = customer()
    await shop.hear((who, known), order(who, placed_at=saigon(2026, 12, 1, 9)))

    shop.clock.set(saigon(2027, 3, 1, 23, 59, 59))
    await shop.pass_time()
    assert await shop.members("dormant") == set()

    shop.clock.set(saigon(2027, 3, 2))
    assert await shop.pass_time() > 0
    assert await shop.members("dormant") == {who}


async def test_who_writes_is_not_dormant(shop: Shop):
    who, known = customer()
    await shop.hear((who, known), order(who, placed_at=START - timedelta(days=200)))
    assert await shop.members("dormant") == {who}

    await shop.hear(ticket(who), source="support_ticket")

    assert await shop.members("dormant") == set()


async def test_a_sweep_finds_nobody_twice_and_says_nothing_twice(shop: Shop):
    who, known = customer()
    await shop.hear((who, known), order(who))
    told = await shop.moves()

    assert await shop.pass_time(days=31) > 0
    moved = len(await shop.moves())
    assert moved > len(told)
    swept = "SELECT swept_until FROM segmentation.evaluation_state WHERE tenant_id = :tenant"
    assert await shop.rows(swept) == [(shop.clock.now(),)]

    assert await shop.pass_time(seconds=1) == 0
    assert await shop.pass_time() == 0
    assert len(await shop.moves()) == moved


async def test_an_order_dated_ahead_counts_when_its_time_has_come(shop: Shop):
    who, known = customer()
    await shop.hear((who, known), order(who, placed_at=START + timedelta(seconds=40)))
    assert await shop.members("new_customers") == set()

    await shop.pass_time(seconds=41)

    assert await shop.members("new_customers") == {who}


async def test_who_was_due_when_the_worker_died_is_moved_by_the_next_sweep(shop: Shop):
    who, known = customer()
    await shop.hear((who, known), order(who))
    shop.clock.advance(days=31)
    await shop.run_sql(
        f"INSERT INTO segmentation.due_customer VALUES (:tenant, '{who}', now()) RETURNING 1"
    )
    await shop.run_sql(
        "UPDATE segmentation.evaluation_state SET swept_until = '2027-01-01' "
        "WHERE tenant_id = :tenant"
    )

    assert await shop.sweeps.sweep_tenant(shop.tenant) > 0
    assert await shop.members("new_customers") == set()


async def test_the_sweep_of_all_shops_finds_this_one(shop: Shop):
    who, known = customer()
    await shop.hear((who, known), order(who))
    shop.clock.advance(days=31)

    await shop.sweeps.sweep()

    assert await shop.members("new_customers") == set()


async def test_a_shop_in_trouble_does_not_stop_time_in_the_others(open_shop):
    broken, sound = await open_shop(), await open_shop()
    who, known = customer()
    await sound.hear((who, known), order(who))
    await broken.run_sql(
        "UPDATE segmentation.segment SET rule = '{}' WHERE tenant_id = :tenant AND timed"
    )
    await broken.run_sql(
        "UPDATE segmentation.evaluation_state SET rules_version = 99 WHERE tenant_id = :tenant"
    )
    sound.clock.advance(days=31)

    await sound.sweeps.sweep()

    assert await sound.members("new_customers") == set()


async def test_days_begin_anew_when_the_shop_moves_to_another_time_zone(shop: Shop):
    who, known = customer()
    shop.clock.set(saigon(2026, 12, 31, 10))  # in Honolulu it is still the day before
    await shop.hear((who, known), order(who, placed_at=saigon(2026, 11, 30, 20)))
    assert await shop.members("new_customers") == set()

    await shop.provision(timezone="Pacific/Honolulu", version=2)

    assert await shop.members("new_customers") == {who}
    assert (await history_of(shop, "new_customers"))[0]["reason"] == "shop_changed"


async def test_of_a_paused_segment_the_members_stay_until_it_goes_on(shop: Shop):
    who, known = customer()
    await shop.hear((who, known), order(who))
    segment = await shop.segment("new_customers")
    path = f"/v1/segments/{segment['id']}"
    await shop.call("PATCH", path, {"status": "paused"})
    other = customer()
    await shop.hear(other, order(other[0]))
    await shop.pass_time(days=31)
    assert await shop.members("new_customers") == {who}

    await shop.call("PATCH", path, {"status": "active"})
    await shop.finish_runs()

    assert await shop.members("new_customers") == set()
    assert (await history_of(shop, "new_customers"))[0]["reason"] == "segment_resumed"


@pytest.mark.capability(46)
async def test_members_at_a_past_instant_are_known_after_the_rule_has_changed(shop: Shop):
    hue = [customer(city="Huế") for _ in range(3)]
    vinh = customer(city="Vinh")
    segment = await shop.add_segment("here", {"field": "profile.city", "op": "eq", "value": "Huế"})
    await shop.hear(*hue, vinh)
    before = START.isoformat()
    shop.clock.advance(hours=1)

    rule = {"field": "profile.city", "op": "eq", "value": "Vinh"}
    changed = await shop.call("PATCH", f"/v1/segments/{segment['id']}", {"rule": rule})
    await shop.finish_runs()

    assert changed.json()["rule_version"] == 2
    assert await shop.members("here") == {vinh[0]}
    assert await shop.members("here", as_of=before, limit=2) == {key for key, _ in hue}
    assert await shop.members("here", as_of=shop.clock.now().isoformat()) == {vinh[0]}
    versions = (await shop.get(f"/v1/segments/{segment['id']}/versions"))["data"]
    assert [v["rule_version"] for v in versions] == [2, 1]
    assert versions[1]["rule"]["value"] == "Huế"
    entered = (await shop.get(f"/v1/segments/{segment['id']}/members"))["data"]
    assert [(m["rule_version"], m["reason"]) for m in entered] == [(2, "rule_changed")]


async def test_members_are_paged_newest_first(shop: Shop):
    people = []
    for number in range(5):
        shop.clock.advance(minutes=1)
        who, known = customer(name=f"Khách {number}", code=f"KH{number:06d}")
        people.append(who)
        await shop.hear((who, known))
    segment = await shop.segment("potential")
    path = f"/v1/segments/{segment['id']}/members"

    first = await shop.get(path, limit=2)
    second = await shop.get(path, limit=2, cursor=first["next_cursor"])

    found = [UUID(m["customer_id"]) for m in (*first["data"], *second["data"])]
    assert found == people[:0:-1]
    assert first["data"][0]["name"] == "Khách 4"
    assert first["data"][0]["code"] == "KH000004"


async def test_the_overlap_of_two_segments(shop: Shop):
    both, only_new = customer(), customer()
    await shop.hear(both, only_new, order(both[0], total_minor=6_000_000), order(only_new[0]))
    new, loyal = await shop.segment("new_customers"), await shop.segment("loyal")

    overlap = await shop.get(f"/v1/segments/{new['id']}/overlap/{loyal['id']}")

    counts = {name: overlap[name] for name in ("both", "only_this", "only_other")}
    assert counts == {"both": 1, "only_this": 1, "only_other": 0}


@pytest.mark.capability(134)
async def test_why_a_customer_belongs_and_until_when(shop: Shop):
    who, known = customer()
    bought = order(who)
    await shop.hear((who, known), bought)
    segment = await shop.segment("new_customers")

    why = await shop.get(f"/v1/segments/{segment['id']}/explain/{who}")

    assert (why["matches"], why["is_member"]) == (True, True)
    assert why["rule"]["truth"] is True
    bought_first, relation = why["rule"]["children"]
    assert bought_first["asks"] == "profile.first_order_at"
    assert bought_first["expected"] == "P30D"
    assert datetime.fromisoformat(bought_first["actual"]) == START
    assert (relation["asks"], relation["actual"]) == ("profile.relation", "customer")
    assert datetime.fromisoformat(why["flips_at"]) == saigon(2026, 12, 22)


@pytest.mark.capability(134)
async def test_why_a_customer_does_not_belong_with_values_and_evidence(shop: Shop):
    who, known = customer()
    small = order(who, total_minor=200_000)
    await shop.hear((who, known), small)
    segment = await shop.segment("loyal")

    why = await shop.get(f"/v1/segments/{segment['id']}/explain/{who}")

    assert (why["matches"], why["is_member"], why["entered_at"]) == (False, False, None)
    by_count, by_amount = why["rule"]["children"][0]["children"]
    assert (by_count["truth"], by_count["actual"], by_count["expected"]) == (False, 1, 3)
    assert by_amount["actual"] == {"amount": "200000", "currency": "VND"}
    assert by_amount["pointer"] == "/rule/all/0/any/1"
    assert [UUID(i) for i in by_amount["evidence"]] == [small[1].order.order_id]


async def test_nobody_explains_a_stranger(shop: Shop):
    segment = await shop.segment("loyal")

    answer = await shop.call("GET", f"/v1/segments/{segment['id']}/explain/{new_id()}")

    assert answer.status_code == 404
    assert answer.json()["code"] == "customer_not_found"


@pytest.mark.capability(48)
async def test_the_segments_of_a_customer_with_the_reason_of_each(shop: Shop):
    who, known = customer()
    await shop.hear((who, known), order(who, total_minor=6_000_000))
    await shop.hear(survey(who, 1), source="support_ticket")

    listed = (await shop.get("/v1/segment-memberships", customer_id=str(who)))["data"]

    by_key = {membership["segment_key"]: membership for membership in listed}
    assert by_key.keys() == {"new_customers", "loyal", "unhappy"}
    assert by_key["unhappy"]["reason"] == "tickets_changed"
    assert by_key["unhappy"]["because"][0]["actual"] == 1
    because, relation = by_key["loyal"]["because"]
    assert (relation["asks"], relation["actual"]) == ("profile.relation", "customer")
    assert because["asks"] == "sum_net"
    assert because["actual"] == {"amount": "6000000", "currency": "VND"}
    assert by_key["new_customers"]["segment_name"] == {"vi": "Khách mới", "en": "New customers"}


@pytest.mark.capability(38)
async def test_demographic_conditions_and_what_unknown_means(shop: Shop):
    young, old, unknown = (
        customer(birth_date="2001-03-02", gender="female", attributes={"occupation": "teacher"}),
        customer(birth_date="1960-03-02", gender="female", attributes={"occupation": "teacher"}),
        customer(attributes={"income": 12}),
    )
    await shop.hear(young, old, unknown)
    age = {"field": "profile.age", "op": "between", "value": [18, 35]}
    teacher = {"field": "attributes.occupation", "op": "eq", "value": "teacher"}

    async def matching(rule: dict) -> set[UUID]:
        answer = await shop.call("POST", "/v1/segments/preview", {"rule": rule})
        return {UUID(c["customer_id"]) for c in answer.json()["sample"]}

    assert await matching({"all": [age, teacher]}) == {young[0]}
    assert await matching({"not": age}) == {old[0], unknown[0]}
    assert await matching({"not": age, "require_known": True}) == {old[0]}
    assert await matching({"field": "attributes.income", "op": "gte", "value": 10}) == {unknown[0]}
