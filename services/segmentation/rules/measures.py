"""What a measure makes of a customer's rows in memory."""

from datetime import UTC, datetime
from fractions import Fraction
from uuid import UUID

from services.segmentation.facts.customer_facts import CustomerFacts, Fact
from services.segmentation.rules.catalog import Collection, Kind, Measure, Reduction
from services.segmentation.rules.reading import get
from services.segmentation.rules.tree import CollectionLeaf

_NEVER = datetime.min.replace(tzinfo=UTC)


def rows_of(collection: Collection, facts: CustomerFacts) -> tuple[Fact, ...]:
    """All the customer's rows of the collection."""
    match collection.name:
        case "orders":
            return facts.orders
        case "tickets":
            return facts.tickets
        case _:
            return facts.messages


def measured(leaf: CollectionLeaf, rows: list[Fact]) -> object:
    """The measure of the rows; None when it is unknown."""
    measure = leaf.measure
    if measure.reduction is Reduction.COUNT:
        return len(rows)
    if measure.reduction is Reduction.LATEST:
        return _latest(leaf, rows)
    values = [value for row in rows if (value := _value(measure, row)) is not None]
    if measure.kind is Kind.INSTANT:
        instants = [value for value in values if isinstance(value, datetime)]
        chosen = min if measure.reduction is Reduction.MIN else max
        return chosen(instants, default=None)
    return _reduce_numbers(measure.reduction, [v for v in values if isinstance(v, int)])


def _value(measure: Measure, row: Fact) -> object:
    value = get(row, measure.column)
    less = None if measure.less is None else get(row, measure.less)
    if isinstance(value, int) and isinstance(less, int):
        return max(value - less, 0)
    return value


def _reduce_numbers(reduction: Reduction, numbers: list[int]) -> int | Fraction | None:
    match reduction:
        case Reduction.SUM:
            return sum(numbers)
        case Reduction.AVERAGE:
            return Fraction(sum(numbers), len(numbers)) if numbers else None
        case Reduction.MIN:
            return min(numbers, default=None)
        case _:
            return max(numbers, default=None)


def _latest(leaf: CollectionLeaf, rows: list[Fact]) -> object:
    by = leaf.measure.by or leaf.collection.at
    known = [
        row
        for row in rows
        if get(row, leaf.measure.column) is not None and get(row, by) is not None
    ]
    newest = max(known, key=lambda row: _place(leaf, row, by), default=None)
    return None if newest is None else get(newest, leaf.measure.column)


def newest_keys(leaf: CollectionLeaf, rows: list[Fact], *, limit: int) -> tuple[UUID, ...]:
    """The ids of the newest rows, newest first."""
    places = sorted((_place(leaf, row, leaf.collection.at) for row in rows), reverse=True)
    return tuple(key for _, key in places[:limit])


def _place(leaf: CollectionLeaf, row: Fact, by: str) -> tuple[datetime, UUID]:
    at, key = get(row, by), get(row, leaf.collection.key)
    return (at if isinstance(at, datetime) else _NEVER), key if isinstance(key, UUID) else UUID(
        int=0
    )
