"""The words of the language: fields, their kinds, the operators of a kind, the collections.

A new fact is a new line here; the compiler, the evaluator and the explanations follow from its
kind. A new kind of question is a condition (`tree.py`) that each of them must answer.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Table

from services.segmentation.facts.models import message_fact, order_fact, ticket_fact
from shared.pii import kind_by_name


class Kind(StrEnum):
    """What sort of value a field or a measure has."""

    TEXT = "text"  # free text: compared exactly, searched without accents and case
    KEYWORD = "keyword"  # a code of a closed or technical vocabulary
    SEARCH = "search"  # text that can only be searched
    NUMBER = "number"
    MONEY = "money"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    TAGS = "tags"
    DYNAMIC = "dynamic"  # a custom attribute: the operator and its value decide the kind


class Op(StrEnum):
    """An operator as written in a rule."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BETWEEN = "between"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    EXISTS = "exists"
    NOT_EXISTS = "not_exists"
    BEFORE = "before"
    AFTER = "after"
    WITHIN_LAST = "within_last"
    MORE_THAN_AGO = "more_than_ago"
    ANNIVERSARY_WITHIN = "anniversary_within"
    ANY_OF = "any_of"
    ALL_OF = "all_of"
    NONE_OF = "none_of"


NEGATIVE = frozenset({Op.NE, Op.NOT_IN, Op.NOT_CONTAINS, Op.NONE_OF})
"""Operators that keep customers whose value is unknown, unless `require_known`."""

_KNOWN = {Op.EXISTS, Op.NOT_EXISTS}
_EQUAL = {Op.EQ, Op.NE}
_ONE_OF = {Op.EQ, Op.NE, Op.IN, Op.NOT_IN}
_ORDER = {Op.GT, Op.GTE, Op.LT, Op.LTE, Op.BETWEEN}
_TIME = {Op.BEFORE, Op.AFTER, Op.BETWEEN, Op.WITHIN_LAST, Op.MORE_THAN_AGO}

OPERATORS: dict[Kind, frozenset[Op]] = {
    Kind.TEXT: frozenset(_ONE_OF | {Op.CONTAINS, Op.NOT_CONTAINS, Op.STARTS_WITH} | _KNOWN),
    Kind.KEYWORD: frozenset(_ONE_OF | _KNOWN),
    Kind.SEARCH: frozenset({Op.CONTAINS, Op.NOT_CONTAINS} | _KNOWN),
    Kind.NUMBER: frozenset(_ONE_OF | _ORDER | _KNOWN),
    Kind.MONEY: frozenset(_EQUAL | _ORDER | _KNOWN),
    Kind.BOOLEAN: frozenset(_EQUAL | _KNOWN),
    Kind.DATE: frozenset(_EQUAL | _TIME | {Op.ANNIVERSARY_WITHIN} | _KNOWN),
    Kind.INSTANT: frozenset(_TIME | _KNOWN),
    Kind.TAGS: frozenset({Op.ANY_OF, Op.ALL_OF, Op.NONE_OF} | _KNOWN),
    Kind.DYNAMIC: frozenset(Op),
}


class Scope(StrEnum):
    """Where a field lives: the word before its dot."""

    PROFILE = "profile"
    ATTRIBUTES = "attributes"
    CONSENT = "consent"
    ORDER = "order"
    TICKET = "ticket"
    MESSAGE = "message"


EXPIRED = "expired"
"""What a consent is that was granted until a moment which has come."""

CUSTOMER_SCOPES = frozenset({Scope.PROFILE, Scope.ATTRIBUTES, Scope.CONSENT})


@dataclass(frozen=True, slots=True)
class Field:
    """A value that a rule can ask about; `key` is its column or its name in the JSON object.

    What is `personal` is masked without `pii:read`, so only callers with it may ask: who can ask
    often enough whether a value begins with these letters knows the value.
    """

    scope: Scope
    key: str
    kind: Kind
    personal: bool = False

    def is_personal(self, marked: Container[str]) -> bool:
        """Whether it is, be it that the shop has `marked` this field of its own."""
        return self.personal or (self.scope is Scope.ATTRIBUTES and self.key in marked)

    @property
    def name(self) -> str:
        """The field as rules write it: `profile.city`."""
        return f"{self.scope}.{self.key}"


class Reduction(StrEnum):
    """How a collection becomes one value."""

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    MIN = "min"
    MAX = "max"
    LATEST = "latest"  # the value of the row with the newest `by`


@dataclass(frozen=True, slots=True)
class Measure:
    """One value made of a customer's rows: `column` is reduced, LATEST by `by`.

    With `less` it is what another column leaves of it: of each row nothing at least.
    """

    name: str
    kind: Kind
    reduction: Reduction
    column: str
    by: str | None = None
    less: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """A customer's orders, tickets or messages; `at` is the time that windows look at."""

    name: str
    scope: Scope
    table: Table
    key: str
    at: str
    measures: dict[str, Measure]


def _fields(scope: Scope, kinds: dict[Kind, str], *, personal: str = "") -> dict[str, Field]:
    return {
        key: Field(scope, key, kind, personal=key in personal.split())
        for kind, keys in kinds.items()
        for key in keys.split()
    }


FIELDS: dict[Scope, dict[str, Field]] = {
    Scope.PROFILE: _fields(
        Scope.PROFILE,
        {
            Kind.TEXT: "full_name email phone city province source code occupation position",
            Kind.KEYWORD: "locale gender country stage currency kind relation preferred_channel"
            " tax_code vn63_province vn34_province",
            Kind.DATE: "birth_date",
            Kind.NUMBER: "age orders_count paid_orders_count tickets_count open_tickets_count"
            " open_complaints_count last_csat messages_sent_count rating",
            Kind.MONEY: "total_spent income_at_least income_below",
            Kind.INSTANT: "created_at first_order_at last_order_at last_csat_at"
            " last_ticket_at last_message_at",
            Kind.TAGS: "tags preferences",
        },
        personal="full_name email phone birth_date age tax_code income_at_least income_below",
    ),
    Scope.ORDER: _fields(
        Scope.ORDER,
        {
            Kind.KEYWORD: "status financial_status fulfillment_status channel currency",
            Kind.MONEY: "total",
            Kind.NUMBER: "lines_count",
            Kind.INSTANT: "placed_at",
            Kind.TAGS: "skus",
            Kind.SEARCH: "product_titles",
        },
    ),
    Scope.TICKET: _fields(
        Scope.TICKET,
        {
            Kind.KEYWORD: "type status_category priority urgency channel",
            Kind.NUMBER: "csat",
            Kind.INSTANT: "opened_at resolved_at csat_at",
        },
    ),
    Scope.MESSAGE: _fields(
        Scope.MESSAGE,
        {
            Kind.KEYWORD: "channel purpose template status",
            Kind.INSTANT: "sent_at delivered_at opened_at clicked_at",
        },
    ),
}

_OPEN_NAMES = {
    Scope.ATTRIBUTES: (re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}"), Kind.DYNAMIC),
    Scope.CONSENT: (re.compile(r"[a-z][a-z0-9_]{0,30}(\.[a-z][a-z0-9_]{0,30})?"), Kind.KEYWORD),
}


def find_field(name: str) -> Field | None:
    """The field that rules write as `name`, or None if there is no such field."""
    word, _, key = name.partition(".")
    scope = next((scope for scope in Scope if scope == word), None)
    if scope is None:
        return None
    if spelling := _OPEN_NAMES.get(scope):
        pattern, kind = spelling
        if not pattern.fullmatch(key):
            return None
        is_personal = scope is Scope.ATTRIBUTES and kind_by_name(key) is not None
        return Field(scope, key, kind, personal=is_personal)
    return FIELDS[scope].get(key)


def _measures(*measures: Measure) -> dict[str, Measure]:
    return {measure.name: measure for measure in measures}


def _times(at: str) -> tuple[Measure, Measure]:
    return (
        Measure("first_at", Kind.INSTANT, Reduction.MIN, at),
        Measure("last_at", Kind.INSTANT, Reduction.MAX, at),
    )


ORDERS = Collection(
    "orders",
    Scope.ORDER,
    order_fact,
    key="order_id",
    at="placed_at",
    measures=_measures(
        Measure("count", Kind.NUMBER, Reduction.COUNT, "order_id"),
        Measure("sum_total", Kind.MONEY, Reduction.SUM, "total_minor"),
        Measure("sum_net", Kind.MONEY, Reduction.SUM, "total_minor", less="refunded_minor"),
        Measure("avg_total", Kind.MONEY, Reduction.AVERAGE, "total_minor"),
        Measure("min_total", Kind.MONEY, Reduction.MIN, "total_minor"),
        Measure("max_total", Kind.MONEY, Reduction.MAX, "total_minor"),
        *_times("placed_at"),
    ),
)
TICKETS = Collection(
    "tickets",
    Scope.TICKET,
    ticket_fact,
    key="ticket_id",
    at="opened_at",
    measures=_measures(
        Measure("count", Kind.NUMBER, Reduction.COUNT, "ticket_id"),
        Measure("last_csat", Kind.NUMBER, Reduction.LATEST, "csat", by="csat_at"),
        Measure("avg_csat", Kind.NUMBER, Reduction.AVERAGE, "csat"),
        Measure("min_csat", Kind.NUMBER, Reduction.MIN, "csat"),
        *_times("opened_at"),
    ),
)
MESSAGES = Collection(
    "messages",
    Scope.MESSAGE,
    message_fact,
    key="message_id",
    at="sent_at",
    measures=_measures(
        Measure("count", Kind.NUMBER, Reduction.COUNT, "message_id"),
        *_times("sent_at"),
    ),
)
COLLECTIONS = {collection.name: collection for collection in (ORDERS, TICKETS, MESSAGES)}
