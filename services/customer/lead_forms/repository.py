"""SQL of lead forms."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Row, Text, Uuid, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from services.customer.lead_forms.errors import LeadFormNotFound
from services.customer.lead_forms.models import lead_form, lead_form_text
from services.customer.lead_forms.record import COLUMNS, ConsentText, LeadForm
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

NEWEST_FIRST = (
    SortKey(lead_form.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(lead_form.c.id, "id", parse_id, descending=True),
)

_TENANT = bindparam("tenant", type_=Uuid)
_TEXT_COLUMNS = ("form_id", "purpose", "channel", "version", "text", "created_at")
_texts = RowsParameter("text", lead_form_text, _TEXT_COLUMNS)
_ADD = insert(lead_form).returning(*lead_form.c)
_ADD_TEXTS = (
    insert(lead_form_text)
    .from_select(["tenant_id", *_TEXT_COLUMNS], select(_TENANT, *_texts.source.c))
    .on_conflict_do_nothing(index_elements=list(lead_form_text.primary_key.columns))
    .returning(lead_form_text.c.version)
)
_BY_ID = select(lead_form).where(
    lead_form.c.tenant_id == _TENANT, lead_form.c.id == bindparam("id", type_=Uuid)
)
_LOCK = _BY_ID.with_for_update()
_TEXT = select(lead_form_text).where(
    lead_form_text.c.tenant_id == _TENANT,
    lead_form_text.c.form_id == bindparam("form_id", type_=Uuid),
    lead_form_text.c.purpose == bindparam("purpose", type_=Text),
    lead_form_text.c.channel == bindparam("channel", type_=Text),
    lead_form_text.c.version == bindparam("version", type_=BigInteger),
)


class LeadFormRepository:
    """Lead forms, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, form: LeadForm) -> LeadForm:
        """Keep a new form and its wordings."""
        row = await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **form.as_row()})
        await self._add_texts(form)
        return LeadForm.of(row)

    async def get(self, form_id: UUID, *, lock: bool = False) -> LeadForm:
        """Raises LeadFormNotFound."""
        found = await self.find(form_id, lock=lock)
        if found is None:
            raise LeadFormNotFound
        return found

    async def find(self, form_id: UUID, *, lock: bool = False) -> LeadForm | None:
        """The form, if there is one."""
        statement = _LOCK if lock else _BY_ID
        row = await self._uow.one_or_none(statement, {**self._tenant, "id": form_id})
        return None if row is None else LeadForm.of(row)

    async def save(self, form: LeadForm) -> LeadForm:
        """Write a changed form, and wordings that are new."""
        fixed = {"id", "created_at"}
        statement = (
            update(lead_form)
            .where(lead_form.c.tenant_id == self._uow.tenant_id, lead_form.c.id == form.id)
            .values({name: getattr(form, name) for name in COLUMNS if name not in fixed})
            .returning(*lead_form.c)
        )
        row = await self._uow.one(statement)
        await self._add_texts(form)
        return LeadForm.of(row)

    async def page(
        self, request: PageRequest, *, active: bool | None
    ) -> tuple[Sequence[LeadForm], str | None]:
        """A page of forms, newest first, and the next cursor."""
        statement = select(lead_form).where(lead_form.c.tenant_id == _TENANT)
        if active is not None:
            statement = statement.where(lead_form.c.active.is_(active))
        rows = await self._uow.rows(page(statement, NEWEST_FIRST, request), self._tenant)
        kept, cursor = next_cursor(rows, NEWEST_FIRST, request.limit)
        return [LeadForm.of(row) for row in kept], cursor

    async def find_text(
        self, form_id: UUID, *, purpose: str, channel: str, version: int
    ) -> ConsentText | None:
        """A wording that the form has, or once had."""
        wanted = {"form_id": form_id, "purpose": purpose, "channel": channel, "version": version}
        row = await self._uow.one_or_none(_TEXT, {**self._tenant, **wanted})
        return None if row is None else _text_of(row)

    async def _add_texts(self, form: LeadForm) -> None:
        rows = _text_rows(form, form.texts())
        if rows:
            await self._uow.rows(_ADD_TEXTS, {**self._tenant, **_texts.values(rows)})


def _text_rows(form: LeadForm, texts: Iterable[ConsentText]) -> list[dict[str, Any]]:
    return [
        {
            "form_id": form.id,
            "purpose": text.purpose,
            "channel": text.channel,
            "version": text.version,
            "text": dict(text.text),
            "created_at": form.updated_at,
        }
        for text in texts
    ]


def _text_of(row: Row[*tuple[Any, ...]]) -> ConsentText:
    return ConsentText(row.purpose, row.channel, row.version, row.text)
