"""Making a lead of what somebody sent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.assignment.assigning import Assigner
from services.customer.consents.recording import Answer, ConsentRecorder
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.identities import (
    Identity,
    distinct,
    email_identity,
    phone_identity,
)
from services.customer.customers.new_customers import NewCustomer, NewCustomers
from services.customer.customers.recognition import look_alikes
from services.customer.customers.record import CustomerRecord, created_entry, new_record
from services.customer.customers.repository import CustomerRepository
from services.customer.duplicates.weighing import Weighing
from services.customer.families.family import Families
from services.customer.lead_forms.links import FormLinks
from services.customer.lead_forms.record import Intent, LeadForm
from services.customer.leads.repository import LeadRepository
from services.customer.leads.submission import Submission
from services.customer.tasks.entries import new_task, task_entries
from services.customer.tasks.repository import TaskRepository
from services.customer.tenants.shops import Shop
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from services.customer.touches.origins import Origin
from services.customer.touches.service import add_touch
from shared.audit.trail import AuditEntry
from shared.contracts.customer import CustomerCreated
from shared.contracts.leads import LeadCaptured, LeadConfirmationRequested, LeadState
from shared.db.codes import CodeAllocator
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

SOURCE = "lead_form"
_COLUMNS = ("name", "city", "province", "gender")


@dataclass(frozen=True, slots=True)
class NewLead:
    """A capture: of whom, what they want, and where that was."""

    customer_id: UUID
    intent: Intent
    source: str
    source_page: str | None
    captured_at: datetime
    form_id: UUID | None = None
    submission_id: UUID | None = None


class LeadCapture:
    """Makes leads, inside one unit of work."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        codes: CodeAllocator,
        shop: Shop,
        links: FormLinks,
        weighing: Weighing,
    ) -> None:
        self._uow = uow
        self._codes = codes
        self._shop = shop
        self._links = links
        self._weighing = weighing
        self._changes = CustomerChanges(uow)
        self._timeline = TimelineRepository(uow)

    async def take(self, submission: Submission, form: LeadForm) -> UUID:
        """Whose the submission is now: somebody new, unless a trusted caller knew who sent it.

        What is typed into a form proves nothing: addresses and numbers of others are only claimed,
        the others become duplicate candidates, and nobody's profile changes. Raises
        CustomerNotFound when the submission names somebody who is not there.
        """
        if submission.customer_id is None:
            record = await self._add(submission, form)
        else:
            record = await self._lock_known(submission.customer_id)
        # Of somebody who is several records, it is written to the one that was named.
        customer_id = submission.customer_id or record.id
        lead = NewLead(
            customer_id=customer_id,
            intent=submission.intent,
            source=submission.origin["source"],
            source_page=submission.source_page,
            captured_at=submission.received_at,
            form_id=form.id,
            submission_id=submission.id,
        )
        await self._keep_touch(submission, customer_id)
        await self._timeline.add([_sent_entry(submission, form, customer_id)])
        if submission.customer_id is None:
            await self._add_lead(lead)
        elif record.stage == "lead":
            await self._keep_lead(lead)
        await self._have_followed_up(submission, form, customer_id, code=record.code)
        if not form.double_opt_in:
            await self._record_consents(submission, form, customer_id, at=submission.received_at)
        elif needs_confirmation(submission, form):
            self._ask_for_confirmation(submission, customer_id)
        return customer_id

    async def confirm(self, submission: Submission, form: LeadForm, *, at: datetime) -> None:
        """The consents of a submission count from now on. Its customer may have been merged."""
        if submission.customer_id is None:
            return
        await self._lock_known(submission.customer_id)
        await self._record_consents(submission, form, submission.customer_id, at=at, confirmed=True)

    async def keep(self, lead: NewLead) -> Row[*tuple[Any, ...]]:
        """A lead that was not sent by a form. The customer is locked, and nobody's lead yet."""
        return await self._add_lead(lead)

    async def whose(self, customer_id: UUID, *, lock: bool) -> CustomerRecord:
        """Who stands for the customer of a submission, whoever asks. Raises CustomerNotFound."""
        if lock:
            return await self._lock_known(customer_id)
        return await CustomerRepository(self._uow).get(customer_id)

    async def _lock_known(self, customer_id: UUID) -> CustomerRecord:
        await self._changes.lock([customer_id])
        return self._changes[customer_id]

    async def _add(self, submission: Submission, form: LeadForm) -> CustomerRecord:
        numbers = await self._codes.take(self._uow.tenant_id, "customer")
        identities = identities_of(submission.entered, region=self._shop.country)
        record = new_record(
            {
                **_columns(submission, form),
                **{identity.kind: identity.value for identity in identities},
            },
            customer_id=new_id(),
            number=numbers.start,
            currency=self._shop.currency,
            at=self._uow.clock.now(),
        )
        assigner = Assigner(self._uow)
        choices = await assigner.assign({record.id: record}, timezone=self._shop.timezone)
        if record.id in choices:
            record = replace(record, owner_id=choices[record.id].owner_id)
        self._uow.append(CustomerCreated(customer=record.state()), key=record.id)
        self._uow.record(AuditEntry.of("customer", record.id))
        new = [NewCustomer(record, identities)]
        holders = await NewCustomers(self._uow).add(new, [created_entry(record)])
        await assigner.keep(choices)
        await self._weighing.propose(look_alikes(record.id, identities, holders))
        self._changes.take(record)
        return record

    async def _keep_touch(self, submission: Submission, customer_id: UUID) -> None:
        await add_touch(
            self._uow,
            Origin(**submission.origin),
            customer_id=customer_id,
            at=submission.received_at,
            form_id=submission.form_id,
        )

    async def _keep_lead(self, lead: NewLead) -> None:
        leads = LeadRepository(self._uow)
        family = await Families(self._uow).of(lead.customer_id)
        known = await leads.find_of(family.member_ids)
        if known is None:
            await self._add_lead(lead)
        elif known.intent != lead.intent:
            # What they said last is what they want.
            now = self._uow.clock.now()
            await leads.save(known.id, {"intent": lead.intent, "updated_at": now})

    async def _add_lead(self, lead: NewLead) -> Row[*tuple[Any, ...]]:
        row = await LeadRepository(self._uow).add(
            {
                "id": new_id(),
                **{name: getattr(lead, name) for name in lead.__slots__},
                "updated_at": self._uow.clock.now(),
                "version": 1,
            }
        )
        known = {name: getattr(row, name) for name in LeadState.model_fields if name != "lead_id"}
        event = LeadCaptured(lead=LeadState(lead_id=row.id, **known))
        self._uow.append(event, key=lead.customer_id)
        return row

    async def _have_followed_up(
        self, submission: Submission, form: LeadForm, customer_id: UUID, *, code: str
    ) -> None:
        """Give staff something to do, once per submission. Tasks are not masked: no names."""
        wanted = form.follow_up
        if wanted is None or submission.intent not in wanted["intents"]:
            return
        task = {
            **new_task(self._uow, due_in=timedelta(hours=wanted["within_hours"])),
            "customer_id": customer_id,
            "kind": "call" if submission.entered.get("phone") else "message",
            "title": f"{code}: {form.name}"[:255],
            "note": None,
            "assignee_id": None,
            "assignee_role": wanted["assignee_role"],
            "created_by": None,
            "ticket_id": None,
            "cause_id": submission.id,
        }
        added = await TaskRepository(self._uow).add_caused([task])
        await self._timeline.add(task_entries(added, "task.created"))

    async def _record_consents(
        self,
        submission: Submission,
        form: LeadForm,
        customer_id: UUID,
        *,
        at: datetime,
        confirmed: bool = False,
    ) -> None:
        answers = [
            Answer(
                customer_id=customer_id,
                purpose=consent["purpose"],
                channel=consent["channel"],
                status="granted",
                at=at,
                source=SOURCE,
                proof=_proof(submission, form, consent, confirmed_at=at if confirmed else None),
                act="double_opt_in" if confirmed else "ticked_box",
                confirmed_at=at if confirmed else None,
            )
            for consent in submission.consents
        ]
        if answers:
            await ConsentRecorder(uow=self._uow, changes=self._changes).record(answers)
            await self._changes.save()

    def _ask_for_confirmation(self, submission: Submission, customer_id: UUID) -> None:
        event = LeadConfirmationRequested(
            submission_id=submission.id,
            customer_id=customer_id,
            email=submission.entered["email"],
            name=submission.entered.get("name"),
            locale=submission.language,
            url=self._links.confirmation_url(submission.id),
        )
        self._uow.append(event, key=customer_id)


def needs_confirmation(submission: Submission, form: LeadForm) -> bool:
    """Whether consents wait for a second yes once a lead is made of the submission."""
    return bool(form.double_opt_in and submission.consents and submission.entered.get("email"))


def identities_of(entered: Mapping[str, Any], *, region: str) -> list[Identity]:
    """What somebody claims to be reached by."""
    return distinct(
        [
            email_identity(entered.get("email"), source=SOURCE),
            phone_identity(entered.get("phone"), source=SOURCE, region=region),
        ]
    )


def _columns(submission: Submission, form: LeadForm) -> dict[str, Any]:
    """What is known of a customer who is new."""
    entered = submission.entered
    columns = {name: entered[name] for name in _COLUMNS if name in entered}
    if "birth_date" in entered:
        columns["birth_date"] = date.fromisoformat(entered["birth_date"])
    own = {field["key"] for field in form.own_fields}
    attributes = {name: value for name, value in entered.items() if name in own}
    return {
        **columns,
        "attributes": attributes,
        "locale": submission.language,
        "source": SOURCE,
    }


def _proof(
    submission: Submission,
    form: LeadForm,
    consent: Mapping[str, Any],
    *,
    confirmed_at: datetime | None,
) -> dict[str, str]:
    known = {
        "form_id": str(form.id),
        "submission_id": str(submission.id),
        "text_version": str(consent["text_version"]),
        "wording": consent["wording"],
        "language": consent["language"],
        "sent_at": submission.received_at.isoformat(),
        "page": submission.source_page,
        "ip": submission.client_ip,
        "user_agent": submission.user_agent,
        "confirmed_at": confirmed_at.isoformat() if confirmed_at else None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _sent_entry(submission: Submission, form: LeadForm, customer_id: UUID) -> Entry:
    return Entry(
        customer_id=customer_id,
        type="lead.captured",
        occurred_at=submission.received_at,
        data={
            "submission_id": str(submission.id),
            "form_id": str(form.id),
            "form": form.name,
            "intent": submission.intent,
            "source": submission.origin["source"],
        },
    )
