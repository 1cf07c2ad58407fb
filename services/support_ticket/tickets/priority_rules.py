"""`/v1/ticket-rules/priority`: how a shop ranks its tickets."""

from typing import Annotated, Literal

from fastapi import Depends, Response
from pydantic import BaseModel, Field

from services.support_ticket.deps import PriorityRepositoryDep
from services.support_ticket.tickets.priority import PriorityPolicy
from shared.web.resources import check_version, etag, if_match
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/ticket-rules", tag="ticket-rules")


class PriorityRulesRead(BaseModel):
    """The rules by which new and reclassified tickets are ranked."""

    object: Literal["priority_rules"] = "priority_rules"
    policy: PriorityPolicy
    version: int = Field(description="0 while the shop goes by the default rules")


@router.get("/priority", operation_id="priorityRules.get", dependencies=[requires("sla:read")])
async def get_priority_rules(
    priorities: PriorityRepositoryDep, response: Response
) -> PriorityRulesRead:
    """The shop's rules of priority: rules tried in order, then points added up."""
    policy, version = await priorities.current_version()
    response.headers["ETag"] = etag(version)
    return PriorityRulesRead(policy=policy, version=version)


@router.put("/priority", operation_id="priorityRules.replace", dependencies=[requires("sla:write")])
async def replace_priority_rules(
    policy: PriorityPolicy,
    priorities: PriorityRepositoryDep,
    response: Response,
    expected: Annotated[int | None, Depends(if_match)],
) -> PriorityRulesRead:
    """Rank tickets by other rules from now on; tickets that are there keep their priority."""
    _, version = await priorities.current_version(lock=True)
    check_version(version, expected)
    await priorities.replace(policy, version=version + 1)
    response.headers["ETag"] = etag(version + 1)
    return PriorityRulesRead(policy=policy, version=version + 1)
