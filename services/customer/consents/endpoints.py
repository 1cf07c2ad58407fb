"""`/v1/customers/{id}/consents`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, status

from services.customer.consents.deps import ConsentServiceDep
from services.customer.consents.schemas import ConsentCreate, ConsentPage, ConsentRecordRead
from services.customer.customers.schemas import ConsentRead
from shared.db.paging import PageRequest
from shared.moments import Instant
from shared.web.resources import page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/customers/{customer_id}/consents", tag="customers")


@router.get("", operation_id="customers.listConsents", dependencies=[requires("customers:read")])
async def list_consents(
    customer_id: UUID,
    consents: ConsentServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    as_of: Instant | None = None,
    known_at: Instant | None = None,
) -> ConsentPage:
    """List what a customer ever agreed to or took back, with its proof, and what counts now.

    `as_of` asks what counted at that moment, and lists what had been said until then; `known_at`
    leaves out what was recorded later. A withdrawal wins over a yes of the same moment.
    """
    found = await consents.list_of(customer_id, request, as_of=as_of, known_at=known_at)
    return ConsentPage(
        data=[ConsentRecordRead.model_validate(row._mapping) for row in found.rows],
        next_cursor=found.next_cursor,
        current=[ConsentRead.model_validate(consent) for consent in found.current],
    )


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="customers.recordConsent",
    dependencies=[requires("customers:write")],
)
async def record_consent(
    customer_id: UUID, body: ConsentCreate, consents: ConsentServiceDep
) -> ConsentRecordRead:
    """Record that a customer agreed to something, or took it back; other services obey at once.

    A yes needs proof; advertising, profiling and sharing need it as a consent. An answer older than
    the current one is kept in the ledger and changes nothing.
    """
    return ConsentRecordRead.model_validate(await consents.record(customer_id, body))
