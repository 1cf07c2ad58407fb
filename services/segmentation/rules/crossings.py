"""Whose answer can time have changed between two instants, without looking at everybody.

A relative condition changes only for times that lie between two cut-offs, which is a short range
of an index: a sweep asks for those customers and evaluates only them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Self
from uuid import UUID

from sqlalchemy import Date, Integer, Select, Table, and_, any_, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from services.segmentation.facts.models import consent_end, profile
from services.segmentation.rules.catalog import Collection, Field, Kind, Scope
from services.segmentation.rules.columns import Column, month_day_column, time_column
from services.segmentation.rules.moments import DAY, Moment, anniversaries, birthdays
from services.segmentation.rules.tree import Anniversary, OlderThan, Rule, Within
from services.segmentation.rules.usage import Ageing, Ending, TimedValue, timed_values
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
    by_place: dict[_Place, _Crossed] = {}
    for timed in {value for rule in rules for value in timed_values(rule)}:
        place = _Place.of(timed)
        by_place.setdefault(place, _Crossed()).add(timed, first, last)
    # In the same order each time, so that the statement caches know them again.
    places = sorted(by_place, key=lambda place: place.field.name)
    return tuple(
        _statement(place, by_place[place], tenant_id_param) for place in places if by_place[place]
    )


_CONSENT = Field(Scope.CONSENT, "", Kind.INSTANT)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where times are stored: a column of the profile (None) or of a collection.

    The ends of all consents are in one place.
    """

    collection: Collection | None
    field: Field
    kind: Kind

    @classmethod
    def of(cls, timed: TimedValue) -> Self:
        field = _CONSENT if timed.field.scope is Scope.CONSENT else timed.field
        return cls(timed.collection, field, timed.kind)

    @property
    def table(self) -> Table:
        """The table whose rows have them, and name the customer."""
        if self.field.scope is Scope.CONSENT:
            return consent_end
        return profile if self.collection is None else self.collection.table

    @property
    def column(self) -> Column:
        """What of the table they are."""
        if self.field.scope is Scope.CONSENT:
            return consent_end.c.ends_at
        return time_column(self.field, self.table, self.kind)


class _Crossed:
    """Which stored times turn a condition over between two moments."""

    def __init__(self) -> None:
        self.spans: set[tuple[date, date]] = set()  # after the first, up to the second
        self.month_days: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.spans or self.month_days)

    def add(self, timed: TimedValue, since: Moment, until: Moment) -> None:
        """Add the times that turn `timed` over."""
        match timed.condition:
            case Within(duration) | OlderThan(duration) if timed.kind is Kind.DATE:
                passed_out = since.first_day(duration) - DAY, until.first_day(duration) - DAY
                self._add_spans(passed_out, (since.today, until.today))
            case Within(duration) | OlderThan(duration):
                passed_out = since.cutoff(duration), until.cutoff(duration)
                self._add_spans(passed_out, (since.as_of, until.as_of))
            case Anniversary(days):
                before = anniversaries(since.today, since.today + days * DAY)
                after = anniversaries(until.today, until.today + days * DAY)
                self.month_days |= before ^ after
            case Ending():
                self._add_spans((since.as_of, until.as_of))
            case Ageing():
                if since.today < until.today:
                    self.month_days |= birthdays(since.today + DAY, until.today)

    def _add_spans(self, *spans: tuple[date, date]) -> None:
        self.spans.update((low, high) for low, high in spans if low < high)


def _statement(place: _Place, crossed: _Crossed, tenant_id: Column) -> Select[tuple[UUID]]:
    table, column = place.table, place.column
    type_: TypeEngine[Any] = Date() if place.kind is Kind.DATE else Instant
    turned = [
        and_(column > literal(low, type_), column <= literal(high, type_))
        for low, high in sorted(crossed.spans)
    ]
    if crossed.month_days:
        keys = literal(sorted(crossed.month_days), ARRAY(Integer))
        turned.append(month_day_column(column) == any_(keys))
    return select(table.c.customer_id).where(table.c.tenant_id == tenant_id, or_(*turned))
