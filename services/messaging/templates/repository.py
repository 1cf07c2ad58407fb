"""SQL of templates."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Text, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.messaging.templates.errors import TemplateNotFound
from services.messaging.templates.models import template
from services.messaging.templates.records import Template, TemplateContent
from shared.db.paging import PageRequest, SortKey, next_cursor, page
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

TENANT = bindparam("tenant", type_=Uuid)
_ORDER = (SortKey(template.c.key, "key", str),)
_new = RowsParameter("new", template, [c.name for c in template.c][1:])

_ADD_MISSING = (
    insert(template)
    .from_select(["tenant_id", *_new.columns], select(TENANT, *_new.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "key"])
)
_FIND = select(template).where(
    template.c.tenant_id == TENANT, template.c.key == bindparam("key", type_=Text)
)
_LOCK = _FIND.with_for_update()
_FIND_MANY = select(template).where(
    template.c.tenant_id == TENANT,
    template.c.key == func.any(bindparam("keys", type_=ARRAY(Text))),
)
_given = insert(template)
_PUT = _given.on_conflict_do_update(
    index_elements=["tenant_id", "key"],
    set_={
        name: _given.excluded[name] for name in ("version", "description", "contents", "updated_at")
    },
)


class TemplateRepository:
    """Templates inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def get(self, key: str) -> Template:
        """Raises TemplateNotFound."""
        row = await self._uow.one_or_none(_FIND, {**self._tenant, "key": key})
        if row is None:
            raise TemplateNotFound
        return Template.of(row)

    async def lock(self, key: str) -> Template | None:
        """The template, if it exists, nobody else changing it until the commit."""
        row = await self._uow.one_or_none(_LOCK, {**self._tenant, "key": key})
        return None if row is None else Template.of(row)

    async def find_many(self, keys: Collection[str]) -> Mapping[str, Template]:
        """The templates among these keys that exist."""
        if not keys:
            return {}
        rows = await self._uow.rows(_FIND_MANY, {**self._tenant, "keys": list(keys)})
        return {row.key: Template.of(row) for row in rows}

    async def list_page(self, request: PageRequest) -> tuple[Sequence[Template], str | None]:
        """A page of templates by key, and the cursor of the next."""
        statement = page(select(template).where(template.c.tenant_id == TENANT), _ORDER, request)
        rows = await self._uow.rows(statement, self._tenant)
        kept, cursor = next_cursor(rows, _ORDER, request.limit)
        return [Template.of(row) for row in kept], cursor

    async def put(self, new: Template) -> None:
        """Write a template whose version the caller has settled."""
        await self._uow.execute(_PUT, {"tenant_id": self._uow.tenant_id, **_row(new)})

    async def add_missing(self, templates: Iterable[Template]) -> None:
        """Add those whose keys are not taken yet."""
        values = _new.values(_row(each) for each in templates)
        await self._uow.execute(_ADD_MISSING, {**self._tenant, **values})


def _row(of: Template) -> dict[str, Any]:
    return {
        "key": of.key,
        "version": of.version,
        "description": of.description,
        "contents": [_document(content) for content in of.contents],
        "created_at": of.created_at,
        "updated_at": of.updated_at,
    }


def _document(content: TemplateContent) -> dict[str, Any]:
    return content.model_dump(exclude_none=True)
