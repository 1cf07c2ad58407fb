"""SQL of fields and of the rows that their values are found by."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Row,
    ScalarSelect,
    Text,
    Uuid,
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from services.customer.colleagues.sight import customer_is_seen
from services.customer.fields.errors import CustomFieldNotFound
from services.customer.fields.models import custom_field, custom_field_policy, custom_value
from services.customer.fields.record import FIELD_COLUMNS, CustomField
from shared.db.aliases import stands_for
from shared.db.paging import PageRequest, SortKey, keyset, keyset_values, next_cursor, parse_id
from shared.db.rows import RowsParameter
from shared.db.tables import Instant, part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.pii import FieldMarks
from shared.security.sight import Sight

_TENANT: Final = bindparam("tenant", type_=Uuid)
_ID: Final = bindparam("id", type_=Uuid)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
_FIELD_ID: Final = bindparam("field_id", type_=Uuid)
_KEY: Final = bindparam("key", type_=Text)
_tenant = part_tables("customer").tenant
# The customers' own slice stands on this one, so only what is asked of the table is known here.
_customer = table(
    "customer",
    column("tenant_id", Uuid),
    column("id", Uuid),
    column("merged_into", Uuid),
    column("attributes", JSONB),
    column("created_at", Instant),
    schema="customer",
)
_columns = [custom_field.c[name] for name in FIELD_COLUMNS]
_ADD: Final = insert(custom_field).returning(*_columns)
_ALL: Final = (
    select(*_columns)
    .where(custom_field.c.tenant_id == _TENANT)
    .order_by(custom_field.c.created_at, custom_field.c.id)
)
_OF_KEYS: Final = select(*_columns).where(
    custom_field.c.tenant_id == _TENANT,
    custom_field.c.key == func.any(bindparam("keys", type_=ARRAY(Text))),
)
_BY_ID: Final = select(*_columns).where(
    custom_field.c.tenant_id == _TENANT, custom_field.c.id == _ID
)
_MARKS: Final = select(custom_field.c.key, custom_field.c.sensitivity).where(
    custom_field.c.tenant_id == _TENANT, custom_field.c.sensitivity != "none"
)
_LOCK: Final = _BY_ID.with_for_update()
# Who writes values waits for whoever defines fields, and is waited for: nobody's values are missed
# by the job that reads what was there before.
_SHARE_FIELDS: Final = (
    select(_tenant.c.tenant_id)
    .where(_tenant.c.tenant_id == _TENANT)
    .with_for_update(read=True, key_share=True)
)
_HOLD_FIELDS: Final = (
    select(_tenant.c.tenant_id).where(_tenant.c.tenant_id == _TENANT).with_for_update()
)
_REMOVE: Final = delete(custom_field).where(
    custom_field.c.tenant_id == _TENANT, custom_field.c.id == _ID
)
_POLICY: Final = select(custom_field_policy).where(custom_field_policy.c.tenant_id == _TENANT)


def _put_policy() -> Any:
    given = upsert(custom_field_policy)
    return given.on_conflict_do_update(
        index_elements=["tenant_id"],
        set_={
            "strict": given.excluded.strict,
            "updated_at": given.excluded.updated_at,
            "version": custom_field_policy.c.version + 1,
        },
    ).returning(*custom_field_policy.c)


_PUT_POLICY: Final = _put_policy()

_values = RowsParameter(
    "value", custom_value, [c.name for c in custom_value.c if c.name != "tenant_id"]
)
_ADD_VALUES: Final = (
    upsert(custom_value)
    .from_select(["tenant_id", *_values.columns], select(_TENANT, *_values.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "customer_id", "field_id", "position"])
    .returning(custom_value.c.position)
)
_REMOVE_VALUES: Final = delete(custom_value).where(
    custom_value.c.tenant_id == _TENANT, custom_value.c.customer_id == func.any(_IDS)
)
_REMOVE_VALUES_OF_FIELD: Final = _REMOVE_VALUES.where(custom_value.c.field_id == _FIELD_ID)
_of_field = (custom_value.c.tenant_id == _TENANT, custom_value.c.field_id == _FIELD_ID)
_HAS_VALUES: Final = select(
    exists().where(*_of_field, custom_value.c.text_value.is_not(None))
    | exists().where(*_of_field, custom_value.c.number_value.is_not(None))
    | exists().where(*_of_field, custom_value.c.date_value.is_not(None))
)
_ROWS_LEFT: Final = select(
    exists().where(*_of_field, custom_value.c.fault.is_not(None))
    | exists().where(*_of_field, custom_value.c.text_value.is_not(None))
    | exists().where(*_of_field, custom_value.c.number_value.is_not(None))
    | exists().where(*_of_field, custom_value.c.date_value.is_not(None))
)
_holder = _customer.alias("holder")
_HOLDERS: Final = (
    select(
        custom_value.c.text_value,
        custom_value.c.customer_id,
        func.coalesce(_holder.c.merged_into, _holder.c.id).label("root_id"),
    )
    .join_from(
        custom_value,
        _holder,
        (_holder.c.tenant_id == _TENANT) & (_holder.c.id == custom_value.c.customer_id),
    )
    .where(*_of_field, custom_value.c.text_value == func.any(bindparam("keys", type_=ARRAY(Text))))
    .order_by(custom_value.c.customer_id)
)
_ROOTS: Final = select(
    _customer.c.id, func.coalesce(_customer.c.merged_into, _customer.c.id).label("root_id")
).where(_customer.c.tenant_id == _TENANT, _customer.c.id == func.any(_IDS))

_AFTER: Final = bindparam("after_id", type_=Uuid)
_step = (
    select(_customer.c.id)
    .where(_customer.c.tenant_id == _TENANT, _customer.c.id > _AFTER)
    .order_by(_customer.c.id)
    .limit(bindparam("at_most", type_=Integer))
    .subquery("step")
)
_STEP: Final = select(
    func.count().label("passed"),
    # There is no max() of uuids before PostgreSQL 18; their texts have the same order.
    func.max(_step.c.id.cast(Text)).label("last_id"),
)
_NAMED: Final = (
    select(_customer.c.id, _customer.c.created_at, _customer.c.attributes)
    .where(
        _customer.c.tenant_id == _TENANT,
        _customer.c.id > _AFTER,
        _customer.c.id <= bindparam("last_id", type_=Uuid),
        _customer.c.attributes.has_key(_KEY),
    )
    .order_by(_customer.c.id)
    .with_for_update(key_share=True)
)
_COUNT_CUSTOMERS: Final = (
    select(func.count()).select_from(_customer).where(_customer.c.tenant_id == _TENANT)
)
_MISFIT_ORDER: Final = (SortKey(custom_value.c.customer_id, "customer_id", parse_id),)
_misfits = (
    select(
        custom_value.c.customer_id,
        custom_value.c.fault,
        _holder.c.attributes[_KEY].label("value"),
    )
    .join_from(
        custom_value,
        _holder,
        (_holder.c.tenant_id == _TENANT) & (_holder.c.id == custom_value.c.customer_id),
    )
    .where(*_of_field, custom_value.c.fault.is_not(None))
)
_person = stands_for(_holder)
_MISFITS: Final = {
    (of_teams, continued): keyset(
        _misfits
        if of_teams is None
        else _misfits.where(customer_is_seen(_person, of_teams=of_teams)),
        _MISFIT_ORDER,
        continued=continued,
    )
    for of_teams in (None, False, True)
    for continued in (False, True)
}


def required_keys(tenant: ColumnElement[Any]) -> ScalarSelect[Any]:
    """The keys of the fields that must have values, as a part of another slice's statement."""
    keys = select(custom_field.c.key).where(
        custom_field.c.tenant_id == tenant,
        custom_field.c.required.is_(True),
        custom_field.c.archived_at.is_(None),
    )
    return select(func.array(keys.scalar_subquery(), type_=ARRAY(Text))).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Holder:
    """A customer whose attributes say something; `is_new` when they had nothing before."""

    customer_id: UUID
    created_at: datetime
    attributes: Mapping[str, Any]
    is_new: bool = False


async def field_marks(uow: UnitOfWork) -> FieldMarks:
    """What the edge masks by."""
    return await FieldRepository(uow).marks()


class FieldRepository:
    """The fields of one tenant and their values, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant = {"tenant": uow.tenant_id}

    async def all(self) -> list[CustomField]:
        """Every field, archived ones too, the oldest first."""
        return [CustomField.of(row) for row in await self._uow.rows(_ALL, self._tenant)]

    async def of_keys(self, keys: Collection[str]) -> list[CustomField]:
        """Those of these keys, archived ones too."""
        rows = await self._uow.rows(_OF_KEYS, {**self._tenant, "keys": list(keys)})
        return [CustomField.of(row) for row in rows]

    async def marks(self) -> FieldMarks:
        """Which fields are marked as personal, archived ones too."""
        rows = await self._uow.rows(_MARKS, self._tenant)
        return {row.key: row.sensitivity for row in rows}

    async def marked(self) -> list[CustomField]:
        """The same fields in full."""
        return [field for field in await self.all() if field.sensitivity != "none"]

    async def share(self) -> list[CustomField]:
        """Every field; nobody defines another until the commit."""
        await self._uow.scalar(_SHARE_FIELDS, self._tenant)
        return await self.all()

    async def hold(self) -> None:
        """Let nobody else write values or define fields until the commit."""
        await self._uow.scalar(_HOLD_FIELDS, self._tenant)

    async def get(self, field_id: UUID, *, lock: bool = False) -> CustomField:
        """Raises CustomFieldNotFound."""
        statement = _LOCK if lock else _BY_ID
        row = await self._uow.one_or_none(statement, {**self._tenant, "id": field_id})
        if row is None:
            raise CustomFieldNotFound
        return CustomField.of(row)

    async def add(self, columns: Mapping[str, Any]) -> CustomField:
        """The new field."""
        named = {"tenant_id": self._uow.tenant_id, **columns}
        return CustomField.of(await self._uow.one(_ADD, named))

    async def save(self, field_id: UUID, changes: Mapping[str, Any]) -> CustomField:
        """The field with these columns changed and its version grown."""
        statement = (
            update(custom_field)
            .where(custom_field.c.tenant_id == self._uow.tenant_id, custom_field.c.id == field_id)
            .values(**changes, version=custom_field.c.version + 1)
            .returning(*_columns)
        )
        return CustomField.of(await self._uow.one(statement))

    async def remove(self, field_id: UUID) -> None:
        """Forget a field that nothing is said of."""
        await self._uow.execute(_REMOVE, {**self._tenant, "id": field_id})

    async def policy(self) -> Row[*tuple[Any, ...]] | None:
        """What the shop has decided, if it has."""
        return await self._uow.one_or_none(_POLICY, self._tenant)

    async def put_policy(self, *, strict: bool) -> Row[*tuple[Any, ...]]:
        """Decide it."""
        row = {"strict": strict, "updated_at": self._uow.clock.now(), "version": 1}
        return await self._uow.one(_PUT_POLICY, {"tenant_id": self._uow.tenant_id, **row})

    async def has_values(self, field_id: UUID) -> bool:
        """Whether somebody has a value that fits."""
        return bool(await self._uow.scalar(_HAS_VALUES, self._of(field_id)))

    async def is_used(self, field_id: UUID) -> bool:
        """Whether somebody has a value, be it one that does not fit."""
        return bool(await self._uow.scalar(_ROWS_LEFT, self._of(field_id)))

    async def is_chosen(self, field_id: UUID, options: Collection[str]) -> bool:
        """Whether somebody has one of these values."""
        named = {**self._of(field_id), "keys": list(options)}
        return bool(await self._uow.rows(_HOLDERS, named))

    async def add_values(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Keep rows of values; all columns but the tenant given."""
        await self._uow.rows(_ADD_VALUES, {**self._tenant, **_values.values(rows)})

    async def remove_values(
        self, customer_ids: Collection[UUID], *, field_id: UUID | None = None
    ) -> None:
        """Forget the rows of customers, of one field only if it is named."""
        named = {**self._tenant, "ids": list(customer_ids)}
        if field_id is None:
            await self._uow.execute(_REMOVE_VALUES, named)
        else:
            await self._uow.execute(_REMOVE_VALUES_OF_FIELD, {**named, "field_id": field_id})

    async def holders(self, field_id: UUID, keys: Collection[str]) -> dict[str, set[UUID]]:
        """Which people, by who stands for them, have these values of a field."""
        found: dict[str, set[UUID]] = {}
        for row in await self._uow.rows(_HOLDERS, {**self._of(field_id), "keys": list(keys)}):
            found.setdefault(row.text_value, set()).add(row.root_id)
        return found

    async def roots(self, customer_ids: Collection[UUID]) -> dict[UUID, UUID]:
        """Who stands for each of these."""
        rows = await self._uow.rows(_ROOTS, {**self._tenant, "ids": list(customer_ids)})
        return {row.id: row.root_id for row in rows}

    async def count_customers(self) -> int:
        """How many records there are."""
        return int(await self._uow.scalar(_COUNT_CUSTOMERS, self._tenant))

    async def walk(
        self, key: str, *, after_id: UUID, at_most: int
    ) -> tuple[int, UUID | None, list[Holder]]:
        """How many records were passed, the last of them, and those that have an attribute.

        The latter are locked: nobody changes what they say until the commit.
        """
        step = await self._uow.one(
            _STEP, {**self._tenant, "after_id": after_id, "at_most": at_most}
        )
        if step.last_id is None:
            return 0, None, []
        last_id = UUID(step.last_id)
        named = {**self._tenant, "after_id": after_id, "last_id": last_id, "key": key}
        rows = await self._uow.rows(_NAMED, named)
        return step.passed, last_id, [Holder(r.id, r.created_at, r.attributes) for r in rows]

    async def misfits(
        self, field: CustomField, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of what customers seen have that does not fit, and the next cursor."""
        named = {**self._of(field.id), "key": field.key, **keyset_values(_MISFIT_ORDER, request)}
        of_teams = None
        if self._sight is not None:
            of_teams = self._sight.of_teams
            named |= self._sight.parameters()
        rows = await self._uow.rows(_MISFITS[of_teams, request.cursor is not None], named)
        return next_cursor(rows, _MISFIT_ORDER, request.limit)

    def _of(self, field_id: UUID) -> Mapping[str, Any]:
        return {**self._tenant, "field_id": field_id}
