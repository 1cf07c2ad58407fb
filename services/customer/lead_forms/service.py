"""Decisions about lead forms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.customer.lead_forms.errors import LeadFormNotValid
from services.customer.lead_forms.fitting import faults_of
from services.customer.lead_forms.record import LeadForm
from services.customer.lead_forms.repository import LeadFormRepository
from services.customer.lead_forms.schemas import LeadFormCreate, LeadFormPatch
from shared.audit.trail import AuditEntry
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.web.resources import check_version


class LeadFormService:
    """What clients can do with lead forms."""

    def __init__(self, *, uow: UnitOfWork, forms: LeadFormRepository) -> None:
        self._uow = uow
        self._forms = forms

    async def create(self, given: LeadFormCreate) -> LeadForm:
        """A new form. Raises LeadFormNotValid."""
        now = self._uow.clock.now()
        said = given.model_dump()
        consents = _versioned(said.pop("consents"), (), version=1)
        form = LeadForm(
            **said, consents=consents, id=new_id(), created_at=now, updated_at=now, version=1
        )
        _check(form)
        self._uow.record(AuditEntry.of("lead_form", form.id))
        return await self._forms.add(form)

    async def get(self, form_id: UUID) -> LeadForm:
        """Raises LeadFormNotFound."""
        return await self._forms.get(form_id)

    async def page(
        self, request: PageRequest, *, active: bool | None
    ) -> tuple[Sequence[LeadForm], str | None]:
        """A page of forms, newest first, and the next cursor."""
        return await self._forms.page(request, active=active)

    async def change(
        self, form_id: UUID, given: LeadFormPatch, *, expected_version: int | None
    ) -> LeadForm:
        """The form after the change. Raises LeadFormNotFound, LeadFormNotValid."""
        before = await self._forms.get(form_id, lock=True)
        check_version(before.version, expected_version)
        said = {
            name: new for name, new in given.model_dump().items() if name in given.model_fields_set
        }
        version = before.version + 1
        if "consents" in said:
            said["consents"] = _versioned(said["consents"], before.consents, version=version)
        changes = {name: new for name, new in said.items() if getattr(before, name) != new}
        if not changes:
            return before
        after = replace(before, **changes, updated_at=self._uow.clock.now(), version=version)
        _check(after)
        return await self._forms.save(after)


def _check(form: LeadForm) -> None:
    faults = faults_of(form)
    if faults:
        raise LeadFormNotValid(faults)


def _versioned(
    given: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]], *, version: int
) -> list[dict[str, Any]]:
    """The consents with the version of the form in which their words were last changed.

    So a text that is taken out and comes back with other words never has a version twice.
    """
    known = {(each["purpose"], each["channel"]): each for each in before}
    versioned = []
    for each in given:
        old = known.get((each["purpose"], each["channel"]))
        same = old is not None and old["text"] == each["text"]
        versioned.append({**each, "text_version": old["text_version"] if old and same else version})
    return versioned
