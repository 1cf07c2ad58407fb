"""Each operator on a value that meets it, one that does not, and none; in SQL and in memory."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.segmentation.facts.customer_facts import MessageFact, OrderFact, TicketFact
from shared.ids import new_id
from tests.segmentation.facts import AS_OF, SAIGON, FactsDatabase, customer

YES, NO = True, False
HOUR = timedelta(hours=1)


def field(name: str, op: str, *value: Any, **extra: Any) -> dict[str, Any]:
    return {"field": name, "op": op} | ({"value": value[0]} if value else {}) | extra


def vnd(amount: int) -> dict[str, str]:
    return {"amount": str(amount), "currency": "VND"}


OPERATORS: list[tuple[str, dict[str, Any], Any, Any, bool]] = [
    # fact, rule, a value that matches, one that does not, the answer for an unknown value
    ("city", field("profile.city", "eq", "Hà Nội"), "Hà Nội", "Ha Noi", NO),
    ("city", field("profile.city", "eq", "Ha\u0300 No\u0323\u0302i"), "Hà Nội", "hà nội", NO),
    ("city", field("profile.city", "ne", "Hà Nội"), "Ha Noi", "Hà Nội", YES),
    ("city", field("profile.city", "ne", "Huế", require_known=True), "Hà Nội", "Huế", NO),
    ("city", field("profile.city", "in", ["Huế", "Hà Nội"]), "Huế", "Đà Lạt", NO),
    ("city", field("profile.city", "not_in", ["Huế"]), "Đà Lạt", "Huế", YES),
    ("city", field("profile.city", "not_in", ["Huế"], require_known=True), "Đà Lạt", "Huế", NO),
    ("city", field("profile.city", "contains", "NẴNG"), "Đà Nẵng", "Hà Nội", NO),
    ("city", field("profile.city", "not_contains", "nang"), "Hà Nội", "Đà Nẵng", YES),
    ("city", field("profile.city", "starts_with", "da"), "Đà Nẵng", "Lâm Đà", NO),
    ("city", field("profile.city", "contains", "50%_\\"), "a 50%_\\ b", "a 50 b", NO),
    ("full_name", field("profile.full_name", "contains", "van duc"), "Nguyễn Văn Đức", "Lê", NO),
    ("city", field("profile.city", "exists"), "Huế", None, NO),
    ("city", field("profile.city", "not_exists"), None, "Huế", YES),
    ("stage", field("profile.stage", "in", ["lead"]), "lead", "Lead", NO),
    ("orders_count", field("profile.orders_count", "gt", 2), 3, 2, NO),
    ("orders_count", field("profile.orders_count", "gte", 2.5), 3, 2, NO),
    ("orders_count", field("profile.orders_count", "in", [1, 3]), 3, 2, NO),
    ("last_csat", field("profile.last_csat", "lt", 3), 2, 3, NO),
    ("last_csat", field("profile.last_csat", "lte", 2), 2, 3, NO),
    ("last_csat", field("profile.last_csat", "eq", 2), 2, 3, NO),
    ("last_csat", field("profile.last_csat", "between", [2, 4]), 4, 5, NO),
    ("last_csat", field("profile.last_csat", "between", [2, 4]), 2, 1, NO),
    (
        "birth_date",
        field("profile.birth_date", "eq", "1990-01-01"),
        date(1990, 1, 1),
        date(1990, 1, 2),
        NO,
    ),
    (
        "birth_date",
        field("profile.birth_date", "before", "1990-01-01"),
        date(1989, 12, 31),
        date(1990, 1, 1),
        NO,
    ),
    (
        "birth_date",
        field("profile.birth_date", "after", "1990-01-01"),
        date(1990, 1, 2),
        date(1990, 1, 1),
        NO,
    ),
    (
        "birth_date",
        field("profile.birth_date", "between", ["1990-01-01", "1990-12-31"]),
        date(1990, 12, 31),
        date(1991, 1, 1),
        NO,
    ),
    (
        "birth_date",
        field("profile.birth_date", "anniversary_within", "P7D"),
        date(1990, 11, 28),
        date(1990, 11, 29),
        NO,
    ),
    ("birth_date", field("profile.age", "gte", 18), date(2008, 11, 21), date(2008, 11, 22), NO),
    ("birth_date", field("profile.age", "exists"), date(2008, 11, 21), date(2027, 1, 1), NO),
    (
        "last_order_at",
        field("profile.last_order_at", "before", AS_OF.isoformat()),
        AS_OF - HOUR,
        AS_OF,
        NO,
    ),
    (
        "last_order_at",
        field("profile.last_order_at", "after", AS_OF.isoformat()),
        AS_OF + HOUR,
        AS_OF,
        NO,
    ),
    (
        "last_order_at",
        field("profile.last_order_at", "within_last", "P1D"),
        AS_OF - 20 * HOUR,
        AS_OF - 48 * HOUR,
        NO,
    ),
    (
        "last_order_at",
        field("profile.last_order_at", "more_than_ago", "P1D"),
        AS_OF - 48 * HOUR,
        AS_OF,
        NO,
    ),
    ("tags", field("profile.tags", "any_of", ["vip", "new"]), ("new", "x"), ("x",), NO),
    ("tags", field("profile.tags", "all_of", ["vip", "new"]), ("new", "vip"), ("new",), NO),
    ("tags", field("profile.tags", "none_of", ["vip"]), ("new",), ("vip", "new"), YES),
    ("tags", field("profile.tags", "exists"), ("new",), (), NO),
]


@pytest.mark.parametrize(("fact", "rule", "good", "bad", "unknown"), OPERATORS)
async def test_an_operator(
    facts_database: FactsDatabase,
    fact: str,
    rule: dict[str, Any],
    good: Any,
    bad: Any,
    unknown: bool,
):
    assert await facts_database.matches(rule, customer(**{fact: good}))
    assert not await facts_database.matches(rule, customer(**{fact: bad}))
    assert await facts_database.matches(rule, customer()) is unknown


ATTRIBUTES: list[tuple[dict[str, Any], Any, list[Any], bool]] = [
    # rule, a value that matches, values of any type that do not, the answer for the unknown
    (field("attributes.x", "eq", "đỏ"), "đỏ", ["do", 5, None], NO),
    (field("attributes.x", "eq", 5), 5.0, ["5", 5.1, True], NO),
    (field("attributes.x", "eq", 0.1), 0.1, ["0.1", 1], NO),
    (field("attributes.x", "eq", True), True, [False, "true", 1], NO),
    (field("attributes.x", "ne", "đỏ"), "do", ["đỏ"], YES),
    (field("attributes.x", "gte", 18), 18, ["18", 17.9, [18]], NO),
    (field("attributes.x", "contains", "do"), "Màu Đỏ", ["xanh", ["do"]], NO),
    (field("attributes.x", "in", ["S", "M"]), "M", ["L", ["M"]], NO),
    (
        field("attributes.x", "before", "2026-03-01"),
        "2026-02-28",
        ["2026-03-01", "2026-02-31", "0000-01-01", "28/2/2026"],
        NO,
    ),
    (field("attributes.x", "within_last", "P7D"), "2026-11-14", ["2026-11-13", "2026-11-22"], NO),
    (field("attributes.x", "any_of", ["a"]), ["a", 7], ["a", ["b"], {"a": 1}], NO),
    (field("attributes.x", "none_of", ["a"]), ["b"], [["a"]], YES),
    (field("attributes.x", "none_of", ["a"], require_known=True), [], [["a"], "b"], NO),
    (field("attributes.x", "exists"), "", [None], NO),
    (field("attributes.x", "not_exists"), None, ["", 0, False, []], YES),
]


@pytest.mark.parametrize(("rule", "good", "bad", "unknown"), ATTRIBUTES)
async def test_an_attribute_is_read_as_what_it_is_compared_with(
    facts_database: FactsDatabase, rule: dict[str, Any], good: Any, bad: list[Any], unknown: bool
):
    assert await facts_database.matches(rule, customer(attributes={"x": good}))
    for value in bad:
        assert not await facts_database.matches(rule, customer(attributes={"x": value})), value
    assert await facts_database.matches(rule, customer()) is unknown


async def test_consent_is_asked_by_channel_and_purpose(facts_database: FactsDatabase):
    rule = field("consent.email.marketing", "eq", "granted")

    assert await facts_database.matches(rule, customer(consent={"email.marketing": "granted"}))
    assert not await facts_database.matches(rule, customer(consent={"email.marketing": "denied"}))
    assert not await facts_database.matches(rule, customer())


@pytest.mark.parametrize(
    ("spent", "currency", "amount", "expected"),
    [
        (1000, "VND", 1000, True),
        (999, "VND", 1000, False),
        (100_000, "USD", 1000, False),  # dollars say nothing about dong
        (0, None, 0, True),  # who has bought nothing has spent nothing
    ],
)
async def test_spending_is_compared_in_its_own_currency(
    facts_database: FactsDatabase, spent: int, currency: str | None, amount: int, expected: bool
):
    rule = field("profile.total_spent", "gte", vnd(amount))
    spender = customer(total_spent_minor=spent, currency=currency)

    assert await facts_database.matches(rule, spender) is expected


def order(total: int = 100, hours_ago: int = 1, **facts: Any) -> OrderFact:
    defaults = {"status": "paid", "currency": "VND"}
    placed_at = AS_OF - timedelta(hours=hours_ago)
    return OrderFact(
        order_id=new_id(), placed_at=placed_at, total_minor=total, **(defaults | facts)
    )


def orders(measure: str, op: str, value: Any, **extra: Any) -> dict[str, Any]:
    return {"orders": {"measure": measure, "op": op, "value": value} | extra}


MEASURES = [
    (orders("count", "gte", 2), YES, NO),
    (orders("count", "gte", 1), YES, NO),
    (orders("count", "eq", 0), NO, YES),
    (orders("count", "lt", 1), NO, YES),
    (orders("count", "gte", 0), YES, YES),
    (orders("count", "gt", 0), YES, NO),
    (orders("count", "gt", 1), YES, NO),
    (orders("count", "gt", 3), NO, NO),
    (orders("count", "lte", 0), NO, YES),
    (orders("count", "lte", 3), YES, YES),
    (orders("count", "ne", 0), YES, NO),
    (orders("count", "ne", 3), NO, YES),
    (orders("count", "between", [0, 3]), YES, YES),
    (orders("count", "in", [0, 2]), NO, YES),
    (orders("count", "eq", 2, where=field("order.status", "eq", "paid")), YES, NO),
    (orders("count", "eq", 1, where=field("order.status", "ne", "paid")), YES, NO),
    (orders("count", "gte", 1, where=field("order.channel", "ne", "pos")), YES, NO),
    (orders("count", "eq", 1, where=field("order.total", "gt", vnd(200))), YES, NO),
    (orders("count", "eq", 1, where=field("order.skus", "any_of", ["A-1"])), YES, NO),
    (orders("count", "eq", 1, where=field("order.product_titles", "contains", "ao dai")), YES, NO),
    (orders("count", "eq", 1, window={"last": "PT2H"}), YES, NO),
    (orders("count", "eq", 2, window={"since": "2026-11-21"}), YES, NO),
    (orders("count", "eq", 1, window={"between": ["2026-11-19", "2026-11-20"]}), YES, NO),
    (orders("sum_total", "eq", vnd(400)), YES, NO),
    (orders("sum_total", "lt", vnd(1000)), YES, YES),
    (orders("sum_net", "eq", vnd(350)), YES, NO),
    (orders("sum_total", "gte", {"amount": "5.00", "currency": "USD"}), YES, NO),
    (orders("avg_total", "eq", vnd(200)), YES, NO),
    (orders("avg_total", "ne", vnd(200)), NO, YES),
    (orders("avg_total", "ne", vnd(200), require_known=True), NO, NO),
    (orders("min_total", "lte", vnd(100)), YES, NO),
    (orders("max_total", "gt", vnd(299)), YES, NO),
    (orders("last_at", "within_last", "PT2H"), YES, NO),
    (orders("first_at", "more_than_ago", "P1D"), YES, NO),
    ({"not": orders("last_at", "within_last", "PT2H")}, NO, YES),
    ({"not": orders("last_at", "within_last", "P0D"), "require_known": True}, NO, NO),
]


@pytest.mark.parametrize(("rule", "for_buyer", "for_stranger"), MEASURES)
async def test_a_measure_of_orders(
    facts_database: FactsDatabase, rule: dict[str, Any], for_buyer: bool, for_stranger: bool
):
    buyer = customer(
        orders=[
            order(
                300,
                hours_ago=1,
                refunded_minor=50,
                skus=("A-1", "B-2"),
                product_titles=("Áo Dài đỏ", "Mũ"),
            ),
            order(100, hours_ago=50, channel="pos", product_titles=("Áo", "Dài")),
            order(500, hours_ago=3, currency="USD", status="cancelled", channel="web"),
        ]
    )

    assert await facts_database.matches(rule, buyer) is for_buyer
    assert await facts_database.matches(rule, customer()) is for_stranger


async def test_an_order_adds_no_less_than_nothing(facts_database: FactsDatabase):
    given_back = customer(orders=[order(300), order(100, refunded_minor=150)])

    assert await facts_database.matches(orders("sum_net", "eq", vnd(300)), given_back)


async def test_an_average_is_compared_without_rounding(facts_database: FactsDatabase):
    thirds = customer(orders=[order(10**15), order(10**15), order(10**15 + 1)])

    assert await facts_database.matches(orders("avg_total", "gt", vnd(10**15)), thirds)
    assert not await facts_database.matches(orders("avg_total", "eq", vnd(10**15)), thirds)


def ticket(opened_at: datetime, **facts: Any) -> TicketFact:
    defaults = {"type": "complaint", "status_category": "open"}
    return TicketFact(ticket_id=new_id(), opened_at=opened_at, **(defaults | facts))


def tickets(measure: str, op: str, value: Any, **extra: Any) -> dict[str, Any]:
    return {"tickets": {"measure": measure, "op": op, "value": value} | extra}


async def test_open_complaints_are_counted(facts_database: FactsDatabase):
    complaint = {
        "all": [
            field("ticket.type", "eq", "complaint"),
            field("ticket.status_category", "not_in", ["resolved", "closed"]),
        ]
    }
    rule = tickets("count", "gte", 1, where=complaint)

    assert await facts_database.matches(rule, customer(tickets=[ticket(AS_OF)]))
    for other in ({"status_category": "closed"}, {"type": "question"}):
        assert not await facts_database.matches(rule, customer(tickets=[ticket(AS_OF, **other)]))


async def test_the_last_score_is_the_one_given_last(facts_database: FactsDatabase):
    unhappy = tickets("last_csat", "lte", 2)
    scored_late = ticket(AS_OF - 50 * HOUR, csat=5, csat_at=AS_OF - HOUR)
    scored_early = ticket(AS_OF - 9 * HOUR, csat=1, csat_at=AS_OF - 3 * HOUR)
    unscored = ticket(AS_OF)

    assert await facts_database.matches(unhappy, customer(tickets=[scored_early, unscored]))
    assert not await facts_database.matches(unhappy, customer(tickets=[scored_late, scored_early]))
    assert not await facts_database.matches(unhappy, customer(tickets=[unscored]))


async def test_nothing_received_lately(facts_database: FactsDatabase):
    rule = {
        "messages": {
            "measure": "count",
            "where": field("message.channel", "eq", "email"),
            "window": {"last": "P7D"},
            "op": "eq",
            "value": 0,
        }
    }

    def message(channel: str, sent_at: datetime | None) -> MessageFact:
        return MessageFact(message_id=new_id(), channel=channel, status="sent", sent_at=sent_at)

    long_ago = AS_OF - 24 * 9 * HOUR
    quiet = [message("email", long_ago), message("sms", AS_OF), message("email", None)]
    assert await facts_database.matches(rule, customer(messages=quiet))
    assert not await facts_database.matches(rule, customer(messages=[message("email", AS_OF)]))


async def test_days_of_a_period_are_the_shop_s(facts_database: FactsDatabase):
    rule = field("profile.last_order_at", "between", ["2026-05-01", "2026-05-02"])
    first = datetime(2026, 5, 1, tzinfo=SAIGON)

    assert await facts_database.matches(rule, customer(last_order_at=first))
    assert await facts_database.matches(rule, customer(last_order_at=first + 47 * HOUR))
    assert not await facts_database.matches(rule, customer(last_order_at=first + 48 * HOUR))
    assert not await facts_database.matches(rule, customer(last_order_at=first - HOUR))


async def test_an_instant_ends_a_period_without_belonging_to_it(facts_database: FactsDatabase):
    ends = ["2026-05-01T08:00:00+07:00", "2026-05-01T09:00:00+07:00"]
    rule = field("profile.last_order_at", "between", ends)
    start = datetime(2026, 5, 1, 8, tzinfo=SAIGON)

    assert await facts_database.matches(rule, customer(last_order_at=start))
    assert not await facts_database.matches(rule, customer(last_order_at=start + HOUR))


UNKNOWN = field("profile.city", "eq", "Huế")
TRUE = field("profile.orders_count", "eq", 0)
FALSE = field("profile.orders_count", "gt", 0)
STRICT_NOT = {"require_known": True}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (UNKNOWN, NO),
        ({"not": UNKNOWN}, YES),
        ({"not": UNKNOWN} | STRICT_NOT, NO),
        ({"not": {"not": UNKNOWN}}, NO),
        ({"not": {"not": UNKNOWN} | STRICT_NOT}, YES),
        ({"not": {"all": [TRUE, UNKNOWN]}} | STRICT_NOT, NO),
        ({"not": {"all": [FALSE, UNKNOWN]}} | STRICT_NOT, YES),
        ({"not": {"any": [TRUE, UNKNOWN]}} | STRICT_NOT, NO),
        ({"not": {"any": [FALSE, UNKNOWN]}} | STRICT_NOT, NO),
        ({"any": [UNKNOWN, TRUE]}, YES),
        ({"all": [UNKNOWN, TRUE]}, NO),
        ({"all": [{"not": UNKNOWN}, {"any": [FALSE, {"all": [TRUE]}]}]}, YES),
    ],
)
async def test_a_negation_keeps_the_unknown_unless_it_requires_to_know(
    facts_database: FactsDatabase, rule: dict[str, Any], expected: bool
):
    assert await facts_database.matches(rule, customer()) is expected


async def test_another_tenant_s_facts_count_for_nothing(facts_database: FactsDatabase):
    buyer = customer(orders=[order()])
    await facts_database.store([buyer])
    stranger = customer()
    object.__setattr__(stranger.profile, "customer_id", buyer.profile.customer_id)

    assert not await facts_database.matches(orders("count", "gte", 1), stranger)
