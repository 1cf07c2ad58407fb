"""SQL of privacy requests and legal holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Row,
    Uuid,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.customer.families.seen import person_is_seen
from services.customer.privacy.errors import LegalHoldNotFound, PrivacyRequestNotFound
from services.customer.privacy.models import legal_hold, privacy_request
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

NEWEST_FIRST: Final = (
    SortKey(privacy_request.c.received_at, "received_at", parse_instant, descending=True),
    SortKey(privacy_request.c.id, "id", parse_id, descending=True),
)
DUE_FIRST: Final = (
    SortKey(privacy_request.c.due_at, "due_at", parse_instant),
    SortKey(privacy_request.c.id, "id", parse_id),
)
HOLDS_NEWEST_FIRST: Final = (
    SortKey(legal_hold.c.placed_at, "placed_at", parse_instant, descending=True),
    SortKey(legal_hold.c.id, "id", parse_id, descending=True),
)
_TENANT: Final = bindparam("tenant", type_=Uuid)
_ID: Final = bindparam("id", type_=Uuid)
_MEMBERS: Final = bindparam("members", type_=ARRAY(Uuid))
_NOW: Final = bindparam("now", type_=Instant)
_OURS: Final = privacy_request.c.tenant_id == _TENANT
_BY_ID: Final = select(privacy_request).where(_OURS, privacy_request.c.id == _ID)
_LOCK: Final = _BY_ID.with_for_update()
_ADD: Final = (
    insert(privacy_request)
    .on_conflict_do_nothing(
        index_elements=["tenant_id", "source_key"],
        index_where=privacy_request.c.source_key.is_not(None),
    )
    .returning(*privacy_request.c)
)
_TO_REMIND: Final = (
    select(privacy_request.c.id)
    .where(
        _OURS,
        privacy_request.c.remind_at <= _NOW,
        privacy_request.c.reminded_at.is_(None),
        privacy_request.c.closed_at.is_(None),
    )
    .order_by(privacy_request.c.remind_at)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("to_remind")
)
_TAKE_REMINDERS: Final = (
    update(privacy_request)
    .where(_OURS, privacy_request.c.id == _TO_REMIND.c.id)
    .values(reminded_at=_NOW)
    .returning(*privacy_request.c)
)
_OUR_HOLD: Final = legal_hold.c.tenant_id == _TENANT
_HOLD: Final = select(legal_hold).where(_OUR_HOLD, legal_hold.c.id == _ID)
_LOCK_HOLD: Final = _HOLD.with_for_update()
_ADD_HOLD: Final = insert(legal_hold).returning(*legal_hold.c)
_IN_FORCE: Final = (
    select(legal_hold)
    .where(
        _OUR_HOLD,
        legal_hold.c.customer_id == func.any(_MEMBERS),
        legal_hold.c.released_at.is_(None),
        or_(legal_hold.c.until.is_(None), legal_hold.c.until > _NOW),
    )
    .order_by(legal_hold.c.placed_at)
    .limit(1)
)

Found = Row[*tuple[Any, ...]]
FoundPage = tuple[Sequence[Found], str | None]


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests a client wants; None asks for nothing."""

    status: str | None = None
    kind: str | None = None
    overdue: bool | None = None


class PrivacyRepository:
    """Privacy requests and legal holds, inside one unit of work.

    Lists of everybody's are narrowed to a caller's `sight`.
    """

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any]) -> Found | None:
        """The new request; None when one came of the same delivery already."""
        return await self._uow.one_or_none(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def get(self, request_id: UUID, *, lock: bool = False) -> Found:
        """Raises PrivacyRequestNotFound."""
        statement = _LOCK if lock else _BY_ID
        row = await self._uow.one_or_none(statement, {**self._tenant, "id": request_id})
        if row is None:
            raise PrivacyRequestNotFound
        return row

    async def save(self, request_id: UUID, changes: Mapping[str, Any]) -> Found:
        """The request with these columns changed and its version grown."""
        statement = (
            update(privacy_request)
            .where(
                privacy_request.c.tenant_id == self._uow.tenant_id,
                privacy_request.c.id == request_id,
            )
            .values(
                **changes,
                updated_at=self._uow.clock.now(),
                version=privacy_request.c.version + 1,
            )
            .returning(*privacy_request.c)
        )
        return await self._uow.one(statement)

    async def page(self, wanted: RequestFilter, request: PageRequest) -> FoundPage:
        """A page of requests, newest first; of the overdue ones, the longest overdue first."""
        order = DUE_FIRST if wanted.overdue else NEWEST_FIRST
        whose = privacy_request.c.customer_id
        conditions = [*self._conditions(wanted), *self._seen(whose, or_nobody=True)]
        statement = page(select(privacy_request).where(*conditions), order, request)
        return next_cursor(await self._uow.rows(statement, self._asked()), order, request.limit)

    async def page_of(
        self, member_ids: Sequence[UUID], wanted: RequestFilter, request: PageRequest
    ) -> FoundPage:
        """A page of a person's requests, newest first, and the next cursor."""
        statement = merged_page(
            privacy_request,
            list(privacy_request.c),
            [Source(lambda member: privacy_request.c.customer_id == member, _MEMBERS)],
            where=self._conditions(wanted),
            order=NEWEST_FIRST,
            request=request,
        )
        rows = await self._uow.rows(statement, {**self._tenant, "members": list(member_ids)})
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def take_reminders(self, *, at_most: int) -> Sequence[Found]:
        """Open requests of which it is time to remind; from now on it is done."""
        now = {"now": self._uow.clock.now(), "at_most": at_most}
        return await self._uow.rows(_TAKE_REMINDERS, {**self._tenant, **now})

    async def hold(self, member_ids: Sequence[UUID]) -> Found | None:
        """A legal hold that is in force on any of these records, the oldest."""
        asked = {"members": list(member_ids), "now": self._uow.clock.now()}
        return await self._uow.one_or_none(_IN_FORCE, {**self._tenant, **asked})

    async def add_hold(self, columns: Mapping[str, Any]) -> Found:
        """The new hold."""
        return await self._uow.one(_ADD_HOLD, {"tenant_id": self._uow.tenant_id, **columns})

    async def get_hold(self, hold_id: UUID, *, lock: bool = False) -> Found:
        """Raises LegalHoldNotFound."""
        statement = _LOCK_HOLD if lock else _HOLD
        row = await self._uow.one_or_none(statement, {**self._tenant, "id": hold_id})
        if row is None:
            raise LegalHoldNotFound
        return row

    async def release_hold(self, hold_id: UUID, *, by: str) -> Found:
        """The hold, in force no more."""
        statement = (
            update(legal_hold)
            .where(legal_hold.c.tenant_id == self._uow.tenant_id, legal_hold.c.id == hold_id)
            .values(released_at=self._uow.clock.now(), released_by=by)
            .returning(*legal_hold.c)
        )
        return await self._uow.one(statement)

    async def holds(self, member_ids: Sequence[UUID] | None, request: PageRequest) -> FoundPage:
        """A page of holds, newest first: of these records, or all."""
        if member_ids is None:
            holds = select(legal_hold).where(_OUR_HOLD, *self._seen(legal_hold.c.customer_id))
            statement = page(holds, HOLDS_NEWEST_FIRST, request)
            rows = await self._uow.rows(statement, self._asked())
        else:
            statement = merged_page(
                legal_hold,
                list(legal_hold.c),
                [Source(lambda member: legal_hold.c.customer_id == member, _MEMBERS)],
                where=[_OUR_HOLD],
                order=HOLDS_NEWEST_FIRST,
                request=request,
            )
            rows = await self._uow.rows(statement, {**self._tenant, "members": list(member_ids)})
        return next_cursor(rows, HOLDS_NEWEST_FIRST, request.limit)

    def _seen(
        self, customer_id: ColumnElement[Any], *, or_nobody: bool = False
    ) -> list[ColumnElement[bool]]:
        """What narrows a list to people whom the caller sees."""
        if self._sight is None:
            return []
        seen = person_is_seen(customer_id, of_teams=self._sight.of_teams)
        return [or_(customer_id.is_(None), seen) if or_nobody else seen]

    def _asked(self) -> Mapping[str, Any]:
        """The tenant, and who looks."""
        if self._sight is None:
            return self._tenant
        return {**self._tenant, **self._sight.parameters()}

    def _conditions(self, wanted: RequestFilter) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = [_OURS]
        if wanted.status is not None:
            conditions.append(privacy_request.c.status == wanted.status)
        if wanted.kind is not None:
            conditions.append(privacy_request.c.kind == wanted.kind)
        if wanted.overdue is not None:
            is_late = privacy_request.c.due_at <= self._uow.clock.now()
            is_open = privacy_request.c.closed_at.is_(None)
            conditions += [is_open, is_late] if wanted.overdue else [or_(~is_open, ~is_late)]
        return conditions
