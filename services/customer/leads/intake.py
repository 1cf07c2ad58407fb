"""Taking in what people send by forms, from the page and over the API."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from services.customer.customers.identity_repository import IdentityRepository
from services.customer.customers.repository import CustomerRepository
from services.customer.lead_forms.record import Intent, LeadForm, in_language, language_shown
from services.customer.lead_forms.repository import LeadFormRepository
from services.customer.leads.capture import LeadCapture, identities_of, needs_confirmation
from services.customer.leads.entered import Entered, Surroundings, read_entered
from services.customer.leads.errors import FormClosed, SubmissionDecided
from services.customer.leads.submission import Sender, Submission, SubmissionStatus, Via
from services.customer.leads.submission_repository import SubmissionRepository
from services.customer.leads.suspicion import COUNTED_FOR, suspicions
from services.customer.tenants.shops import Shop
from services.customer.touches.origins import Origin
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.languages import Language

SAME_WITHIN: Final = timedelta(hours=1)
"""The same words by the same form within this time are one submission."""

CONFIRMABLE_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Ticked:
    """A consent that somebody gave, to the words of a version."""

    purpose: str
    channel: str
    text_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What somebody sent, read; `open_for` is how long the page was open, if it was ours.

    Only a `trusted` caller is believed when it names the customer who sent it.
    """

    entered: Mapping[str, Any]
    intent: Intent
    consents: Sequence[dict[str, Any]]
    origin: Origin
    via: Via
    language: Language
    source_page: str | None
    sender: Sender
    honeypot: str = ""
    open_for: timedelta | None = None
    trusted: bool = False
    customer_id: UUID | None = None


class LeadIntake:
    """Takes in submissions and decides about those that were kept aside."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        forms: LeadFormRepository,
        submissions: SubmissionRepository,
        customers: CustomerRepository,
        identities: IdentityRepository,
        capture: LeadCapture,
        shop: Shop,
    ) -> None:
        self._uow = uow
        self._forms = forms
        self._submissions = submissions
        self._customers = customers
        self._identities = identities
        self._capture = capture
        self._shop = shop

    def read(self, form: LeadForm, raw: Mapping[str, Any]) -> Entered:
        """What was entered, as the form's fields mean it."""
        today = self._uow.clock.now().date()
        return read_entered(form, raw, Surroundings(self._shop.country, today))

    async def agreed(
        self, form: LeadForm, ticked: Sequence[Ticked], language: Language
    ) -> list[dict[str, Any] | None]:
        """Each consent with the very words that were shown; None for words this form never had."""
        return [await self._agreed(form, each, language) for each in ticked]

    async def take(self, form: LeadForm, given: Given) -> tuple[Submission, bool]:
        """The submission, and whether it is new: the same sent again soon is the same.

        What looks as if no person had sent it is kept aside. Raises FormClosed, CustomerNotFound,
        CustomerIsErased.
        """
        if not form.active:
            raise FormClosed
        if given.customer_id is not None:
            await self._customers.get_unerased(given.customer_id)
        new = await self._new(form, given)
        claimed = await self._submissions.claim(new, since=new.received_at - SAME_WITHIN)
        if claimed != new.id:
            return await SubmissionRepository(self._uow).get(claimed), False
        if new.status == "accepted":
            new = await self._with_lead(new, form)
        await self._submissions.add(new)
        return new, True

    async def get(self, form_id: UUID, submission_id: UUID) -> Submission:
        """Raises SubmissionNotFound."""
        return await self._submissions.get(submission_id, form_id=form_id)

    async def page(
        self, form_id: UUID, status: str | None, request: PageRequest
    ) -> tuple[Sequence[Submission], str | None]:
        """A page of what a form has brought, newest first. Raises LeadFormNotFound."""
        await self._forms.get(form_id)
        return await self._submissions.page(form_id, status, request)

    async def accept(self, form_id: UUID, submission_id: UUID) -> Submission:
        """Make a lead of what was kept aside. Raises SubmissionNotFound, SubmissionDecided."""
        waiting = await self._lock_waiting(form_id, submission_id, to="accepted")
        form = await self._forms.get(form_id)
        after = await self._with_lead(waiting, form)
        changes = {
            "status": "accepted",
            "customer_id": after.customer_id,
            "confirmation_sent_at": after.confirmation_sent_at,
            "updated_at": self._uow.clock.now(),
        }
        return await self._submissions.save(submission_id, changes)

    async def reject(self, form_id: UUID, submission_id: UUID) -> Submission:
        """Make nothing of what was kept aside. Raises SubmissionNotFound, SubmissionDecided."""
        await self._lock_waiting(form_id, submission_id, to="rejected")
        changes = {"status": "rejected", "updated_at": self._uow.clock.now()}
        return await self._submissions.save(submission_id, changes)

    async def find_confirmable(
        self, submission_id: UUID, *, lock: bool = False
    ) -> Submission | None:
        """What a link asks about; None when there is nothing to confirm, or not any more.

        Of somebody who was erased nothing is asked. With `lock`, they are not before the commit.
        """
        submission = await self._submissions.get(submission_id, lock=lock)
        asked_at = submission.confirmation_sent_at
        if asked_at is None or asked_at < self._uow.clock.now() - CONFIRMABLE_FOR:
            return None
        if submission.customer_id is None:
            return None
        whose = await self._capture.whose(submission.customer_id, lock=lock)
        return submission if whose.erased_at is None else None

    async def confirm(self, submission: Submission, form: LeadForm) -> None:
        """It was they: what they agreed to counts. A second time changes nothing.

        The submission is one that `find_confirmable` has locked.
        """
        if submission.confirmed_at is not None:
            return
        now = self._uow.clock.now()
        await self._capture.confirm(submission, form, at=now)
        await self._submissions.save(submission.id, {"confirmed_at": now, "updated_at": now})

    async def _lock_waiting(
        self, form_id: UUID, submission_id: UUID, *, to: SubmissionStatus
    ) -> Submission:
        found = await self._submissions.get(submission_id, form_id=form_id, lock=True)
        if to not in found.allowed_transitions:
            raise SubmissionDecided(found.status, found.allowed_transitions)
        return found

    async def _with_lead(self, submission: Submission, form: LeadForm) -> Submission:
        customer_id = await self._capture.take(submission, form)
        asked = needs_confirmation(submission, form)
        return replace(
            submission,
            customer_id=customer_id,
            confirmation_sent_at=self._uow.clock.now() if asked else None,
        )

    async def _new(self, form: LeadForm, given: Given) -> Submission:
        now = self._uow.clock.now()
        odd = [] if given.trusted else await self._suspicions(given)
        return Submission(
            id=new_id(),
            form_id=form.id,
            status="suspected" if odd else "accepted",
            suspicions=odd,
            customer_id=given.customer_id,
            intent=given.intent,
            entered=dict(given.entered),
            consents=list(given.consents),
            origin=given.origin.as_row(),
            via=given.via,
            language=given.language,
            source_page=given.source_page,
            client_ip=given.sender.client_ip,
            user_agent=given.sender.user_agent,
            received_at=now,
            updated_at=now,
        )

    async def _suspicions(self, given: Given) -> list[str]:
        address, since = given.sender.client_ip, self._uow.clock.now() - COUNTED_FOR
        counted = await self._submissions.count_from(address, since=since) if address else 0
        claims = identities_of(given.entered, region=self._shop.country)
        kinds = [held.identifier.kind for held in await self._identities.holders(claims)]
        return list(
            suspicions(
                given.entered,
                honeypot=given.honeypot,
                open_for=given.open_for,
                from_address=counted,
                same_contact=max(Counter(kinds).values(), default=0),
            )
        )

    async def _agreed(
        self, form: LeadForm, ticked: Ticked, language: Language
    ) -> dict[str, Any] | None:
        text = await self._forms.find_text(
            form.id, purpose=ticked.purpose, channel=ticked.channel, version=ticked.text_version
        )
        if text is None:
            return None
        return {
            "purpose": ticked.purpose,
            "channel": ticked.channel,
            "text_version": ticked.text_version,
            "language": language_shown(text.text, language),
            "wording": in_language(text.text, language),
        }


def missing_consents(form: LeadForm, ticked: Sequence[Ticked]) -> list[tuple[str, str]]:
    """Purpose and channel of what the form cannot be sent without and was not agreed to."""
    given = {(each.purpose, each.channel) for each in ticked}
    needed = [(c["purpose"], c["channel"]) for c in form.consents if c["required"]]
    return [each for each in needed if each not in given]
