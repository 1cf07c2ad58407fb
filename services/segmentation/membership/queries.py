"""SQL that answers questions about memberships, now and at any time before."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Uuid, and_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from services.segmentation.facts.models import profile
from services.segmentation.facts.records import RECORDS
from services.segmentation.membership.models import membership, membership_change
from services.segmentation.membership.schemas import MemberRead, MembershipChangeRead
from services.segmentation.segments.models import segment
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.web.resources import Page

_TENANT: Final = bindparam("tenant", type_=Uuid)
_SEGMENT: Final = bindparam("segment", type_=Uuid)
_OTHER: Final = bindparam("other", type_=Uuid)
_CUSTOMER: Final = bindparam("customer", type_=Uuid)


def _of_profile(customer_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    return and_(profile.c.tenant_id == _TENANT, profile.c.customer_id == customer_id)


_who: Final = (profile.c.code, profile.c.full_name.label("name"))
_MEMBERS: Final[Select[Any]] = (
    select(
        membership.c.customer_id,
        membership.c.entered_at,
        membership.c.rule_version,
        membership.c.reason,
        *_who,
    )
    .select_from(membership.outerjoin(profile, _of_profile(membership.c.customer_id)))
    .where(membership.c.tenant_id == _TENANT, membership.c.segment_id == _SEGMENT)
)
_NEWEST_MEMBERS: Final = (
    SortKey(membership.c.entered_at, "entered_at", parse_instant, descending=True),
    SortKey(membership.c.customer_id, "customer_id", parse_id, descending=True),
)

_last: Final = (
    select(membership_change)
    .ext(distinct_on(membership_change.c.customer_id))
    .where(
        membership_change.c.tenant_id == _TENANT,
        membership_change.c.segment_id == _SEGMENT,
        membership_change.c.at <= bindparam("as_of", type_=Instant),
    )
    .order_by(
        membership_change.c.customer_id,
        membership_change.c.at.desc(),
        membership_change.c.id.desc(),
    )
    .subquery("last")
)
_MEMBERS_AS_OF: Final[Select[Any]] = (
    select(
        _last.c.customer_id,
        _last.c.at.label("entered_at"),
        _last.c.rule_version,
        _last.c.reason,
        *_who,
    )
    .select_from(_last.outerjoin(profile, _of_profile(_last.c.customer_id)))
    .where(_last.c.change == "entered")
)
_BY_CUSTOMER: Final = (SortKey(_last.c.customer_id, "customer_id", parse_id),)

_OF_SEGMENT: Final = (
    membership_change.c.tenant_id == _TENANT,
    membership_change.c.segment_id == _SEGMENT,
)
_CHANGES: Final[Select[Any]] = select(membership_change).where(*_OF_SEGMENT)
_OF_RECORDS: Final = Source(
    lambda record_id: membership_change.c.customer_id == record_id, RECORDS.members(_CUSTOMER)
)
_NEWEST_CHANGES: Final = (
    SortKey(membership_change.c.at, "at", parse_instant, descending=True),
    SortKey(membership_change.c.id, "id", parse_id, descending=True),
)

_OF_CUSTOMER: Final = (
    select(membership, segment.c.key, segment.c.name, segment.c.rule)
    .join_from(
        membership,
        segment,
        and_(segment.c.tenant_id == _TENANT, segment.c.id == membership.c.segment_id),
    )
    .where(
        membership.c.tenant_id == _TENANT,
        membership.c.customer_id == _CUSTOMER,
        segment.c.deleted_at.is_(None),
    )
    .order_by(membership.c.entered_at.desc(), membership.c.segment_id)
)
_ONE: Final = select(membership.c.entered_at, membership.c.reason).where(
    membership.c.tenant_id == _TENANT,
    membership.c.segment_id == _SEGMENT,
    membership.c.customer_id == _CUSTOMER,
)
_COUNTS: Final = (
    select(membership.c.segment_id, func.count().label("members"))
    .where(
        membership.c.tenant_id == _TENANT,
        membership.c.segment_id == func.any(bindparam("segments", type_=ARRAY(Uuid))),
    )
    .group_by(membership.c.segment_id)
)
_this: Final = membership.alias("this")
_that: Final = membership.alias("that")
_BOTH: Final = (
    select(func.count())
    .select_from(_this.join(_that, _this.c.customer_id == _that.c.customer_id))
    .where(
        _this.c.tenant_id == _TENANT,
        _that.c.tenant_id == _TENANT,
        _this.c.segment_id == _SEGMENT,
        _that.c.segment_id == _OTHER,
    )
)


class MembershipQueries:
    """The memberships of one tenant, to look at."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def members(self, segment_id: UUID, request: PageRequest) -> Page[MemberRead]:
        """Who belongs to a segment, those who entered last first."""
        rows = await self._uow.rows(
            page(_MEMBERS, _NEWEST_MEMBERS, request), {**self._tenant, "segment": segment_id}
        )
        kept, cursor = next_cursor(rows, _NEWEST_MEMBERS, request.limit)
        return Page(data=[_member(row) for row in kept], next_cursor=cursor)

    async def members_as_of(
        self, segment_id: UUID, as_of: datetime, request: PageRequest
    ) -> Page[MemberRead]:
        """Who belonged to a segment at an instant, in the order of their ids."""
        rows = await self._uow.rows(
            page(_MEMBERS_AS_OF, _BY_CUSTOMER, request),
            {**self._tenant, "segment": segment_id, "as_of": as_of},
        )
        kept, cursor = next_cursor(rows, _BY_CUSTOMER, request.limit)
        return Page(data=[_member(row) for row in kept], next_cursor=cursor)

    async def changes(
        self, segment_id: UUID, request: PageRequest, *, customer_id: UUID | None = None
    ) -> Page[MembershipChangeRead]:
        """Who entered and left a segment, newest first; of one person with all their records."""
        asked = {**self._tenant, "segment": segment_id}
        statement = page(_CHANGES, _NEWEST_CHANGES, request)
        if customer_id is not None:
            asked["customer"] = customer_id
            statement = merged_page(
                membership_change,
                list(membership_change.c),
                [_OF_RECORDS],
                where=_OF_SEGMENT,
                order=_NEWEST_CHANGES,
                request=request,
            )
        rows = await self._uow.rows(statement, asked)
        kept, cursor = next_cursor(rows, _NEWEST_CHANGES, request.limit)
        data = [MembershipChangeRead.model_validate(dict(row._mapping)) for row in kept]
        return Page(data=data, next_cursor=cursor)

    async def of_customer(self, customer_id: UUID) -> Sequence[Row[*tuple[Any, ...]]]:
        """The memberships of a customer, with their segments' key, name and rule."""
        return await self._uow.rows(_OF_CUSTOMER, {**self._tenant, "customer": customer_id})

    async def find(self, segment_id: UUID, customer_id: UUID) -> Row[*tuple[Any, ...]] | None:
        """Since when and why a customer belongs to a segment; None when they do not."""
        identity = {"segment": segment_id, "customer": customer_id}
        return await self._uow.one_or_none(_ONE, {**self._tenant, **identity})

    async def count_by_segment(self, segment_ids: Collection[UUID]) -> Mapping[UUID, int]:
        """How many belong to each of the segments; those without members are left out."""
        parameters = {**self._tenant, "segments": list(segment_ids)}
        rows = await self._uow.rows(_COUNTS, parameters)
        return {row.segment_id: row.members for row in rows}

    async def count_in_both(self, segment_id: UUID, other_id: UUID) -> int:
        """How many belong to both segments."""
        identity = {"segment": segment_id, "other": other_id}
        return int(await self._uow.scalar(_BOTH, {**self._tenant, **identity}))


def _member(row: Row[*tuple[Any, ...]]) -> MemberRead:
    return MemberRead.model_validate(dict(row._mapping))
