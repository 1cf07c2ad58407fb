"""`/v1/customers/{id}/consents`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, status

from services.customer.consents.deps import ConsentServiceDep
from services.customer.consents.schemas import ConsentCreate, ConsentPage, ConsentRecordRead
from services.customer.customers.schemas import ConsentRead
from shared.db.paging import PageRequest
from shared.web.resources import page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/customers/{customer_id}/consents", tag="customers")


@router.get("", operation_id="customers.listConsents", dependencies=[requires("customers:read")])
async def list_consents(
    customer_id: UUID,
    consents: ConsentServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
) -> ConsentPage:
    """List what a customer ever agreed to or took back, with its proof, and what counts now."""
    customer, rows, cursor = await consents.list_of(customer_id, request)
    return ConsentPage(
        data=[ConsentRecordRead.model_validate(row._mapping) for row in rows],
        next_cursor=cursor,
        current=[ConsentRead.model_validate(consent) for consent in customer.consents],
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

    An answer older than the current one is kept in the ledger and changes nothing.
    """
    return ConsentRecordRead.model_validate(await consents.record(customer_id, body))
