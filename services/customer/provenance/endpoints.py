"""`/v1/customers/{customer_id}/provenance` and `/v1/customers/source-priority`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.provenance.deps import ProvenanceServiceDep
from services.customer.provenance.schemas import (
    ProvenanceRead,
    SourcePriorityRead,
    SourcePriorityWrite,
)
from shared.jobs.schemas import JobRead
from shared.web.resources import etag, if_match
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/customers", tag="customers")


@router.get(
    "/source-priority",
    operation_id="customers.getSourcePriority",
    dependencies=[requires("settings:read")],
)
async def get_source_priority(
    response: Response, provenance: ProvenanceServiceDep
) -> SourcePriorityRead:
    """Get whom the shop believes when sources say different things of a customer."""
    priority = await provenance.priority()
    response.headers["etag"] = etag(priority.version)
    return priority


@router.put(
    "/source-priority",
    operation_id="customers.putSourcePriority",
    dependencies=[requires("settings:write")],
)
async def put_source_priority(
    body: SourcePriorityWrite,
    response: Response,
    provenance: ProvenanceServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> SourcePriorityRead:
    """Say whom to believe; of sources that are alike, the one that said it last.

    It counts from the next thing on that anybody says. To decide anew of what was said before,
    start `POST /v1/customers/source-priority/applications`.
    """
    priority = await provenance.decide(body, expected_version=expected_version)
    response.headers["etag"] = etag(priority.version)
    return priority


@router.post(
    "/source-priority/applications",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="customers.applySourcePriority",
    dependencies=[requires("settings:write", "customers:write")],
)
async def apply_source_priority(response: Response, provenance: ProvenanceServiceDep) -> JobRead:
    """Decide anew of every customer of whom sources say different things; `Location` is the job."""
    job = await provenance.apply()
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.get(
    "/{customer_id}/provenance",
    operation_id="customers.getProvenance",
    dependencies=[requires("customers:read")],
)
async def get_provenance(customer_id: UUID, provenance: ProvenanceServiceDep) -> ProvenanceRead:
    """Get who said what each field of a customer is, since when, and what others hold it to be."""
    return await provenance.of(customer_id)
