"""`/v1/lead-forms`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status

from services.customer.lead_forms.deps import FormLinksDep, LeadFormServiceDep
from services.customer.lead_forms.links import FormLinks
from services.customer.lead_forms.record import LeadForm
from services.customer.lead_forms.schemas import LeadFormCreate, LeadFormPatch, LeadFormRead
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/lead-forms", tag="lead-forms")

_READ = requires("lead_forms:read")
_WRITE = requires("lead_forms:write")


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="leadForms.create",
    dependencies=[_WRITE],
)
async def create_lead_form(
    body: LeadFormCreate, response: Response, forms: LeadFormServiceDep, links: FormLinksDep
) -> LeadFormRead:
    """Create a form. It is at its `page_url` at once, unless it is not active."""
    form = await forms.create(body)
    response.headers["location"] = f"/v1/lead-forms/{form.id}"
    return _read(form, response, links)


@router.get("", operation_id="leadForms.list", dependencies=[_READ])
async def list_lead_forms(
    forms: LeadFormServiceDep,
    links: FormLinksDep,
    request: Annotated[PageRequest, Depends(page_request)],
    active: Annotated[bool | None, Query(description="Only those that are, or are not")] = None,
) -> Page[LeadFormRead]:
    """List forms, newest first."""
    found, cursor = await forms.page(request, active=active)
    return Page(data=[_model(form, links) for form in found], next_cursor=cursor)


@router.get("/{form_id}", operation_id="leadForms.get", dependencies=[_READ])
async def get_lead_form(
    form_id: UUID, response: Response, forms: LeadFormServiceDep, links: FormLinksDep
) -> LeadFormRead:
    """Get a form."""
    return _read(await forms.get(form_id), response, links)


@router.patch("/{form_id}", operation_id="leadForms.update", dependencies=[_WRITE])
async def update_lead_form(
    form_id: UUID,
    body: LeadFormPatch,
    response: Response,
    forms: LeadFormServiceDep,
    links: FormLinksDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> LeadFormRead:
    """Change a form, or switch it off and on; it is not deleted, for its leads name it.

    A consent whose words change gets a new `text_version`. What people have agreed to before
    stays with the words of then.
    """
    changed = await forms.change(form_id, body, expected_version=expected_version)
    return _read(changed, response, links)


def _read(form: LeadForm, response: Response, links: FormLinks) -> LeadFormRead:
    response.headers["etag"] = etag(form.version)
    return _model(form, links)


def _model(form: LeadForm, links: FormLinks) -> LeadFormRead:
    return LeadFormRead(**form.as_row(), page_url=links.page_url(form.id))
