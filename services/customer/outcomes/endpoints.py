"""`/v1/outcomes`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.outcomes.deps import OutcomeServiceDep
from services.customer.outcomes.schemas import (
    OutcomeCreate,
    OutcomeList,
    OutcomePatch,
    OutcomeRead,
)
from shared.web.resources import etag, if_match
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/outcomes", tag="outcomes")

_READ = requires("outcomes:read")
_WRITE = requires("outcomes:write")


@router.get("", operation_id="outcomes.list", dependencies=[_READ])
async def list_outcomes(outcomes: OutcomeServiceDep) -> OutcomeList:
    """List the words that the shop has for what came of something, the oldest first."""
    return OutcomeList(data=await outcomes.list_all())


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="outcomes.create",
    dependencies=[_WRITE],
)
async def create_outcome(
    body: OutcomeCreate, response: Response, outcomes: OutcomeServiceDep
) -> OutcomeRead:
    """Define a word for what came of an interaction, a task, an appointment.

    As soon as there is one for a kind, only the shop's own are accepted there: `outcome` of an
    interaction, `result_code` of a task or an appointment. What was written before stays.
    """
    made = await outcomes.create(body)
    response.headers["location"] = f"/v1/outcomes/{made.id}"
    response.headers["etag"] = etag(made.version)
    return made


@router.get("/{outcome_id}", operation_id="outcomes.get", dependencies=[_READ])
async def get_outcome(
    outcome_id: UUID, response: Response, outcomes: OutcomeServiceDep
) -> OutcomeRead:
    """Get an outcome."""
    found = await outcomes.get(outcome_id)
    response.headers["etag"] = etag(found.version)
    return found


@router.patch("/{outcome_id}", operation_id="outcomes.update", dependencies=[_WRITE])
async def update_outcome(
    outcome_id: UUID,
    body: OutcomePatch,
    response: Response,
    outcomes: OutcomeServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> OutcomeRead:
    """Change an outcome, or have nothing new have it: `active` is false then."""
    changed = await outcomes.change(outcome_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(changed.version)
    return changed


@router.delete(
    "/{outcome_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="outcomes.delete",
    dependencies=[_WRITE],
)
async def delete_outcome(
    outcome_id: UUID,
    outcomes: OutcomeServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> None:
    """Delete an outcome. What has its word keeps it, and is counted by it."""
    await outcomes.remove(outcome_id, expected_version=expected_version)
