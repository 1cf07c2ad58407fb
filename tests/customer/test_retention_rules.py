"""What rules can speak of, how time is counted, and how those who are due are found."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Executable, text

from services.customer.customers.record import CustomerRecord, new_record
from services.customer.retention.candidates import _by_clock, _changed, _oldest, _oldest_again
from services.customer.retention.catalogue import ENTRIES, ONLY_WITH_PERSON, can_age
from services.customer.retention.judging import Person, RuleTerms, judge
from services.customer.retention.periods import is_shorter, over_at, over_before
from services.customer.retention.presets import ACCOUNTS, PRESETS
from services.customer.retention.repository import RetentionRepository
from services.customer.schema import metadata
from shared.privacy.registry import personal_tables
from tests.support.plans import rows_read

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
NIGHT = datetime(2026, 11, 21, 19, 30, tzinfo=UTC)  # The 22nd in Vietnam.
PERIODS = st.one_of(
    st.integers(1, 3000).map(lambda n: f"P{n}D"),
    st.integers(1, 120).map(lambda n: f"P{n}M"),
    st.integers(1, 20).map(lambda n: f"P{n}Y"),
)
MOMENTS = st.integers(0, 26 * 365 * 24 * 60).map(
    lambda minutes: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@pytest.mark.parametrize(
    ("period", "day"),
    [("P1D", "2026-11-21"), ("P30D", "2026-10-23"), ("P9M", "2026-02-22"), ("P2Y", "2024-11-22")],
)
def test_a_period_is_counted_in_whole_days_of_the_shop(period: str, day: str) -> None:
    assert over_before(period, NIGHT, VIETNAM) == datetime.fromisoformat(f"{day}T00:00:00+07:00")


def test_a_month_that_has_no_such_day_ends_with_its_last() -> None:
    march = datetime(2026, 3, 31, 12, tzinfo=VIETNAM)
    assert over_before("P1M", march, VIETNAM).date().isoformat() == "2026-02-28"


@given(PERIODS, MOMENTS)
def test_nothing_is_over_before_its_whole_period_has_passed(period: str, began: datetime) -> None:
    over = over_at(period, began, VIETNAM)
    # At the end of the day nothing less than the period lies between; a month's end may add days.
    assert not began < over_before(period, over - timedelta(seconds=1), VIETNAM)
    assert began < over_before(period, over + timedelta(days=4), VIETNAM)


def test_years_and_days_are_compared_on_the_calendar() -> None:
    assert is_shorter("P3651D", "P10Y", NIGHT, VIETNAM)
    assert not is_shorter("P3653D", "P10Y", NIGHT, VIETNAM)
    assert not is_shorter("P120M", "P10Y", NIGHT, VIETNAM)


def record(**known: Any) -> CustomerRecord:
    given_at = known.pop("created_at", datetime(2020, 1, 1, tzinfo=UTC))
    made = new_record({"source": "pos"}, customer_id=uuid4(), number=1, currency="VND", at=given_at)
    return replace(made, **known)


def terms(**said: Any) -> RuleTerms:
    known = {
        "id": uuid4(),
        "data": ("birth_date",),
        "clock": "last_activity",
        "period": "P2Y",
        "action": "empty",
        "applies_to": "everybody",
        "now": NIGHT,
        "zone": VIETNAM,
        "accounts_period": "P10Y",
    }
    return RuleTerms(**{**known, **said})


def person(*members: CustomerRecord, **known: Any) -> Person:
    return Person(members[0], members, **known)


def test_the_youngest_record_of_a_family_counts() -> None:
    old, young = record(), record(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert judge(person(old), terms()).reason is None
    judged = judge(person(old, young), terms())
    assert judged.reason == "not_yet"
    assert judged.look_again_at == datetime.fromisoformat("2028-01-02T00:00:00+07:00")


@pytest.mark.parametrize("root_ended", ["2020-01-31", None, "?"])
def test_the_latest_day_that_any_record_of_a_family_has_counts(root_ended: str | None) -> None:
    by_day = terms(clock="attributes.contract_ended_on", period="P30D")
    ended = record(attributes={"contract_ended_on": root_ended})
    running = record(attributes={"contract_ended_on": "2026-05-31"})
    judged = judge(person(ended, running), by_day)
    assert judged.began == datetime.fromisoformat("2026-05-31T00:00:00+07:00")
    assert judge(person(running, ended), by_day) == judged


def test_a_rule_speaks_of_leads_or_of_customers() -> None:
    lead, customer = record(), record(stage="customer", orders_count=1)
    assert judge(person(lead), terms(applies_to="customers")) is None
    assert judge(person(customer), terms(applies_to="leads")) is None
    assert judge(person(customer), terms(applies_to="customers")) is not None


def test_whoever_never_ordered_is_not_due_by_their_last_order() -> None:
    assert judge(person(record()), terms(clock="last_order")) is None
    ordered = record(last_order_at=datetime(2021, 1, 1, tzinfo=UTC))
    assert judge(person(ordered), terms(clock="last_order")).reason is None


def test_what_protects_comes_before_what_is_due() -> None:
    held = judge(person(record(), is_held=True, has_asked=True), terms())
    assert held.reason == "legal_hold"
    assert judge(person(record(), has_asked=True), terms()).reason == "privacy_request"
    quiet = record(restricted_at=NIGHT)
    assert judge(person(record(), quiet), terms()).reason == "restriction"
    assert judge(person(record(erased_at=NIGHT)), terms()) is None


def test_the_accounts_hold_the_record_and_not_its_fields() -> None:
    buyer = record(last_order_at=datetime(2021, 5, 6, tzinfo=UTC), orders_count=1)
    ending = terms(data=("record",), action="anonymise")
    judged = judge(person(buyer), ending)
    assert judged.reason == "law"
    assert judged.look_again_at == datetime.fromisoformat("2032-01-01T00:00:00+07:00")
    assert judge(person(buyer), terms()).reason is None


@pytest.mark.parametrize(
    ("sold", "asked", "reason"),
    [
        # In Vietnam the first is still of 2016, and the second of 2017 already.
        ("2016-12-31T16:59:59Z", "2026-12-31T16:59:59Z", "law"),
        ("2016-12-31T16:59:59Z", "2026-12-31T17:00:00Z", None),
        ("2016-12-31T17:00:00Z", "2027-12-31T16:59:59Z", "law"),
        ("2016-01-02T05:00:00Z", "2026-11-21T19:30:00Z", "law"),
        ("2015-12-30T05:00:00Z", "2026-11-21T19:30:00Z", None),
    ],
)
def test_ten_years_of_accounts_begin_with_the_end_of_their_year(
    sold: str, asked: str, reason: str | None
) -> None:
    buyer = record(
        created_at=datetime(2000, 1, 1, tzinfo=UTC),
        last_order_at=datetime.fromisoformat(sold),
        orders_count=1,
    )
    now = datetime.fromisoformat(asked)
    ending = terms(data=("record",), action="anonymise", now=now)
    judged = judge(person(buyer), ending)
    assert judged is not None
    assert judged.reason == reason
    if judged.look_again_at is not None and judged.look_again_at > now + timedelta(hours=12):
        again = judge(person(buyer), replace(ending, now=judged.look_again_at))
        assert again is not None
        assert again.reason is None


def test_every_table_with_something_to_erase_is_named_or_left_for_a_reason() -> None:
    emptied = {each.table.name for each in personal_tables(metadata) if each.erase}
    named = {entries.table.name for entries in ENTRIES.values()}
    assert emptied - named == ONLY_WITH_PERSON.keys()
    assert named <= emptied


def test_presets_are_rules_that_the_law_allows() -> None:
    assert PRESETS.keys() == ACCOUNTS.keys()
    for law, rules in PRESETS.items():
        for rule in rules:
            if "orders" in rule.data:
                assert not is_shorter(rule.period, ACCOUNTS[law], NIGHT, VIETNAM)
            assert rule.clock != "recorded" or all(can_age(name) for name in rule.data)
            assert (rule.data == ("record",)) == (rule.action == "anonymise")


LONG_AGO = datetime(2015, 1, 1, tzinfo=UTC)
MANY = 4000
_HOURLY = "CAST(:then AS timestamptz) + n * interval '1 hour'"
_FILL = {
    "customer": f"""
        INSERT INTO customer.customer (tenant_id, id, code, stage, source, tags, attributes,
            consents, value_tier, orders_count, total_spent_minor, currency, search_key,
            created_at, updated_at, version, last_order_at)
        SELECT :tenant, gen_random_uuid(), 'KH' || n, 'lead', 'pos', '[]', '{{}}', '[]',
            'standard', 0, 0, 'VND', '', {_HOURLY}, {_HOURLY}, 1, {_HOURLY}
        FROM generate_series(1, :many) n ON CONFLICT DO NOTHING
    """,
    "interaction": f"""
        INSERT INTO customer.interaction (tenant_id, id, customer_id, kind, started_at, text,
            created_at, updated_at, version)
        SELECT :tenant, gen_random_uuid(), :customer, 'call', {_HOURLY},
            CASE WHEN n > 3000 THEN 'Words' END, {_HOURLY}, {_HOURLY}, 1
        FROM generate_series(1, :many) n ON CONFLICT DO NOTHING
    """,
    "consent_record": f"""
        INSERT INTO customer.consent_record (tenant_id, id, customer_id, purpose, channel, status,
            source, proof, changed_at, created_at)
        SELECT :tenant, gen_random_uuid(), :customer, 'care', 'email',
            CASE WHEN n % 40 = 0 THEN 'withdrawn' ELSE 'granted' END, 'pos', '{{}}',
            {_HOURLY}, {_HOURLY}
        FROM generate_series(1, :many) n ON CONFLICT DO NOTHING
    """,
}


_A_CALL_OF_EACH = """
    INSERT INTO customer.interaction (tenant_id, id, customer_id, kind, started_at, text,
        created_at, updated_at, version)
    SELECT tenant_id, gen_random_uuid(), id, 'call', created_at, 'Words', created_at, created_at, 1
    FROM customer.customer WHERE tenant_id = :tenant AND id <> :held
"""


@pytest.mark.parametrize(
    ("table", "statement", "most"),
    [
        ("customer", _by_clock("last_activity"), 50),
        ("customer", _by_clock("last_order"), 50),
        ("customer", _by_clock("created"), 50),
        ("customer", _changed("last_activity"), 50),
        ("consent_record", _by_clock("consent_withdrawn"), 3),
        ("interaction", _oldest("interactions"), 50),
    ],
    ids=["last_activity", "last_order", "created", "changed", "consent_withdrawn", "recorded"],
)
async def test_whoever_is_due_is_found_without_looking_at_the_others(
    service, shop, client, database_url, table: str, statement: Executable, most: int
):
    """Of very many only those whose time has come since the last night, or who are left."""
    made = (await client.post("/v1/customers", json={"name": "Lan"})).json()
    async with service.context.units.begin(shop) as uow:
        filled = {"tenant": shop, "then": LONG_AGO, "many": MANY, "customer": UUID(made["id"])}
        await uow.execute(text(_FILL[table]), filled)
        await uow.commit()
    # What was emptied up to here is in no one's way.
    since = LONG_AGO + timedelta(hours=3000)
    asked = {
        "tenant": shop,
        "after": LONG_AGO if statement is _oldest("interactions") else since,
        "after_id": UUID(int=0),
        "until": since + timedelta(hours=50),
        "begun": since + timedelta(hours=50),
        "at_most": 200,
    }
    read = await rows_read(
        database_url,
        schema="customer",
        tenant_id=shop,
        table=table,
        statement=statement,
        parameters=asked,
    )
    assert 0 < read <= most + 2


async def test_whoever_was_left_alone_is_found_again_without_looking_at_the_others(
    service, shop, client, database_url
):
    held = (await client.post("/v1/customers", json={"name": "Hoa"})).json()
    for _ in range(3):
        call = {"customer_id": held["id"], "kind": "call", "text": "Đã gọi"}
        call["started_at"] = "2016-01-02T03:04:05Z"
        assert (await client.post("/v1/interactions", json=call)).status_code == 201
    rule_id = uuid4()
    async with service.context.units.begin(shop) as uow:
        filled = {"tenant": shop, "then": LONG_AGO, "many": MANY}
        await uow.execute(text(_FILL["customer"]), filled)
        await uow.execute(text(_A_CALL_OF_EACH), {"tenant": shop, "held": UUID(held["id"])})
        left_alone = {
            "rule_id": rule_id,
            "customer_id": UUID(held["id"]),
            "reason": "legal_hold",
            "look_again_at": NIGHT,
        }
        await RetentionRepository(uow).keep_exceptions([left_alone])
        await uow.commit()
    asked = {"after": LONG_AGO, "after_id": UUID(int=0), "until": NIGHT, "at_most": 200}
    read = await rows_read(
        database_url,
        schema="customer",
        tenant_id=shop,
        table="interaction",
        statement=_oldest_again("interactions"),
        parameters={"tenant": shop, "rule_id": rule_id, **asked},
    )
    assert read == 3
