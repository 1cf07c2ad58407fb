"""`/v1/sla-policies`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.support_ticket.deps import SlaPolicyServiceDep
from services.support_ticket.sla.schemas import SlaPolicyPut, SlaPolicyRead
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/sla-policies", tag="sla")


@router.get("", operation_id="slaPolicies.list", dependencies=[requires("sla:read")])
async def list_policies(
    policies: SlaPolicyServiceDep, paging: Annotated[PageRequest, Depends(page_request)]
) -> Page[SlaPolicyRead]:
    """What the shop promises per priority: first response and resolution, in business seconds."""
    return await policies.list_page(paging)


@router.get("/{policy_id}", operation_id="slaPolicies.get", dependencies=[requires("sla:read")])
async def get_policy(
    policy_id: UUID, policies: SlaPolicyServiceDep, response: Response
) -> SlaPolicyRead:
    """One policy. Its `ETag` names the version, for a later change."""
    found = await policies.get(policy_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/{policy_id}", operation_id="slaPolicies.replace", dependencies=[requires("sla:write")]
)
async def replace_policy(
    policy_id: UUID,
    wanted: SlaPolicyPut,
    policies: SlaPolicyServiceDep,
    response: Response,
    expected: Annotated[int | None, Depends(if_match)],
) -> SlaPolicyRead:
    """Promise something else from now on.

    Tickets that are open keep the promise they were opened under, until they are reopened.
    """
    replaced = await policies.replace(policy_id, wanted, expected_version=expected)
    response.headers["ETag"] = etag(replaced.version)
    return replaced
