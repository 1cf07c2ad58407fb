"""SQL of who may be due by a rule: pages in the order of a clock, each by an index.

- `by_clock`: whose clock began between two moments. What was looked at before is behind the first.
- `changed`: whoever was changed since the rule was followed last, however old their clock is.
- `again`: whom the rule has left alone until now.
- `oldest`: entries by their own age; those that were emptied are in the index no more.
- `oldest_again`: those of them that were looked at before, of people whom the rule has left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    Integer,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    literal_column,
    or_,
    select,
    text,
    true,
)

from services.customer.consents.models import consent_record
from services.customer.customers.models import LAST_ACTIVE, customer
from services.customer.fields.models import custom_field, custom_value
from services.customer.retention.catalogue import (
    ATTRIBUTE,
    CONSENT_WITHDRAWN,
    CREATED,
    ENTRIES,
    LAST_ACTIVITY,
    LAST_ORDER,
)
from services.customer.retention.models import retention_exception
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = bindparam("tenant", type_=Uuid)
_AFTER_ID: Final = bindparam("after_id", type_=Uuid)
_AFTER: Final = bindparam("after", type_=Instant)
_UNTIL: Final = bindparam("until", type_=Instant)
_AT_MOST: Final = bindparam("at_most", type_=Integer)
_NOBODY: Final = UUID(int=0)
_EVER: Final = datetime.fromisoformat("0001-01-02T00:00:00+00:00")
_STANDING: Final = (
    customer.c.tenant_id == _TENANT,
    customer.c.merged_into.is_(None),
    customer.c.erased_at.is_(None),
)
COLUMNS: Final[dict[str, ColumnElement[datetime]]] = {
    LAST_ACTIVITY: LAST_ACTIVE,
    LAST_ORDER: customer.c.last_order_at,
    CREATED: customer.c.created_at,
}
"""The clocks that a customer's own row tells, from below: other records may be younger."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a walk has come."""

    at: datetime = _EVER
    id: UUID = _NOBODY

    @classmethod
    def of(cls, kept: Sequence[str] | None) -> Self:
        """The same from a job's state."""
        return cls() if kept is None else cls(datetime.fromisoformat(kept[0]), UUID(kept[1]))

    def kept(self) -> list[str]:
        """The same for a job's state."""
        return [self.at.isoformat(), str(self.id)]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody, or something of somebody, and the moment by which they were found."""

    id: UUID
    at: datetime
    customer_id: UUID | None = None


class Candidates:
    """Who may be due, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, zone: ZoneInfo, at_most: int) -> None:
        self._uow = uow
        self._zone = zone
        self._at_most = at_most

    async def by_clock(
        self, clock: str, place: Place, since: datetime | None, until: datetime
    ) -> list[Candidate]:
        """Whose clock began at or after `since` and before `until`, after a place."""
        if since is not None and place.id == _NOBODY:
            place = Place(since)
        if clock.startswith(ATTRIBUTE):
            return await self._by_day(clock.removeprefix(ATTRIBUTE), place, until)
        return await self._page(_by_clock(clock), place, until=until)

    async def changed(
        self, clock: str, place: Place, since: datetime, until: datetime, *, begun: datetime
    ) -> list[Candidate]:
        """Who was changed from `since` until a run was begun, their clock being old enough."""
        if place.id == _NOBODY:
            place = Place(since)
        return await self._page(_changed(clock), place, until=until, begun=begun)

    async def again(self, rule_id: UUID, place: Place, until: datetime) -> list[Candidate]:
        """Whom the rule has left alone until now."""
        return await self._page(_AGAIN, place, until=until, rule_id=rule_id)

    async def oldest(
        self, name: str, place: Place, since: datetime | None, until: datetime
    ) -> list[Candidate]:
        """Entries from `since` on and from before `until` of which something remains."""
        if since is not None and place.id == _NOBODY:
            place = Place(since)
        return await self._page(_oldest(name), place, until=until)

    async def oldest_again(
        self, name: str, rule_id: UUID, place: Place, until: datetime
    ) -> list[Candidate]:
        """The same, from ever on, of people whom the rule has left alone."""
        return await self._page(_oldest_again(name), place, until=until, rule_id=rule_id)

    async def _by_day(self, key: str, place: Place, until: datetime) -> list[Candidate]:
        asked = self._asked(place) | {
            "key": key,
            "after": place.at.astimezone(self._zone).date() if place.at != _EVER else date.min,
            "until": until.astimezone(self._zone).date(),
        }
        rows = await self._uow.rows(_BY_DAY, asked)
        return [
            Candidate(row.id, datetime.combine(row.at, datetime.min.time(), self._zone), row.id)
            for row in rows
        ]

    async def _page(self, statement: Select[Any], place: Place, **asked: Any) -> list[Candidate]:
        rows = await self._uow.rows(statement, self._asked(place) | asked)
        return [Candidate(row.id, row.at, row.customer_id) for row in rows]

    def _asked(self, place: Place) -> dict[str, Any]:
        return {
            "tenant": self._uow.tenant_id,
            "after": place.at,
            "after_id": place.id,
            "at_most": self._at_most,
        }


def _following(at: ColumnElement[Any], id_: ColumnElement[UUID], after: Any) -> ColumnElement[bool]:
    """Behind a place; the bound lets the index begin there."""
    return and_(at >= after, or_(at > after, and_(at == after, id_ > _AFTER_ID)))


def _walk(
    at: ColumnElement[Any], id_: ColumnElement[UUID], whose: ColumnElement[Any], *where: Any
) -> Select[Any]:
    return (
        select(id_.label("id"), at.label("at"), whose.label("customer_id"))
        .where(*where, _following(at, id_, _AFTER))
        .order_by(at, id_)
        .limit(_AT_MOST)
    )


@lru_cache
def _by_clock(clock: str) -> Select[Any]:
    if clock == CONSENT_WITHDRAWN:
        told_at, whose = consent_record.c.changed_at, consent_record.c.customer_id
        withdrawn = (consent_record.c.tenant_id == _TENANT, text("status = 'withdrawn'"))
        # Several answers of one moment are one candidate: the next page begins behind all of them.
        return _walk(told_at, whose, whose, *withdrawn, told_at < _UNTIL)
    at = COLUMNS[clock]
    return _walk(at, customer.c.id, customer.c.id, *_STANDING, at < _UNTIL)


@lru_cache
def _changed(clock: str) -> Select[Any]:
    # The run's own changes are no news to it.
    where = [*_STANDING, customer.c.updated_at <= bindparam("begun", type_=Instant)]
    if clock in COLUMNS:
        where.append(COLUMNS[clock] < _UNTIL)
    return _walk(customer.c.updated_at, customer.c.id, customer.c.id, *where)


@lru_cache
def _oldest(name: str) -> Select[Any]:
    table, at, where = _remaining(name)
    return _walk(at, table.c.id, table.c.customer_id, *where)


@lru_cache
def _oldest_again(name: str) -> Select[Any]:
    table, at, where = _remaining(name)
    # Each person's by the index on people, put in order afterwards: they are few, old entries many.
    theirs = (
        select(table.c.id, at.label("at"), table.c.customer_id)
        .where(*where, table.c.customer_id == retention_exception.c.customer_id)
        .offset(literal_column("0"))
        .lateral("theirs")
    )
    entries = (
        select(*theirs.c)
        .join_from(retention_exception, theirs, true())
        .where(
            retention_exception.c.tenant_id == _TENANT,
            retention_exception.c.rule_id == bindparam("rule_id", type_=Uuid),
        )
        .cte("entries")
        .prefix_with("MATERIALIZED")
    )
    return _walk(entries.c.at, entries.c.id, entries.c.customer_id)


def _remaining(name: str) -> tuple[Table, Column[Any], Sequence[ColumnElement[bool]]]:
    entries = ENTRIES[name]
    table, at = entries.table, entries.at
    assert at is not None  # noqa: S101  (a rule by their age was refused otherwise)
    return table, at, (table.c.tenant_id == _TENANT, entries.remaining, at < _UNTIL)


_AGAIN: Final = _walk(
    retention_exception.c.look_again_at,
    retention_exception.c.customer_id,
    retention_exception.c.customer_id,
    retention_exception.c.tenant_id == _TENANT,
    retention_exception.c.rule_id == bindparam("rule_id", type_=Uuid),
    retention_exception.c.look_again_at < _UNTIL,
)
_DAY: Final = custom_value.c.date_value
_BY_DAY: Final = (
    select(custom_value.c.customer_id.label("id"), _DAY.label("at"))
    .where(
        custom_value.c.tenant_id == _TENANT,
        custom_value.c.field_id
        == select(custom_field.c.id)
        .where(
            custom_field.c.tenant_id == _TENANT, custom_field.c.key == bindparam("key", type_=Text)
        )
        .scalar_subquery(),
        bindparam("until", type_=Date) > _DAY,
        _following(_DAY, custom_value.c.customer_id, bindparam("after", type_=Date)),
    )
    .order_by(_DAY, custom_value.c.customer_id)
    .limit(_AT_MOST)
)
