"""Whose answer can time have changed between two instants, without looking at everybody.

A relative condition changes only for times that lie between two cut-offs, which is a short range
of an index: a sweep asks for those customers and evaluates only them.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Integer, Select, and_, any_, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from services.segmentation.facts.models import profile
from services.segmentation.rules.catalog import Kind
from services.segmentation.rules.columns import Column, month_day_column, time_column
from services.segmentation.rules.moments import DAY, Moment, anniversaries, birthdays
from services.segmentation.rules.tree import Anniversary, OlderThan, Rule, Within
from services.segmentation.rules.usage import Ageing, TimedValue, timed_values
from shared.db.tables import Instant


def crossings(
    rules: Iterable[Rule],
    *,
    tenant_id_param: Column,
    since: datetime,
    until: datetime,
    timezone: tzinfo,
) -> tuple[Select[tuple[UUID]], ...]:
    """Statements that select the `customer_id` of everybody whom time alone may have moved.

    That is, whose answer to one of `rules` at `until` may differ from that at `since` with the
    same facts. None when nothing can have changed: days only end at midnight. A customer may be
    selected twice, or without a change; nobody with a change is left out.
    """
    first, last = Moment(since, timezone), Moment(until, timezone)
    timed = {value for rule in rules for value in timed_values(rule)}
    found = (_statement(value, first, last, tenant_id_param) for value in _in_order(timed))
    return tuple(statement for statement in found if statement is not None)


def _in_order(timed: Iterable[TimedValue]) -> list[TimedValue]:
    """The same statements in the same order each time, for the statement caches."""
    return sorted(timed, key=lambda value: (value.field.name, repr(value.condition)))


def _statement(
    timed: TimedValue, since: Moment, until: Moment, tenant_id: Column
) -> Select[tuple[UUID]] | None:
    table = profile if timed.collection is None else timed.collection.table
    column = time_column(timed.field, table, timed.kind)
    crossed = list(_crossed(timed, column, since, until))
    if not crossed:
        return None
    return select(table.c.customer_id).where(table.c.tenant_id == tenant_id, or_(*crossed))


def _crossed(timed: TimedValue, column: Column, since: Moment, until: Moment) -> Iterator[Column]:
    match timed.condition:
        case Within(duration) | OlderThan(duration) if timed.kind is Kind.DATE:
            yield from _span(
                column, since.first_day(duration) - DAY, until.first_day(duration) - DAY, Date
            )
            yield from _span(column, since.today, until.today, Date)
        case Within(duration) | OlderThan(duration):
            yield from _span(column, since.cutoff(duration), until.cutoff(duration), Instant)
            yield from _span(column, since.as_of, until.as_of, Instant)
        case Anniversary(days):
            before = anniversaries(since.today, since.today + days * DAY)
            after = anniversaries(until.today, until.today + days * DAY)
            yield from _on_days(column, before ^ after)
        case Ageing() if until.today > since.today:
            yield from _on_days(column, birthdays(since.today + DAY, until.today))


def _span(column: Column, low: Any, high: Any, type_: Any) -> Iterator[Column]:
    """Times after `low` and up to `high`, if there can be any."""
    if low < high:
        yield and_(column > literal(low, type_), column <= literal(high, type_))


def _on_days(column: Column, month_days: frozenset[int]) -> Iterator[Column]:
    if month_days:
        keys = literal(sorted(month_days), ARRAY(Integer))
        yield month_day_column(column) == any_(keys)
