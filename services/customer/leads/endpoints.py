"""`/v1/leads`, and what `/v1/lead-forms/{id}` was sent."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Query, Response, status

from services.customer.lead_forms.deps import LeadFormServiceDep
from services.customer.lead_forms.record import Intent, in_language
from services.customer.leads.deps import LeadIntakeDep, LeadServiceDep
from services.customer.leads.errors import SubmissionNotValid
from services.customer.leads.intake import Given, Ticked, missing_consents
from services.customer.leads.repository import LeadFilter
from services.customer.leads.schemas import (
    LeadCreate,
    LeadPatch,
    LeadRead,
    LeadReport,
    SubmissionCreate,
    SubmissionRead,
    SubmissionReceipt,
)
from services.customer.leads.submission import Sender, SubmissionStatus
from shared.db.paging import PageRequest
from shared.errors import FieldError
from shared.moments import Instant
from shared.text import NormalisedStr
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import PrincipalDep, requires, service_router

router = service_router(prefix="/v1", tag="leads")

_TRUSTED = "leads:write"
PagingDep = Annotated[PageRequest, Depends(page_request)]
UserAgent = Annotated[str | None, Header(include_in_schema=False)]
_FAULTS = {
    "required": "This is needed",
    "contact": "Give an email or a phone",
    "unknown_field": "The form has no such field",
    "email": "Not an e-mail address",
    "phone": "Not a phone number that can be dialled",
    "date": "Not a day: write 2026-02-28",
    "number": "Not a number",
    "choice": "None of the options",
    "too_long": "Too long",
}


async def lead_filter(
    intent: Intent | None = None,
    form_id: UUID | None = None,
    source: Annotated[NormalisedStr | None, Query(examples=["zalo"])] = None,
    owner_id: Annotated[UUID | None, Query(description="Of this member of staff")] = None,
    converted: Annotated[bool | None, Query(description="Only those who bought, or not")] = None,
    captured_from: Annotated[Instant | None, Query(alias="captured_at[gte]")] = None,
    captured_until: Annotated[Instant | None, Query(alias="captured_at[lt]")] = None,
) -> LeadFilter:
    """The filters of the list; all that are given must hold."""
    return LeadFilter(
        intent=intent,
        form_id=form_id,
        source=source,
        owner_id=owner_id,
        converted=converted,
        captured_from=captured_from,
        captured_until=captured_until,
    )


FilterDep = Annotated[LeadFilter, Depends(lead_filter)]


@router.post(
    "/lead-forms/{form_id}/submissions",
    status_code=status.HTTP_201_CREATED,
    operation_id="leadForms.submit",
    dependencies=[requires("lead_submissions:write")],
    responses={200: {"model": SubmissionReceipt, "description": "The same was sent a moment ago"}},
)
async def submit_lead_form(
    form_id: UUID,
    body: SubmissionCreate,
    response: Response,
    forms: LeadFormServiceDep,
    intake: LeadIntakeDep,
    principal: PrincipalDep,
    user_agent: UserAgent = None,
) -> SubmissionReceipt:
    """Send what somebody entered into a form. A publishable key may do this and nothing else.

    It makes a lead of them, or is kept aside when it looks as if no person had sent it; the answer
    is the same. Callers with `leads:write` are believed.
    """
    trusted = _TRUSTED in principal.scopes
    if body.customer_id is not None:
        principal.require([_TRUSTED])
    form = await forms.get(form_id)
    entered = intake.read(form, body.entered)
    ticked = [Ticked(c.purpose, c.channel, c.text_version) for c in body.consents]
    agreed = await intake.agreed(form, ticked, body.language)
    faults = [
        FieldError(f"/body/entered/{name}", code, _FAULTS[code])
        for name, code in entered.faults.items()
    ]
    if body.intent is not None and body.intent not in form.intents:
        faults.append(FieldError("/body/intent", "not_offered", "The form does not offer it"))
    faults += _consent_faults(agreed, missing=bool(missing_consents(form, ticked)))
    if faults:
        raise SubmissionNotValid(faults)
    origin = body.attribution.origin()
    submission, is_new = await intake.take(
        form,
        Given(
            entered=entered.values,
            intent=body.intent or form.default_intent,
            consents=[each for each in agreed if each is not None],
            origin=origin,
            via="api",
            language=body.language,
            source_page=body.source_page or origin.landing_page,
            sender=Sender(principal.client_ip or None, (user_agent or "")[:500] or None),
            honeypot=body.honeypot,
            trusted=trusted,
            customer_id=body.customer_id,
        ),
    )
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return SubmissionReceipt(
        id=submission.id,
        form_id=form.id,
        received_at=submission.received_at,
        thank_you=in_language(form.thank_you, body.language),
        redirect_url=form.redirect_url,
    )


@router.get(
    "/lead-forms/{form_id}/submissions",
    operation_id="leadForms.listSubmissions",
    dependencies=[requires("lead_submissions:read")],
)
async def list_submissions(
    form_id: UUID,
    intake: LeadIntakeDep,
    request: PagingDep,
    wanted: Annotated[SubmissionStatus | None, Query(alias="status")] = None,
) -> Page[SubmissionRead]:
    """List what a form was sent, newest first; `status=suspected` is what waits for a decision."""
    found, cursor = await intake.page(form_id, wanted, request)
    return Page(data=[SubmissionRead.of(each) for each in found], next_cursor=cursor)


@router.get(
    "/lead-forms/{form_id}/submissions/{submission_id}",
    operation_id="leadForms.getSubmission",
    dependencies=[requires("lead_submissions:read")],
)
async def get_submission(
    form_id: UUID, submission_id: UUID, intake: LeadIntakeDep
) -> SubmissionRead:
    """Get what was sent, as it was sent."""
    return SubmissionRead.of(await intake.get(form_id, submission_id))


@router.post(
    "/lead-forms/{form_id}/submissions/{submission_id}/accept",
    operation_id="leadForms.acceptSubmission",
    dependencies=[requires("leads:write")],
)
async def accept_submission(
    form_id: UUID, submission_id: UUID, intake: LeadIntakeDep
) -> SubmissionRead:
    """Make a lead of what was kept aside. Its consents count from when it was sent."""
    return SubmissionRead.of(await intake.accept(form_id, submission_id))


@router.post(
    "/lead-forms/{form_id}/submissions/{submission_id}/reject",
    operation_id="leadForms.rejectSubmission",
    dependencies=[requires("leads:write")],
)
async def reject_submission(
    form_id: UUID, submission_id: UUID, intake: LeadIntakeDep
) -> SubmissionRead:
    """Make nothing of what was kept aside; it stays in the list as rejected."""
    return SubmissionRead.of(await intake.reject(form_id, submission_id))


@router.get("/leads", operation_id="leads.list", dependencies=[requires("leads:read")])
async def list_leads(
    leads: LeadServiceDep, wanted: FilterDep, request: PagingDep
) -> Page[LeadRead]:
    """List leads, captured last first.

    Staff who see their own work see the leads they own and those whom nobody owns; staff who see
    their teams' work also those of their teammates.
    """
    rows, cursor = await leads.page(wanted, request)
    return Page(data=[LeadRead.of(row) for row in rows], next_cursor=cursor)


@router.post(
    "/leads",
    status_code=status.HTTP_201_CREATED,
    operation_id="leads.create",
    dependencies=[requires("leads:write")],
)
async def create_lead(body: LeadCreate, response: Response, leads: LeadServiceDep) -> LeadRead:
    """Note what a customer wants who has not bought yet and came without a form."""
    row = await leads.create(body)
    response.headers["location"] = f"/v1/leads/{row.id}"
    response.headers["etag"] = etag(row.version)
    return LeadRead.of(row)


@router.get("/leads/report", operation_id="leads.report", dependencies=[requires("leads:read")])
async def report_leads(leads: LeadServiceDep, wanted: FilterDep) -> LeadReport:
    """How many leads each form and source brought, and how many of them have paid an order.

    The period is that of the capture: `captured_at[gte]`, `captured_at[lt]`.
    """
    return LeadReport.of(*await leads.count(wanted))


@router.get("/leads/{lead_id}", operation_id="leads.get", dependencies=[requires("leads:read")])
async def get_lead(lead_id: UUID, response: Response, leads: LeadServiceDep) -> LeadRead:
    """Get a lead."""
    row = await leads.get(lead_id)
    response.headers["etag"] = etag(row.version)
    return LeadRead.of(row)


@router.patch(
    "/leads/{lead_id}", operation_id="leads.update", dependencies=[requires("leads:write")]
)
async def update_lead(
    lead_id: UUID,
    body: LeadPatch,
    response: Response,
    leads: LeadServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> LeadRead:
    """Change what a lead wants."""
    row = await leads.change(lead_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return LeadRead.of(row)


def _consent_faults(agreed: list[dict[str, Any] | None], *, missing: bool) -> list[FieldError]:
    detail = "The form never had this text_version"
    faults = [
        FieldError(f"/body/consents/{place}/text_version", "unknown_text_version", detail)
        for place, each in enumerate(agreed)
        if each is None
    ]
    if missing:
        faults.append(FieldError("/body/consents", "required", "A consent that is needed lacks"))
    return faults
