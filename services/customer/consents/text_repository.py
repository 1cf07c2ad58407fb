"""SQL of the wordings that people agree to."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Text, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.customer.consents.errors import ConsentTextChanged, ConsentTextNotFound
from services.customer.consents.models import consent_text
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork

NEWEST_FIRST: Final = (
    SortKey(consent_text.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(consent_text.c.id, "id", parse_id, descending=True),
)
_OURS: Final = consent_text.c.tenant_id == bindparam("tenant", type_=Uuid)
_ALL: Final = select(consent_text).where(_OURS)
_BY_ID: Final = _ALL.where(consent_text.c.id == bindparam("id", type_=Uuid))
_NEWEST: Final = (
    _ALL.where(
        consent_text.c.key == bindparam("key", type_=Text),
        consent_text.c.language == bindparam("language", type_=Text),
    )
    .order_by(consent_text.c.version.desc())
    .limit(1)
)
_ADD: Final = (
    insert(consent_text)
    .on_conflict_do_nothing(index_elements=["tenant_id", "key", "language", "version"])
    .returning(*consent_text.c)
)


class ConsentTextRepository:
    """Wordings, inside one unit of work. They are added and read, nothing else."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def get(self, text_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises ConsentTextNotFound."""
        row = await self._uow.one_or_none(_BY_ID, {**self._tenant, "id": text_id})
        if row is None:
            raise ConsentTextNotFound
        return row

    async def newest(self, key: str, language: str) -> Row[*tuple[Any, ...]] | None:
        """The newest version of a text in a language, if there is one."""
        wanted = {**self._tenant, "key": key, "language": language}
        return await self._uow.one_or_none(_NEWEST, wanted)

    async def page(
        self, request: PageRequest, *, key: str | None
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of wordings, newest first, and the next cursor."""
        statement = _ALL if key is None else _ALL.where(consent_text.c.key == key)
        rows = await self._uow.rows(page(statement, NEWEST_FIRST, request), self._tenant)
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def add(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new version. Raises ConsentTextChanged when somebody was quicker."""
        given = {"tenant_id": self._uow.tenant_id, **columns}
        row = await self._uow.one_or_none(_ADD, given)
        if row is None:
            raise ConsentTextChanged
        return row
