"""Random facts and random rules over small pools of values, so that they often meet.

Rules are drawn from the catalogue itself: a new field, measure or operator is tested at once.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from services.segmentation.facts.customer_facts import (
    CustomerFacts,
    MessageFact,
    OrderFact,
    ProfileFacts,
    TicketFact,
)
from services.segmentation.rules.catalog import (
    COLLECTIONS,
    FIELDS,
    NEGATIVE,
    OPERATORS,
    Collection,
    Field,
    Kind,
    Op,
    Scope,
    find_field,
)
from services.segmentation.rules.parse import measure_operators
from shared.ids import new_id

TIMEZONES = [
    ZoneInfo(name)
    # Cairo and Beirut change their clocks at midnight, St John's once did a minute after it.
    for name in ("Asia/Ho_Chi_Minh", "America/New_York", "Africa/Cairo", "UTC", "America/St_Johns")
]
AS_OFS = [
    datetime(2026, 11, 21, 3, 30, tzinfo=UTC),
    datetime(2024, 2, 29, 17, 0, tzinfo=UTC),
    datetime(2025, 3, 1, 0, 0, tzinfo=UTC),
    datetime(2024, 4, 25, 22, 0, tzinfo=UTC),  # the clocks of Cairo go forward
    datetime(2010, 11, 7, 2, 45, tzinfo=UTC),  # in St John's it is yesterday again
]
WORDS = ["Hà Nội", "Ha Noi", "hà nội", "Đà Nẵng", "vip", "new", "open", "complaint", "email", "a"]
DURATIONS = ["P0D", "P1D", "P7D", "P30D", "P2W", "P1M", "P1Y", "P1Y2M3D"]
EXACT_DURATIONS = ["PT36H", "PT90M", "PT1H30M15S"]
DAYS = [date(2000, 2, 29), date(1990, 11, 21), date(1990, 11, 27), date(2026, 11, 20)]
CURRENCIES = ["VND", "USD"]
LEAST = timedelta(microseconds=1)

CUSTOMER_SCOPES = (Scope.PROFILE, Scope.ATTRIBUTES, Scope.CONSENT)
TIMES = {Kind.INSTANT, Kind.DATE, Kind.DYNAMIC}

words = st.sampled_from(WORDS)
durations = st.sampled_from(DURATIONS + EXACT_DURATIONS)
currencies = st.sampled_from(CURRENCIES)


def sometimes(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Unknown once in four."""
    return st.integers(0, 3).flatmap(lambda n: strategy if n else st.none())


@st.composite
def instants(draw: st.DrawFn, as_of: datetime) -> datetime:
    """Near the edges of windows that end at `as_of`, and anywhere else."""
    days = st.sampled_from([0, 1, 2, 7, 8, 14, 30, 31, 365, -1]) | st.integers(-40, 800)
    instant = as_of - timedelta(days=draw(days))
    if draw(st.booleans()):
        hour = draw(st.sampled_from([0, 2, 4, 5, 17, 22]))
        instant = instant.replace(hour=hour, minute=0, second=0, microsecond=0)
    return instant + draw(st.sampled_from([-LEAST, 0 * LEAST, LEAST, timedelta(hours=-36)]))


def days(as_of: datetime) -> st.SearchStrategy[date]:
    near = st.integers(-400, 800).map(lambda n: as_of.date() - timedelta(days=n))
    return st.sampled_from(DAYS) | near


attribute_values = st.sampled_from(
    [
        *WORDS, "", "2000-02-29", "2023-02-31", "2026-11-20", "2026-11-20 ", "0000-01-01",
        None, True, False, 0, 5, 5.5, 0.1, 1e20, -3, [], ["a"], ["a", "vip"], ["vip", 7], {"a": 1},
    ]
)  # fmt: skip


@st.composite
def customers(draw: st.DrawFn, as_of: datetime) -> CustomerFacts:
    texts = [
        "code",
        "full_name",
        "email",
        "phone",
        "locale",
        "gender",
        "city",
        "province",
        "country",
        "stage",
        "source",
        "occupation",
        "position",
        "preferred_channel",
        "tax_code",
        "vn63_province",
        "vn34_province",
    ]
    times = "created_at first_order_at last_order_at last_csat_at last_ticket_at last_message_at"
    counts = "orders_count paid_orders_count tickets_count open_tickets_count"
    profile = ProfileFacts(
        customer_id=new_id(),
        birth_date=draw(sometimes(days(as_of))),
        kind=draw(words),
        relation=draw(words),
        rating=draw(sometimes(st.integers(1, 5))),
        income_currency=draw(sometimes(currencies)),
        income_at_least_minor=draw(sometimes(st.sampled_from([0, 500, 1000]))),
        income_below_minor=draw(sometimes(st.sampled_from([500, 611, 1000]))),
        preferences=tuple(draw(st.lists(words, max_size=2))),
        tags=tuple(draw(st.lists(words, max_size=3))),
        attributes=draw(st.dictionaries(st.sampled_from(["size", "born"]), attribute_values)),
        consent=draw(st.dictionaries(st.just("email.marketing"), words)),
        consent_ends=draw(
            st.dictionaries(
                st.sampled_from(["email.marketing", "sms.care"]),
                instants(as_of).map(datetime.isoformat),
            )
        ),
        total_spent_minor=draw(st.sampled_from([0, 500, 1000])),
        currency=draw(sometimes(currencies)),
        last_csat=draw(sometimes(st.integers(1, 5))),
        **{name: draw(sometimes(words)) for name in texts},
        **{name: draw(sometimes(instants(as_of))) for name in times.split()},
        **{name: draw(st.integers(0, 3)) for name in counts.split()},
    )
    return CustomerFacts(
        profile=profile,
        orders=tuple(draw(st.lists(orders(as_of), max_size=4))),
        tickets=tuple(draw(st.lists(tickets(as_of), max_size=3))),
        messages=tuple(draw(st.lists(messages(as_of), max_size=3))),
    )


@st.composite
def orders(draw: st.DrawFn, as_of: datetime) -> OrderFact:
    return OrderFact(
        order_id=new_id(),
        placed_at=draw(instants(as_of)),
        status=draw(words),
        financial_status=draw(sometimes(words)),
        total_minor=draw(st.sampled_from([0, 333, 500, 1000, 2**62])),
        refunded_minor=draw(st.sampled_from([0, 333, 500, 1500])),
        currency=draw(currencies),
        channel=draw(sometimes(words)),
        lines_count=draw(st.integers(0, 3)),
        skus=tuple(draw(st.lists(words, max_size=2))),
        product_titles=tuple(draw(st.lists(words, max_size=2))),
    )


@st.composite
def tickets(draw: st.DrawFn, as_of: datetime) -> TicketFact:
    return TicketFact(
        ticket_id=new_id(),
        type=draw(words),
        status_category=draw(words),
        priority=draw(sometimes(words)),
        opened_at=draw(instants(as_of)),
        resolved_at=draw(sometimes(instants(as_of))),
        csat=draw(sometimes(st.integers(1, 5))),
        csat_at=draw(sometimes(instants(as_of))),
    )


@st.composite
def messages(draw: st.DrawFn, as_of: datetime) -> MessageFact:
    return MessageFact(
        message_id=new_id(),
        channel=draw(words),
        status=draw(words),
        purpose=draw(sometimes(words)),
        sent_at=draw(sometimes(instants(as_of))),
        opened_at=draw(sometimes(instants(as_of))),
    )


def rules(as_of: datetime) -> st.SearchStrategy[dict[str, Any]]:
    """Any nesting of any leaves, as JSON."""
    return trees(field_leaves(as_of, *CUSTOMER_SCOPES) | collection_leaves(as_of), levels=3)


def moving_rules(as_of: datetime) -> st.SearchStrategy[dict[str, Any]]:
    """Rules whose leaves time can turn over."""
    return trees(moving_leaves(as_of), levels=2)


@st.composite
def moving_leaves(draw: st.DrawFn, as_of: datetime) -> dict[str, Any]:
    shape = draw(st.sampled_from(["window", "measure", "field", "age", "consent"]))
    if shape == "consent":
        op = draw(st.sampled_from(["eq", "ne"]))
        value = draw(st.sampled_from(["expired", *WORDS]))
        return {"field": "consent.email.marketing", "op": op, "value": value}
    if shape == "age":
        op = draw(st.sampled_from(["gte", "lt", "eq", "ne"]))
        return {"field": "profile.age", "op": op, "value": draw(st.sampled_from([0, 1, 27, 36]))}
    relative = [Op.WITHIN_LAST, Op.MORE_THAN_AGO]
    if shape == "field":
        times = [field for field in fields(*CUSTOMER_SCOPES) if field.kind in TIMES]
        field = draw(st.sampled_from(times))
        kind = Kind.INSTANT if field.kind is Kind.INSTANT else Kind.DATE
        op = draw(st.sampled_from(relative + [Op.ANNIVERSARY_WITHIN] * (kind is Kind.DATE)))
        return {"field": field.name} | draw(comparisons(kind, op, as_of))
    collection = draw(st.sampled_from(list(COLLECTIONS.values())))
    leaf: dict[str, Any] = {"measure": "count", "value": draw(st.integers(1, 3))}
    if shape == "window":
        leaf |= {"op": draw(st.sampled_from(["gte", "lt"])), "window": {"last": draw(durations)}}
    else:
        measure = draw(st.sampled_from(["first_at", "last_at"]))
        op = draw(st.sampled_from(relative))
        leaf = {"measure": measure, "op": op.value, "value": draw(durations)}
    if draw(st.integers(0, 3)) == 3:
        leaf["where"] = draw(trees(field_leaves(as_of, collection.scope), levels=1))
    return {collection.name: leaf}


@st.composite
def trees(draw: st.DrawFn, leaves: st.SearchStrategy[Any], *, levels: int) -> dict[str, Any]:
    """Leaves under at most `levels` of all, any and not."""
    shape = draw(st.sampled_from(["leaf", "all", "any", "not"])) if levels else "leaf"
    if shape == "leaf":
        return draw(leaves)
    below = trees(leaves, levels=levels - 1)
    if shape == "not":
        return {"not": draw(below)} | draw(st.sampled_from([{}, {"require_known": True}]))
    return {shape: draw(st.lists(below, min_size=1, max_size=3))}


def fields(*scopes: Scope) -> list[Field]:
    open_names = {
        Scope.ATTRIBUTES: ["attributes.size", "attributes.born"],
        Scope.CONSENT: ["consent.email.marketing"],
    }
    named = [field for scope in scopes for field in FIELDS.get(scope, {}).values()]
    found = [find_field(name) for scope in scopes for name in open_names.get(scope, [])]
    return named + [field for field in found if field is not None] * 4


@st.composite
def field_leaves(draw: st.DrawFn, as_of: datetime, *scopes: Scope) -> dict[str, Any]:
    field = draw(st.sampled_from(fields(*scopes)))
    kind = field.kind
    if kind is Kind.DYNAMIC:
        kinds = [Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TAGS]
        kind = draw(st.sampled_from(kinds))
    op = draw(st.sampled_from(sorted(OPERATORS[kind])))
    return {"field": field.name} | draw(comparisons(kind, op, as_of))


@st.composite
def collection_leaves(draw: st.DrawFn, as_of: datetime) -> dict[str, Any]:
    collection: Collection = draw(st.sampled_from(list(COLLECTIONS.values())))
    measure = draw(st.sampled_from(list(collection.measures.values())))
    op = draw(st.sampled_from(sorted(measure_operators(measure))))
    leaf = {"measure": measure.name} | draw(comparisons(measure.kind, op, as_of))
    if draw(st.booleans()):
        leaf["window"] = draw(windows(as_of))
    if draw(st.booleans()):
        leaf["where"] = draw(trees(field_leaves(as_of, collection.scope), levels=2))
    return {collection.name: leaf}


@st.composite
def comparisons(draw: st.DrawFn, kind: Kind, op: Op, as_of: datetime) -> dict[str, Any]:
    comparison: dict[str, Any] = {"op": op.value}
    if op in NEGATIVE and draw(st.booleans()):
        comparison["require_known"] = True
    if op not in {Op.EXISTS, Op.NOT_EXISTS}:
        comparison["value"] = draw(values(kind, op, as_of))
    return comparison


def values(kind: Kind, op: Op, as_of: datetime) -> st.SearchStrategy[Any]:
    if op in {Op.WITHIN_LAST, Op.MORE_THAN_AGO}:
        return st.sampled_from(DURATIONS + (EXACT_DURATIONS if kind is Kind.INSTANT else []))
    if op is Op.ANNIVERSARY_WITHIN:
        return st.sampled_from(["P0D", "P1D", "P1W", "P365D", "P366D"])
    one = scalars(kind, as_of)
    if op is Op.BETWEEN:
        return st.lists(one, min_size=2, max_size=2).map(ordered).filter(is_forward)
    if op in {Op.IN, Op.NOT_IN, Op.ANY_OF, Op.ALL_OF, Op.NONE_OF}:
        return st.lists(one, min_size=1, max_size=3)
    return one


def scalars(kind: Kind, as_of: datetime) -> st.SearchStrategy[Any]:
    match kind:
        case Kind.NUMBER:
            return st.sampled_from([0, 1, 2, 3, 5, 2.5, 0.1, -3, 18, 26, 36])
        case Kind.MONEY:
            return st.sampled_from([money("0"), money("500"), money("611"), money("1000")])
        case Kind.BOOLEAN:
            return st.booleans()
        case Kind.DATE:
            return days(as_of).map(date.isoformat)
        case Kind.INSTANT:
            return instants(as_of).map(datetime.isoformat) | days(as_of).map(date.isoformat)
        case _:
            return words


def money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "VND"}


def ordered(pair: list[Any]) -> list[Any]:
    return sorted(pair, key=lambda end: int(end["amount"]) if isinstance(end, dict) else end)


def is_forward(pair: list[Any]) -> bool:
    """Not of two instants that are the same, which no instant lies between."""
    low, high = pair
    return not isinstance(low, str) or low[:10] < high[:10]


def windows(as_of: datetime) -> st.SearchStrategy[dict[str, Any]]:
    ends = scalars(Kind.INSTANT, as_of)
    return (
        durations.map(lambda last: {"last": last})
        | ends.map(lambda since: {"since": since})
        | st.lists(ends, min_size=2, max_size=2)
        .map(ordered)
        .filter(is_forward)
        .map(lambda pair: {"between": pair})
    )
