"""SQL of touches."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.touches.models import touch
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork

NEWEST_FIRST = (
    SortKey(touch.c.occurred_at, "occurred_at", parse_instant, descending=True),
    SortKey(touch.c.id, "id", parse_id, descending=True),
)

_TENANT: Final = bindparam("tenant", type_=Uuid)
_MEMBERS: Final = bindparam("members", type_=ARRAY(Uuid))
_ADD: Final = insert(touch).returning(*touch.c)
_OF_FAMILY: Final = select(touch).where(
    touch.c.tenant_id == _TENANT, touch.c.customer_id == func.any(_MEMBERS)
)
_FIRST: Final = _OF_FAMILY.order_by(touch.c.occurred_at, touch.c.id).limit(1)
_LAST: Final = _OF_FAMILY.order_by(touch.c.occurred_at.desc(), touch.c.id.desc()).limit(1)


class TouchRepository:
    """Touches, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new touch."""
        return await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def ends(
        self, member_ids: Sequence[UUID]
    ) -> tuple[Row[*tuple[Any, ...]] | None, Row[*tuple[Any, ...]] | None]:
        """The first and the last touch of a family; None, None when there is none."""
        wanted = {**self._tenant, "members": list(member_ids)}
        return (
            await self._uow.one_or_none(_FIRST, wanted),
            await self._uow.one_or_none(_LAST, wanted),
        )

    async def page(
        self, member_ids: Sequence[UUID], request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of a family's touches, newest first, and the next cursor."""
        statement = merged_page(
            touch,
            list(touch.c),
            [Source(lambda member: touch.c.customer_id == member, _MEMBERS)],
            where=[touch.c.tenant_id == _TENANT],
            order=NEWEST_FIRST,
            request=request,
        )
        rows = await self._uow.rows(statement, {**self._tenant, "members": list(member_ids)})
        return next_cursor(rows, NEWEST_FIRST, request.limit)
