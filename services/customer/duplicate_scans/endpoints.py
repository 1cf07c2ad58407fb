"""`/v1/duplicates/scans`, and what a shop decides about them."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.duplicate_scans.deps import ScanServiceDep
from services.customer.duplicate_scans.schemas import (
    DuplicatePolicyPut,
    DuplicatePolicyRead,
    DuplicateScanCreate,
    DuplicateScanRead,
)
from shared.db.paging import PageRequest
from shared.jobs.schemas import JobRead
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/duplicates", tag="duplicates")

_READ = requires("duplicates:read")
_WRITE = requires("duplicates:write")


@router.post(
    "/scans",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="duplicates.scan",
    dependencies=[_WRITE],
)
async def start_scan(
    body: DuplicateScanCreate, scans: ScanServiceDep, response: Response
) -> JobRead:
    """Look for duplicates among all customers; `Location` is the job to follow.

    Pairs from `min_score` on become candidates (`GET /v1/duplicates`), with score and reasons.
    Those who were dismissed are not proposed again. One scan at a time: 409 while another runs.
    """
    job = await scans.start(body)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.get("/scans", operation_id="duplicates.listScans", dependencies=[_READ])
async def list_scans(
    scans: ScanServiceDep, request: Annotated[PageRequest, Depends(page_request)]
) -> Page[DuplicateScanRead]:
    """List the scans for duplicates and what they found, newest first."""
    rows, cursor = await scans.page(request)
    data = [DuplicateScanRead.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)


@router.get("/scans/{scan_id}", operation_id="duplicates.getScan", dependencies=[_READ])
async def get_scan(scan_id: UUID, scans: ScanServiceDep) -> DuplicateScanRead:
    """Get a scan for duplicates and what it found."""
    row = await scans.get(scan_id)
    return DuplicateScanRead.model_validate(row._mapping)


@router.get("/policy", operation_id="duplicates.getPolicy", dependencies=[_READ])
async def get_policy(response: Response, scans: ScanServiceDep) -> DuplicatePolicyRead:
    """Get how the shop looks for duplicates by itself."""
    policy = await scans.policy()
    response.headers["etag"] = etag(policy.version)
    return policy


@router.put("/policy", operation_id="duplicates.putPolicy", dependencies=[_WRITE])
async def put_policy(
    body: DuplicatePolicyPut,
    response: Response,
    scans: ScanServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> DuplicatePolicyRead:
    """Decide whether duplicates are looked for every night, and how sure a scan has to be.

    A scan of the night compares those who were changed since the last one with everybody.
    """
    policy = await scans.decide(body, expected_version=expected_version)
    response.headers["etag"] = etag(policy.version)
    return policy
