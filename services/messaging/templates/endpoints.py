"""`/v1/templates`: the words of messages, in Liquid."""

from typing import Annotated

from fastapi import Depends, Response

from services.messaging.deps import TemplateServiceDep
from services.messaging.templates.records import Template, TemplateKey
from services.messaging.templates.schemas import (
    TemplatePreview,
    TemplatePreviewRequest,
    TemplateRead,
    TemplateReplace,
)
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import PrincipalDep, requires, service_router

router = service_router(prefix="/v1/templates", tag="templates")


@router.get("", operation_id="templates.list", dependencies=[requires("templates:read")])
async def list_templates(
    service: TemplateServiceDep, paging: Annotated[PageRequest, Depends(page_request)]
) -> Page[TemplateRead]:
    """The shop's templates by key."""
    templates, cursor = await service.list_page(paging)
    return Page(data=[TemplateRead.of(each) for each in templates], next_cursor=cursor)


@router.get("/{key}", operation_id="templates.get", dependencies=[requires("templates:read")])
async def get_template(
    key: TemplateKey, service: TemplateServiceDep, response: Response
) -> TemplateRead:
    """One template with its contents in every language."""
    return _read(await service.get(key), response)


@router.put("/{key}", operation_id="templates.replace", dependencies=[requires("templates:write")])
async def replace_template(
    key: TemplateKey,
    body: TemplateReplace,
    service: TemplateServiceDep,
    response: Response,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> TemplateRead:
    """Create a template or replace it as a whole. Every part is checked before it is kept.

    Variables: `customer` (name, email, phone, code, stage, value_tier, orders_count), `last_order`
    (number, total, placed_on, status, source), `shop.name`, `unsubscribe_url` (care and
    advertising), and what the sender gives. A variable that is missing when a message is to be
    sent stops that message; write `{{ customer.name | default: "bạn" }}` where it may be.
    """
    template = await service.replace(key, body, expected_version=expected_version)
    return _read(template, response)


@router.post(
    "/{key}/preview", operation_id="templates.preview", dependencies=[requires("templates:read")]
)
async def preview_template(
    key: TemplateKey,
    body: TemplatePreviewRequest,
    service: TemplateServiceDep,
    principal: PrincipalDep,
) -> TemplatePreview:
    """Render a template, or a draft of it, for a customer or for given variables. Sends nothing.

    For a customer it needs `pii:read` and seeing all customers, and the audit log has it as a read.
    A missing variable is 422 `template_variable_missing` and named.
    """
    return TemplatePreview.of(key, await service.preview(key, body, principal=principal))


def _read(template: Template, response: Response) -> TemplateRead:
    response.headers["ETag"] = etag(template.version)
    return TemplateRead.of(template)
