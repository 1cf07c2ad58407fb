"""SQL of leads. What is shown of a customer is what the person's record says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    Uuid,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.colleagues.sight import owner_is_seen
from services.customer.customers.models import customer
from services.customer.lead_forms.models import lead_form
from services.customer.leads.errors import LeadNotFound
from services.customer.leads.models import lead
from shared.db.aliases import stands_for
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import any_id
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

NEWEST_FIRST = (
    SortKey(lead.c.captured_at, "captured_at", parse_instant, descending=True),
    SortKey(lead.c.id, "id", parse_id, descending=True),
)

_Row = Row[*tuple[Any, ...]]
_TENANT: Final = bindparam("tenant", type_=Uuid)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
_AT: Final = bindparam("at", type_=Instant)
_record = customer.alias("record")
_person = customer.alias("person")
# Whoever is a customer, by whichever of their records, is no lead any more.
_CONVERTED_AT: Final = case(
    (
        _person.c.stage == "customer",
        func.coalesce(
            lead.c.converted_at,
            func.greatest(
                lead.c.captured_at, func.coalesce(_person.c.first_order_at, _person.c.created_at)
            ),
        ),
    ),
)
_OF_PEOPLE: Final = (
    select(
        *(
            column
            for column in lead.c
            if column.name not in {"tenant_id", "customer_id", "converted_at"}
        ),
        _CONVERTED_AT.label("converted_at"),
        _person.c.id.label("customer_id"),
        _person.c.code,
        _person.c.name,
        _person.c.email,
        _person.c.phone,
        _person.c.stage,
        _person.c.owner_id,
    )
    .select_from(lead)
    .join(_record, (_record.c.tenant_id == _TENANT) & (_record.c.id == lead.c.customer_id))
    .join(
        _person,
        (_person.c.tenant_id == _TENANT) & (_person.c.id == stands_for(_record)),
    )
    .where(lead.c.tenant_id == _TENANT)
)
_BY_ID: Final = _OF_PEOPLE.where(lead.c.id == bindparam("id", type_=Uuid))
_LOCK: Final = _BY_ID.with_for_update(of=lead)
_ADD: Final = insert(lead).returning(*lead.c)
_OF_RECORDS: Final = (
    select(lead)
    .where(lead.c.tenant_id == _TENANT, lead.c.customer_id == func.any(_IDS))
    .order_by(lead.c.captured_at, lead.c.id)
    .limit(1)
)
_MEMBERS: Final = (
    select(customer.c.id, func.coalesce(customer.c.merged_into, customer.c.id).label("root_id"))
    .where(
        customer.c.tenant_id == _TENANT,
        or_(customer.c.id == any_id("ids"), customer.c.merged_into == any_id("ids")),
    )
    .subquery("member")
)
_CONVERT: Final = (
    update(lead)
    .values(converted_at=_AT, updated_at=_AT, version=lead.c.version + 1)
    .where(
        lead.c.tenant_id == _TENANT,
        lead.c.customer_id == _MEMBERS.c.id,
        lead.c.converted_at.is_(None),
    )
    .returning(*lead.c, _MEMBERS.c.root_id)
)
_UNCONVERT: Final = (
    update(lead)
    .values(converted_at=None, updated_at=_AT, version=lead.c.version + 1)
    .where(
        lead.c.tenant_id == _TENANT,
        lead.c.customer_id == func.any(_IDS),
        lead.c.converted_at.is_not(None),
    )
)
MOST_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads a client wants; None asks for nothing."""

    intent: str | None = None
    form_id: UUID | None = None
    source: str | None = None
    owner_id: UUID | None = None
    converted: bool | None = None
    captured_from: datetime | None = None
    captured_until: datetime | None = None


class LeadRepository:
    """Leads, inside one unit of work. What a caller asks for is narrowed to their `sight`."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any]) -> _Row:
        """The new lead, its own columns only."""
        return await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def find_of(self, record_ids: Sequence[UUID]) -> _Row | None:
        """The oldest lead of a person's records, its own columns only."""
        return await self._uow.one_or_none(_OF_RECORDS, {**self._tenant, "ids": list(record_ids)})

    async def get(self, lead_id: UUID, *, lock: bool = False) -> _Row:
        """Raises LeadNotFound."""
        statement = self._narrowed(_LOCK if lock else _BY_ID)
        row = await self._uow.one_or_none(statement, {**self._asked(), "id": lead_id})
        if row is None:
            raise LeadNotFound
        return row

    async def save(self, lead_id: UUID, changes: Mapping[str, Any]) -> None:
        """Change columns of a lead; its version grows."""
        await self._uow.execute(
            update(lead)
            .where(lead.c.tenant_id == self._uow.tenant_id, lead.c.id == lead_id)
            .values(**changes, version=lead.c.version + 1)
        )

    async def convert(self, root_ids: Sequence[UUID], at: datetime) -> Sequence[_Row]:
        """Mark the leads of these people; each that was not, with the person's `root_id`."""
        parameters = {**self._tenant, "ids": list(root_ids), "at": at}
        return await self._uow.rows(_CONVERT, parameters)

    async def unconvert(self, record_ids: Sequence[UUID], at: datetime) -> None:
        """Have the leads of these records be open again: another's order had made them none."""
        await self._uow.execute(_UNCONVERT, {**self._tenant, "ids": list(record_ids), "at": at})

    async def page(
        self, wanted: LeadFilter, request: PageRequest
    ) -> tuple[Sequence[_Row], str | None]:
        """A page of leads, captured last first, and the next cursor."""
        statement = self._narrowed(_OF_PEOPLE.where(*_conditions(wanted)))
        rows = await self._uow.rows(page(statement, NEWEST_FIRST, request), self._asked())
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def count(self, wanted: LeadFilter) -> tuple[_Row, Sequence[_Row]]:
        """How many leads there are, and how many of them have bought.

        First of all, then per form and source: the largest, `MOST_ROWS` at most.
        """
        found = self._narrowed(_OF_PEOPLE.where(*_conditions(wanted))).subquery("found")
        leads = func.count().label("leads")
        figures = (leads, func.count(found.c.converted_at).label("converted"))
        groups = (
            select(found.c.form_id, lead_form.c.name.label("form_name"), found.c.source, *figures)
            .select_from(found)
            .outerjoin(
                lead_form,
                (lead_form.c.tenant_id == _TENANT) & (lead_form.c.id == found.c.form_id),
            )
            .group_by(found.c.form_id, lead_form.c.name, found.c.source)
            .order_by(leads.desc(), found.c.form_id, found.c.source)
            .limit(bindparam("most", type_=Integer))
        )
        total = await self._uow.one(select(*figures).select_from(found), self._asked())
        return total, await self._uow.rows(groups, {**self._asked(), "most": MOST_ROWS})

    def _narrowed(self, statement: Select[Any]) -> Select[Any]:
        if self._sight is None:
            return statement
        return statement.where(owner_is_seen(_person.c.owner_id, of_teams=self._sight.of_teams))

    def _asked(self) -> Mapping[str, Any]:
        """The tenant, and who looks."""
        if self._sight is None:
            return self._tenant
        return {**self._tenant, **self._sight.parameters()}


def _conditions(wanted: LeadFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for name in ("intent", "form_id", "source"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(lead.c[name] == value)
    if wanted.owner_id is not None:
        conditions.append(_person.c.owner_id == wanted.owner_id)
    if wanted.converted is not None:
        is_customer = _person.c.stage == "customer"
        conditions.append(is_customer if wanted.converted else ~is_customer)
    if wanted.captured_from is not None:
        conditions.append(lead.c.captured_at >= wanted.captured_from)
    if wanted.captured_until is not None:
        conditions.append(lead.c.captured_at < wanted.captured_until)
    return conditions
