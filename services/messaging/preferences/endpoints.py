"""`/v1/suppressions`: addresses that must not be written to."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.messaging.deps import SuppressionServiceDep
from services.messaging.preferences.repository import SuppressionReason
from services.messaging.preferences.schemas import SuppressionCreate, SuppressionRead
from shared.db.paging import PageRequest
from shared.pii import PII_READ
from shared.web.resources import Page, page_request
from shared.web.routing import PrincipalDep, requires, service_router

router = service_router(prefix="/v1/suppressions", tag="suppressions")


@router.get("", operation_id="suppressions.list", dependencies=[requires("suppressions:read")])
async def list_suppressions(
    service: SuppressionServiceDep,
    paging: Annotated[PageRequest, Depends(page_request)],
    principal: PrincipalDep,
    address: Annotated[
        str | None, Query(max_length=254, description="Needs `pii:read`: only who may see it asks")
    ] = None,
    reason: SuppressionReason | None = None,
) -> Page[SuppressionRead]:
    """Suppressed addresses, newest first."""
    if address is not None:
        principal.require([PII_READ])
    found, cursor = await service.list_page(paging, address=address, reason=reason)
    return Page(data=[SuppressionRead.of(each) for each in found], next_cursor=cursor)


@router.post(
    "",
    status_code=201,
    operation_id="suppressions.create",
    dependencies=[requires("suppressions:write")],
)
async def create_suppression(
    body: SuppressionCreate, service: SuppressionServiceDep, principal: PrincipalDep
) -> SuppressionRead:
    """Stop writing to an address, at once.

    When it is suppressed for the same reason already, that suppression is returned.
    """
    source = f"{principal.kind.value}:{principal.actor_id}"
    return SuppressionRead.of(await service.add(body, source=source))


@router.delete(
    "/{suppression_id}",
    status_code=204,
    operation_id="suppressions.delete",
    dependencies=[requires("suppressions:write")],
)
async def delete_suppression(suppression_id: UUID, service: SuppressionServiceDep) -> None:
    """Lift a suppression. Only do so when the person has asked for it: consent is still needed."""
    await service.lift(suppression_id)
