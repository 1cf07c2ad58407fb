"""A rule after it was checked: every name resolved, every value typed, nothing left to go wrong.

Truth has three values, as in SQL: True, False and unknown (None). `all` and `any` are Kleene's
AND and OR. A comparison with an unknown value is unknown; a *negation* (`not`, `ne`, `not_in`,
`not_contains`, `none_of`) turns unknown into True, so that "city is not Hà Nội" keeps customers
without a city, unless it says `require_known`. A customer matches when the whole rule is True.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from services.segmentation.rules.catalog import Collection, Field, Kind, Measure, Op
from services.segmentation.rules.moments import Duration

Scalar = str | bool | Decimal | int | date
Boundary = date | datetime
"""An edge in time: an instant, or the midnight with which a shop's day begins."""


@dataclass(frozen=True, slots=True)
class Known:
    """There is a value."""


@dataclass(frozen=True, slots=True)
class Equals:
    """The value is this one, letter for letter."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value is one of these."""

    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """The value lies between two ends; an absent end is open."""

    low: Decimal | int | date | None = None
    high: Decimal | int | date | None = None
    low_included: bool = True
    high_included: bool = True


@dataclass(frozen=True, slots=True)
class Period:
    """The instant is not before `start` and is before `end`; an absent edge is open."""

    start: Boundary | None = None
    end: Boundary | None = None


@dataclass(frozen=True, slots=True)
class Within:
    """The time lies in the last `duration`, up to now."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class OlderThan:
    """The time lies more than `duration` back."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class Anniversary:
    """A yearly return of the date falls on today or one of the next `days` days."""

    days: int


@dataclass(frozen=True, slots=True)
class Contains:
    """The search key of the text holds this key."""

    key: str


@dataclass(frozen=True, slots=True)
class StartsWith:
    """The search key of the text begins with this key."""

    key: str


@dataclass(frozen=True, slots=True)
class Overlaps:
    """The set shares a member with this one."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Covers:
    """The set has all of these."""

    values: tuple[str, ...]


Condition = (
    Known
    | Equals
    | OneOf
    | Range
    | Period
    | Within
    | OlderThan
    | Anniversary
    | Contains
    | StartsWith
    | Overlaps
    | Covers
)
Window = Within | Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A condition on one value, and what an unknown value makes of it."""

    op: Op
    kind: Kind
    condition: Condition
    negated: bool
    require_known: bool
    expected: object  # the value as the rule wrote it
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class All:
    """True when every child is."""

    pointer: str
    children: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when a child is."""

    pointer: str
    children: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when the child is not True; with `require_known`, when the child is False."""

    pointer: str
    child: "Node"
    require_known: bool


@dataclass(frozen=True, slots=True)
class FieldLeaf:
    """A check of one field."""

    pointer: str
    field: Field
    check: Check


@dataclass(frozen=True, slots=True)
class CollectionLeaf:
    """A check of a measure over the rows that pass `where` and `window`."""

    pointer: str
    collection: Collection
    measure: Measure
    where: "Node | None"
    window: Window | None
    check: Check


Node = All | AnyOf | Not | FieldLeaf | CollectionLeaf


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was checked. `source` is its JSON, as it is stored and shown."""

    root: Node
    source: dict[str, object]
