"""Decisions about the fields that a shop defines."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from services.customer.fields.errors import (
    CustomFieldInUse,
    CustomFieldKeyTaken,
    FieldDefinitionNotValid,
    TooManyCustomFields,
)
from services.customer.fields.fitting import faults_of
from services.customer.fields.known import KnownFields
from services.customer.fields.record import CustomField
from services.customer.fields.repository import FieldRepository
from services.customer.fields.schemas import (
    MOST_ARCHIVED,
    MOST_FIELDS,
    REBUILD,
    CustomFieldCreate,
    CustomFieldPatch,
    CustomFieldPolicyRead,
    CustomFieldPolicyWrite,
    CustomFieldRead,
)
from services.customer.tenants.shops import Shops
from shared.audit.trail import AuditEntry, differences
from shared.contracts.customer import CustomFieldDefined, FieldSensitivity
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds
from shared.pii import PII_READ, kind_by_name
from shared.security.principal import Principal
from shared.web.resources import check_version

# With another of these a value that is there would mean something else.
_MEANING: Final = ("type", "currency", "is_unique")
_RANK: Final[Mapping[FieldSensitivity, int]] = {"none": 0, "personal": 1, "sensitive": 2}


class FieldService:
    """What clients can do with the fields of their shop."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        fields: FieldRepository,
        known: KnownFields,
        shops: Shops,
        jobs: JobRepository,
        kinds: JobKinds,
        principal: Principal,
    ) -> None:
        self._uow = uow
        self._principal = principal
        self._fields = fields
        self._known = known
        self._shops = shops
        self._jobs = jobs
        self._kinds = kinds

    async def list_all(self) -> list[CustomFieldRead]:
        """Every field, the oldest first."""
        return [CustomFieldRead.model_validate(field) for field in await self._fields.all()]

    async def get(self, field_id: UUID) -> CustomFieldRead:
        """Raises CustomFieldNotFound."""
        return CustomFieldRead.model_validate(await self._fields.get(field_id))

    async def create(self, given: CustomFieldCreate) -> CustomFieldRead:
        """A new field, and a job that reads what customers have under its key already.

        Raises CustomFieldKeyTaken, TooManyCustomFields, FieldDefinitionNotValid.
        """
        await self._fields.hold()
        others = await self._fields.all()
        if any(field.key == given.key for field in others):
            raise CustomFieldKeyTaken
        _check_room(others)
        now = self._uow.clock.now()
        columns = await self._with_currency(_columns(given.model_dump()))
        _check(columns)
        columns["sensitivity"] = given.sensitivity or _sensitivity_of(given.key)
        timed = {"archived_at": None, "created_at": now, "updated_at": now, "version": 1}
        field = await self._fields.add({**columns, "id": new_id(), **timed})
        self._uow.record(AuditEntry.of("custom_field", field.id))
        self._tell(field)
        return await self._with_rebuild(field)

    async def change(
        self, field_id: UUID, given: CustomFieldPatch, *, expected_version: int | None
    ) -> CustomFieldRead:
        """The field after the change.

        Raises CustomFieldNotFound, PreconditionFailed, CustomFieldInUse, FieldDefinitionNotValid,
        TooManyCustomFields; Forbidden when values would be shown that the caller may not see.
        """
        await self._fields.hold()
        before = await self._fields.get(field_id, lock=True)
        check_version(before.version, expected_version)
        known = {name: getattr(before, name) for name in before.__slots__}
        said = self._said(given, before)
        columns = {**known, **said}
        if "type" in said and "currency" not in said and said["type"] != "money":
            columns["currency"] = None
        columns = await self._with_currency(columns)
        _check(columns)
        changes = {name: new for name, new in columns.items() if known[name] != new}
        if not changes:
            return CustomFieldRead.model_validate(before)
        if _RANK[columns["sensitivity"]] < _RANK[before.sensitivity]:
            self._principal.require([PII_READ])
        await self._check_values(before, changes)
        if changes.get("archived_at", ...) is None:
            _check_room([f for f in await self._fields.all() if f.id != field_id])
        elif "archived_at" in changes:
            _check_archive(await self._fields.all())
        after = await self._fields.save(field_id, {**changes, "updated_at": self._uow.clock.now()})
        self._known.forget_after_commit(self._uow)
        new = {name: getattr(after, name) for name in after.__slots__}
        self._uow.record(AuditEntry.of("custom_field", field_id, differences(known, new)))
        self._tell(after)
        if {*_MEANING, "options"} & changes.keys():
            return await self._with_rebuild(after)
        return CustomFieldRead.model_validate(after)

    async def remove(self, field_id: UUID, *, expected_version: int | None) -> None:
        """Forget a field that no customer has anything in.

        Raises CustomFieldNotFound, PreconditionFailed, CustomFieldInUse; Forbidden when it is
        marked and the caller may not see what is under its key elsewhere.
        """
        await self._fields.hold()
        before = await self._fields.get(field_id, lock=True)
        check_version(before.version, expected_version)
        if before.sensitivity != "none":
            self._principal.require([PII_READ])
        if await self._fields.is_used(field_id):
            raise CustomFieldInUse("Archive it: customers have something in it")
        await self._fields.remove(field_id)
        self._known.forget_after_commit(self._uow)
        self._uow.record(AuditEntry.of("custom_field", field_id))

    async def misfits(
        self, field_id: UUID, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of what customers have in a field and cannot have. Raises CustomFieldNotFound."""
        return await self._fields.misfits(await self._fields.get(field_id), request)

    async def policy(self) -> CustomFieldPolicyRead:
        """What becomes of attributes that no field defines; they are free, unless it was said."""
        row = await self._fields.policy()
        if row is None:
            return CustomFieldPolicyRead(strict=False, updated_at=None, version=0)
        return CustomFieldPolicyRead.model_validate(row._mapping)

    async def put_policy(self, given: CustomFieldPolicyWrite) -> CustomFieldPolicyRead:
        """Decide what becomes of them from now on."""
        row = await self._fields.put_policy(strict=given.strict)
        return CustomFieldPolicyRead.model_validate(row._mapping)

    def _tell(self, field: CustomField) -> None:
        """Whoever shows values elsewhere knows who may see them before the next value comes."""
        self._uow.append(CustomFieldDefined(field=field.state()), key=field.id)

    def _said(self, given: CustomFieldPatch, before: CustomField) -> dict[str, Any]:
        said = _columns(given.model_dump(include=given.model_fields_set))
        archived = said.pop("archived", None)
        if archived is not None and archived != (before.archived_at is not None):
            said["archived_at"] = self._uow.clock.now() if archived else None
        return said

    async def _with_currency(self, columns: dict[str, Any]) -> dict[str, Any]:
        if columns["type"] == "money" and columns["currency"] is None:
            return {**columns, "currency": (await self._shops.of(self._uow)).currency}
        return columns

    async def _check_values(self, before: CustomField, changes: Mapping[str, Any]) -> None:
        if set(_MEANING) & changes.keys() and await self._fields.has_values(before.id):
            raise CustomFieldInUse("Type, currency and unique stay while customers have values")
        left = {option["value"] for option in changes.get("options", before.options)}
        gone = set(before.option_values) - left
        if gone and await self._fields.is_chosen(before.id, gone):
            raise CustomFieldInUse("An option that customers have stays")

    async def _with_rebuild(self, field: CustomField) -> CustomFieldRead:
        detail = {"field_id": str(field.id), "key": field.key}
        job_id = await self._jobs.add(REBUILD, detail=detail)
        self._kinds.wake_after_commit(self._uow)
        told = CustomFieldRead.model_validate(field)
        return told.model_copy(update={"rebuild_job_id": job_id})


def _sensitivity_of(key: str) -> FieldSensitivity:
    return "none" if kind_by_name(key) is None else "personal"


def _columns(said: dict[str, Any]) -> dict[str, Any]:
    if "unique" in said:
        said["is_unique"] = said.pop("unique")
    return said


def _check(columns: Mapping[str, Any]) -> None:
    faults = faults_of(columns)
    if faults:
        raise FieldDefinitionNotValid(faults)


def _check_room(others: Sequence[CustomField]) -> None:
    if sum(field.archived_at is None for field in others) >= MOST_FIELDS:
        raise TooManyCustomFields(f"{MOST_FIELDS} at most; archive one")


def _check_archive(fields: Sequence[CustomField]) -> None:
    if sum(field.archived_at is not None for field in fields) >= MOST_ARCHIVED:
        raise TooManyCustomFields(f"{MOST_ARCHIVED} archived ones at most; delete one")
