"""`/v1/automations`: what is sent by itself."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.messaging.automations.records import Automation
from services.messaging.automations.schemas import (
    AutomationAudit,
    AutomationCreate,
    AutomationPatch,
    AutomationRead,
)
from services.messaging.deps import AutomationServiceDep
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/automations", tag="automations")
_READ = [requires("automations:read")]
_WRITE = [requires("automations:write")]


@router.post("", status_code=201, operation_id="automations.create", dependencies=_WRITE)
async def create_automation(
    body: AutomationCreate, service: AutomationServiceDep, response: Response
) -> AutomationRead:
    """Have a message sent to every customer who enters a segment from now on.

    Each customer gets it once, or at every entry. Consent, suppressions and frequency caps are
    checked when it is about to be sent.
    """
    created = await service.create(body)
    response.headers["Location"] = f"/v1/automations/{created.id}"
    return _read(created, response)


@router.get("", operation_id="automations.list", dependencies=_READ)
async def list_automations(
    service: AutomationServiceDep, paging: Annotated[PageRequest, Depends(page_request)]
) -> Page[AutomationRead]:
    """All automations, oldest first."""
    automations, cursor = await service.list_page(paging)
    return Page(data=[AutomationRead.of(each) for each in automations], next_cursor=cursor)


@router.get("/{automation_id}", operation_id="automations.get", dependencies=_READ)
async def get_automation(
    automation_id: UUID, service: AutomationServiceDep, response: Response
) -> AutomationRead:
    """One automation. Its messages: `GET /v1/messages?origin=automation&origin_id=...`."""
    return _read(await service.get(automation_id), response)


@router.patch("/{automation_id}", operation_id="automations.update", dependencies=_WRITE)
async def update_automation(
    automation_id: UUID,
    body: AutomationPatch,
    service: AutomationServiceDep,
    response: Response,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> AutomationRead:
    """Change an automation. Messages that it has planned already stay as they are."""
    changed = await service.change(automation_id, body, expected_version=expected_version)
    return _read(changed, response)


@router.post("/{automation_id}/pause", operation_id="automations.pause", dependencies=_WRITE)
async def pause_automation(
    automation_id: UUID, service: AutomationServiceDep, response: Response
) -> AutomationRead:
    """Stop an automation; what it has planned and not sent is held back.

    Customers who enter the segment meanwhile are passed over.
    """
    return _read(await service.pause(automation_id), response)


@router.post("/{automation_id}/resume", operation_id="automations.resume", dependencies=_WRITE)
async def resume_automation(
    automation_id: UUID, service: AutomationServiceDep, response: Response
) -> AutomationRead:
    """Start an automation again; what was held back is sent."""
    return _read(await service.resume(automation_id), response)


@router.get("/{automation_id}/audit", operation_id="automations.audit", dependencies=_READ)
async def audit_automation(automation_id: UUID, service: AutomationServiceDep) -> AutomationAudit:
    """What became of every message that an automation planned; it always adds up.

    Who did not get it and why: `GET /v1/messages?origin_id={automation_id}&status=suppressed`.
    """
    return await service.audit(automation_id)


def _read(automation: Automation, response: Response) -> AutomationRead:
    response.headers["ETag"] = etag(automation.version)
    return AutomationRead.of(automation)
