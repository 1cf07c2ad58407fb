"""Decisions about what people ask for by law."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from services.customer.customers.changes import CustomerChanges
from services.customer.customers.errors import CustomerNotFound
from services.customer.customers.repository import CustomerRepository
from services.customer.families.family import Families, Family
from services.customer.privacy.collecting import Collecting
from services.customer.privacy.erasing import Erasing, ErasureRepository
from services.customer.privacy.errors import (
    IdentityNotChecked,
    NobodyToServe,
    PersonalDataFileThere,
    PreviewNotFound,
    PrivacyRequestNotFound,
    RequestStepNotAllowed,
    TooManyFiles,
)
from services.customer.privacy.laws import extended
from services.customer.privacy.people import PeopleRepository
from services.customer.privacy.repository import FoundPage, PrivacyRepository, RequestFilter
from services.customer.privacy.requests import (
    REMIND_BEFORE,
    PrivacyRequests,
    Request,
    restrict_members,
)
from services.customer.privacy.schemas import (
    EXPORT,
    EXPORT_SCOPES,
    IdentityCheckCreate,
    PrivacyRequestCreate,
    RequestStep,
)
from services.customer.privacy.steps import allowed_steps
from services.customer.tenants.shops import Shop
from shared.audit.trail import Actor, AuditEntry
from shared.contracts.audit import AuditSubject
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Invalid
from shared.ids import new_id
from shared.jobs.errors import JobNotFound
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import ACTIVE
from shared.jobs.work import JobKinds
from shared.security.keys import SecretBox
from shared.security.sight import Sight

_MOST_FILES: Final = 20


class PrivacyService:
    """What clients can do with privacy requests."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        shop: Shop,
        customers: CustomerRepository,
        erasing: Erasing,
        secrets: SecretBox,
        jobs: JobRepository,
        kinds: JobKinds,
        actor: Actor,
        sight: Sight | None,
        owner: UUID | None,
    ) -> None:
        self._uow = uow
        self._opened = PrivacyRequests(uow=uow, shop=shop)
        self._shop = shop
        self._customers = customers
        self._erasing = erasing
        self._secrets = secrets
        self._jobs = jobs
        self._kinds = kinds
        self._actor = actor
        self._owner = owner
        self._requests = PrivacyRepository(uow, sight=sight)
        self._families = Families(uow)
        self._collecting = Collecting(uow)

    async def create(self, given: PrivacyRequestCreate) -> Request:
        """A new request; of a shopper, about themselves. Raises CustomerNotFound, Invalid."""
        now = self._uow.clock.now()
        if given.received_at is not None and given.received_at > now:
            raise Invalid(errors=[_fault("received_at", "future", "The time has not come yet")])
        customer_id = given.customer_id or self._owner
        if customer_id is None:
            raise Invalid(errors=[_fault("customer_id", "missing", "Whose request is it?")])
        await self._seen(customer_id)
        check = None
        if self._owner is not None:
            given = given.model_copy(update={"received_at": None, "law": None})
            check = self._check("shopper_token")
        row = await self._opened.open(
            given.model_copy(update={"customer_id": customer_id}),
            channel="api" if self._owner is None else "shopper",
            opened_by=self._actor.id,
            identity_check=check,
        )
        assert row is not None  # noqa: S101  (only deliveries come twice)
        return row

    async def get(self, request_id: UUID, *, lock: bool = False) -> Request:
        """Raises PrivacyRequestNotFound, also for people whom the caller does not see."""
        row = await self._requests.get(request_id, lock=lock)
        if row.customer_id is None:
            if self._owner is not None:
                raise PrivacyRequestNotFound
            return row
        try:
            await self._seen(row.customer_id)
        except CustomerNotFound as error:
            raise PrivacyRequestNotFound from error
        return row

    async def page(
        self, customer_id: UUID | None, wanted: RequestFilter, request: PageRequest
    ) -> FoundPage:
        """A page of requests: a person's, or all that the caller sees. Raises CustomerNotFound."""
        customer_id = customer_id or self._owner
        if customer_id is None:
            return await self._requests.page(wanted, request)
        family = await self._seen(customer_id)
        return await self._requests.page_of(family.member_ids, wanted, request)

    async def check_identity(self, request_id: UUID, given: IdentityCheckCreate) -> Request:
        """Keep how it was made sure who asks. Raises RequestStepNotAllowed."""
        row = await self._about_to("check_identity", request_id)
        return await self._opened.change(row, identity_check=self._check(given.method, given.note))

    async def acknowledge(self, request_id: UUID) -> Request:
        """Keep that the person was told of the receipt. Raises RequestStepNotAllowed."""
        row = await self._about_to("acknowledge", request_id)
        status = "acknowledged" if row.status == "received" else row.status
        now = self._uow.clock.now()
        return await self._opened.change(row, status=status, acknowledged_at=now)

    async def extend(self, request_id: UUID, reason: str) -> Request:
        """Put the answer off, once, as far as the law lets. Raises RequestStepNotAllowed."""
        row = await self._about_to("extend", request_id)
        due_at = extended(row.law, row.kind, row.due_at, timezone=self._shop.timezone)
        return await self._opened.change(
            row,
            due_at=due_at,
            extended_at=self._uow.clock.now(),
            extension_reason=reason,
            remind_at=due_at - REMIND_BEFORE,
            reminded_at=None,
        )

    async def refuse(self, request_id: UUID, reason: str) -> Request:
        """End a request with a no, and why. Raises RequestStepNotAllowed."""
        row = await self._about_to("refuse", request_id)
        return await self._opened.close(row, "refused", outcome=reason)

    async def cancel(self, request_id: UUID) -> Request:
        """End a request that the person has taken back. Raises RequestStepNotAllowed."""
        row = await self._about_to("cancel", request_id)
        return await self._opened.close(row, "cancelled")

    async def complete(self, request_id: UUID, outcome: str | None) -> Request:
        """End a request that was done by hand. Raises RequestStepNotAllowed."""
        row = await self._about_to("complete", request_id)
        return await self._opened.close(row, "completed", outcome=outcome)

    async def execute(self, request_id: UUID) -> Request:
        """Begin to collect or to erase the person's data.

        Somebody who was erased already is served by that. Raises RequestStepNotAllowed,
        NobodyToServe, IdentityNotChecked, LegalHoldInForce, and CustomerIsErased while the parts
        have not confirmed that erasure.
        """
        row = await self._about_to("execute", request_id)
        if row.customer_id is None:
            raise NobodyToServe
        if row.identity_check is None:
            raise IdentityNotChecked
        begun = {"status": "in_progress", "acknowledged_at": row.acknowledged_at}
        begun["acknowledged_at"] = row.acknowledged_at or self._uow.clock.now()
        if row.kind == "erasure":
            done = await ErasureRepository(self._uow).done((await self._family_of(row)).member_ids)
            if done is not None:
                # Somebody asked before, and it was done: there is nothing left to erase.
                return await self._opened.complete_with(row, done)
            erasure_id = await self._erasing.order(row.id, row.customer_id)
            row = await self._requests.get(row.id)
            return await self._opened.change(row, **begun, erasure_id=erasure_id)
        return await self._opened.change(row, **begun, **await self._export(row))

    async def make_file(self, request_id: UUID) -> Request:
        """Collect the person's data once more, when nobody can fetch the file any longer.

        The request stays what it is, with its due date. Raises RequestStepNotAllowed,
        PersonalDataFileThere.
        """
        row = await self._about_to("make_file", request_id)
        await self._forbid_needless(row.job_id)
        made = await self._export(row)
        # It is a disclosure of its own, of what is known by now.
        subject = AuditSubject(object="privacy_request", id=str(row.id))
        self._uow.record(AuditEntry([subject], detail={"file_number": len(made["files"])}))
        return await self._opened.change(row, **made)

    async def start_preview(self, request_id: UUID) -> Request:
        """Ask every part what it has. Raises NobodyToServe."""
        row = await self.get(request_id, lock=True)
        family = await self._family_of(row)
        person = await PeopleRepository(self._uow).person(family.member_ids)
        await self._collecting.ask(
            "preview",
            person,
            collection_id=new_id(),
            request_id=row.id,
            customer_id=family.root_id,
            secrets=self._secrets,
        )
        return row

    async def preview(self, request_id: UUID) -> tuple[Request, list[Row[*tuple[Any, ...]]]]:
        """The newest preview and what the parts have told so far. Raises PreviewNotFound."""
        await self.get(request_id)
        found = await self._collecting.newest(request_id, "preview")
        if found is None:
            raise PreviewNotFound
        return found, list(await self._collecting.pieces(found.id))

    async def lift_restriction(self, customer_id: UUID) -> None:
        """Have a person's data be used again. Raises CustomerNotFound."""
        await self._seen(customer_id)
        family = await self._families.lock(customer_id)
        changes = CustomerChanges(self._uow)
        await changes.lock([family.root_id])
        changes.apply(family.root_id, {"restricted_at": None})
        await restrict_members(self._uow, family, None)
        await changes.save()

    async def _forbid_needless(self, job_id: UUID) -> None:
        try:
            job = await self._jobs.get(job_id)
        except JobNotFound:
            return
        until = job.result.expires_at if job.result is not None else None
        is_there = until is not None and until > self._uow.clock.now()
        if job.status in ACTIVE or is_there:
            raise PersonalDataFileThere(job_id, until)

    async def _export(self, row: Request) -> dict[str, Any]:
        """Have every part asked; what the request keeps of it. Raises TooManyFiles."""
        if len(row.files) >= _MOST_FILES:
            raise TooManyFiles(_MOST_FILES)
        family = await self._family_of(row)
        person = await PeopleRepository(self._uow).person(family.member_ids)
        collection_id = new_id()
        detail = {
            "privacy_request_id": str(row.id),
            "collection_id": str(collection_id),
            "file_number": len(row.files) + 1,
        }
        job_id = await self._jobs.add(EXPORT, detail=detail, file_scopes=EXPORT_SCOPES)
        await self._collecting.ask(
            "export",
            person,
            collection_id=collection_id,
            request_id=row.id,
            customer_id=family.root_id,
            secrets=self._secrets,
            job_id=job_id,
        )
        self._kinds.wake_after_commit(self._uow)
        asked_at = self._uow.clock.now().isoformat()
        file = {"job_id": str(job_id), "asked_at": asked_at, "asked_by": self._actor.id}
        return {"job_id": job_id, "files": [*row.files, file]}

    async def _about_to(self, step: RequestStep, request_id: UUID) -> Request:
        row = await self.get(request_id, lock=True)
        allowed = allowed_steps(row)
        if step not in allowed:
            raise RequestStepNotAllowed(allowed)
        return row

    async def _family_of(self, row: Request) -> Family:
        if row.customer_id is None:
            raise NobodyToServe
        return await self._families.of(row.customer_id)

    async def _seen(self, customer_id: UUID) -> Family:
        family = await self._families.of(customer_id)
        if self._owner is None:
            await self._customers.get(family.root_id)
        elif self._owner not in family.member_ids:
            raise CustomerNotFound
        return family

    def _check(self, method: str, note: str | None = None) -> dict[str, str]:
        check = {"method": method, "by": self._actor.id, "at": self._uow.clock.now().isoformat()}
        return check if note is None else {**check, "note": note}


def _fault(field: str, code: str, detail: str) -> FieldError:
    return FieldError(f"/body/{field}", code, detail)
