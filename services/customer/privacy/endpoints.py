"""`/v1/privacy-requests`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.privacy.collecting import tables_of
from services.customer.privacy.deps import PrivacyServiceDep, ReceiptsDep, ReceiptSignerDep
from services.customer.privacy.erasing import PARTS
from services.customer.privacy.repository import RequestFilter
from services.customer.privacy.requests import Request
from services.customer.privacy.schemas import (
    CompletionCreate,
    ErasureReceiptBody,
    ErasureReceiptRead,
    IdentityCheckCreate,
    PreviewPart,
    PreviewTable,
    PrivacyPreviewRead,
    PrivacyRequestCreate,
    PrivacyRequestRead,
    ReasonCreate,
    ReceiptVerificationCreate,
    ReceiptVerificationRead,
)
from services.customer.privacy.views import request_view
from shared.contracts.privacy import PrivacyRequestKind, PrivacyRequestStatus
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, page_request
from shared.web.routing import UnitOfWorkDep, requires, service_router

router = service_router(prefix="/v1", tag="privacy")
_READ = requires("privacy:read")
_WRITE = requires("privacy:write")
_READ_OWN = requires("privacy:read", shopper="privacy:own")
_WRITE_OWN = requires("privacy:write", shopper="privacy:own")


def _shown(row: Request, response: Response, uow: UnitOfWorkDep) -> PrivacyRequestRead:
    response.headers["etag"] = etag(row.version)
    return request_view(row, uow.clock.now())


async def request_filter(
    status: PrivacyRequestStatus | None = None,
    kind: PrivacyRequestKind | None = None,
    overdue: bool | None = None,  # noqa: FBT001  (a query parameter)
) -> RequestFilter:
    """The filters of the list; all that are given must hold."""
    return RequestFilter(status=status, kind=kind, overdue=overdue)


@router.get("/privacy-requests", operation_id="privacyRequests.list", dependencies=[_READ_OWN])
async def list_privacy_requests(
    requests: PrivacyServiceDep,
    uow: UnitOfWorkDep,
    wanted: Annotated[RequestFilter, Depends(request_filter)],
    request: Annotated[PageRequest, Depends(page_request)],
    customer_id: UUID | None = None,
) -> Page[PrivacyRequestRead]:
    """List requests, newest first; with `overdue`, those whose time has run out, longest first.

    A shopper has their own.
    """
    rows, cursor = await requests.page(customer_id, wanted, request)
    now = uow.clock.now()
    return Page(data=[request_view(row, now) for row in rows], next_cursor=cursor)


@router.post(
    "/privacy-requests",
    status_code=status.HTTP_201_CREATED,
    operation_id="privacyRequests.create",
    dependencies=[_WRITE_OWN],
)
async def create_privacy_request(
    body: PrivacyRequestCreate,
    response: Response,
    requests: PrivacyServiceDep,
    uow: UnitOfWorkDep,
) -> PrivacyRequestRead:
    """Record what somebody asks for by law; it has its due dates at once.

    Restrictions, objections and withdrawals are obeyed with it, in every service. A shopper asks
    for themselves, and is known by their token.
    """
    row = await requests.create(body)
    response.headers["location"] = f"/v1/privacy-requests/{row.id}"
    return _shown(row, response, uow)


@router.get(
    "/privacy-requests/{request_id}",
    operation_id="privacyRequests.get",
    dependencies=[_READ_OWN],
)
async def get_privacy_request(
    request_id: UUID, response: Response, requests: PrivacyServiceDep, uow: UnitOfWorkDep
) -> PrivacyRequestRead:
    """Get a request."""
    return _shown(await requests.get(request_id), response, uow)


@router.post(
    "/privacy-requests/{request_id}/identity-check",
    operation_id="privacyRequests.checkIdentity",
    dependencies=[_WRITE],
)
async def check_identity(
    request_id: UUID,
    body: IdentityCheckCreate,
    response: Response,
    requests: PrivacyServiceDep,
    uow: UnitOfWorkDep,
) -> PrivacyRequestRead:
    """Record how it was made sure that it is the person who asks."""
    return _shown(await requests.check_identity(request_id, body), response, uow)


@router.post(
    "/privacy-requests/{request_id}/acknowledgement",
    operation_id="privacyRequests.acknowledge",
    dependencies=[_WRITE],
)
async def acknowledge_request(
    request_id: UUID, response: Response, requests: PrivacyServiceDep, uow: UnitOfWorkDep
) -> PrivacyRequestRead:
    """Record that the person was told of the receipt and of what follows."""
    return _shown(await requests.acknowledge(request_id), response, uow)


@router.post(
    "/privacy-requests/{request_id}/extension",
    operation_id="privacyRequests.extend",
    dependencies=[_WRITE],
)
async def extend_request(
    request_id: UUID,
    body: ReasonCreate,
    response: Response,
    requests: PrivacyServiceDep,
    uow: UnitOfWorkDep,
) -> PrivacyRequestRead:
    """Put the answer off as far as the law lets, once, with the reason that the person is told."""
    return _shown(await requests.extend(request_id, body.reason), response, uow)


@router.post(
    "/privacy-requests/{request_id}/execution",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="privacyRequests.execute",
    dependencies=[_WRITE],
)
async def execute_request(
    request_id: UUID, response: Response, requests: PrivacyServiceDep, uow: UnitOfWorkDep
) -> PrivacyRequestRead:
    """Do what was asked for in every service: collect the person's data, or erase them.

    An access or portability request has a job, whose file is there once every service has told its
    share. An erasure cannot be undone; it ends with a receipt. It is refused while a legal hold is
    in force, and before the person's identity was checked.
    """
    row = await requests.execute(request_id)
    if row.job_id is not None:
        response.headers["location"] = f"/v1/jobs/{row.job_id}"
    return _shown(row, response, uow)


@router.post(
    "/privacy-requests/{request_id}/files",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="privacyRequests.makeFile",
    dependencies=[_WRITE],
)
async def make_file(
    request_id: UUID, response: Response, requests: PrivacyServiceDep, uow: UnitOfWorkDep
) -> PrivacyRequestRead:
    """Have the file of an access or portability request made anew.

    A file is kept for seven days; nobody has fetched it by then, or it was lost. The request keeps
    its due date and what has happened with it, and `files` tells of each. The new one has what is
    known by now; `Location` is its job. While a file is there, or is being made, it is refused.
    """
    row = await requests.make_file(request_id)
    response.headers["location"] = f"/v1/jobs/{row.job_id}"
    return _shown(row, response, uow)


@router.post(
    "/privacy-requests/{request_id}/completion",
    operation_id="privacyRequests.complete",
    dependencies=[_WRITE],
)
async def complete_request(
    request_id: UUID,
    body: CompletionCreate,
    response: Response,
    requests: PrivacyServiceDep,
    uow: UnitOfWorkDep,
) -> PrivacyRequestRead:
    """End a request: what was asked for was corrected by hand, or the file was handed over."""
    return _shown(await requests.complete(request_id, body.outcome), response, uow)


@router.post(
    "/privacy-requests/{request_id}/refusal",
    operation_id="privacyRequests.refuse",
    dependencies=[_WRITE],
)
async def refuse_request(
    request_id: UUID,
    body: ReasonCreate,
    response: Response,
    requests: PrivacyServiceDep,
    uow: UnitOfWorkDep,
) -> PrivacyRequestRead:
    """End a request with a no; the law wants its reason."""
    return _shown(await requests.refuse(request_id, body.reason), response, uow)


@router.post(
    "/privacy-requests/{request_id}/cancellation",
    operation_id="privacyRequests.cancel",
    dependencies=[_WRITE],
)
async def cancel_request(
    request_id: UUID, response: Response, requests: PrivacyServiceDep, uow: UnitOfWorkDep
) -> PrivacyRequestRead:
    """End a request that the person has taken back."""
    return _shown(await requests.cancel(request_id), response, uow)


@router.post(
    "/privacy-requests/{request_id}/preview",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="privacyRequests.startPreview",
    dependencies=[_WRITE],
)
async def start_preview(
    request_id: UUID, response: Response, requests: PrivacyServiceDep, uow: UnitOfWorkDep
) -> PrivacyRequestRead:
    """Ask every service what it has of the person; the answers come to the preview."""
    return _shown(await requests.start_preview(request_id), response, uow)


@router.get(
    "/privacy-requests/{request_id}/preview",
    operation_id="privacyRequests.getPreview",
    dependencies=[_READ],
)
async def get_preview(request_id: UUID, requests: PrivacyServiceDep) -> PrivacyPreviewRead:
    """Get what an erasure would delete, make anonymous and keep, service by service, and why."""
    found, pieces = await requests.preview(request_id)
    told = tables_of(pieces)
    ready = {piece.part for piece in pieces if piece.last}
    parts = [
        PreviewPart(
            part=part,
            ready=part in ready,
            tables=[PreviewTable.model_validate(table) for table in told.get(part, {}).values()],
        )
        for part in PARTS
    ]
    return PrivacyPreviewRead(
        request_id=found.request_id,
        ready=found.finished_at is not None,
        started_at=found.started_at,
        parts=parts,
    )


@router.get(
    "/privacy-requests/{request_id}/receipt",
    operation_id="privacyRequests.getReceipt",
    dependencies=[_READ],
)
async def get_receipt(
    request_id: UUID,
    requests: PrivacyServiceDep,
    receipts: ReceiptsDep,
    signer: ReceiptSignerDep,
) -> ErasureReceiptRead:
    """Get the signed receipt of an erasure, once every service has confirmed it."""
    row = await receipts.of((await requests.get(request_id)).erasure_id)
    return ErasureReceiptRead(
        receipt=ErasureReceiptBody.model_validate(row.receipt),
        signature=row.signature,
        public_key=signer.public_key,
    )


@router.post(
    "/privacy-requests/receipt-verifications",
    operation_id="privacyRequests.verifyReceipt",
    dependencies=[_READ],
)
async def verify_receipt(
    body: ReceiptVerificationCreate, signer: ReceiptSignerDep
) -> ReceiptVerificationRead:
    """Tell whether a receipt was given out here and has not been changed since."""
    return ReceiptVerificationRead(valid=signer.verify(body.receipt, body.signature))


@router.delete(
    "/customers/{customer_id}/restriction",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="customers.liftRestriction",
    dependencies=[_WRITE],
)
async def lift_restriction(customer_id: UUID, requests: PrivacyServiceDep) -> None:
    """Have a customer's data be used again, after the person was told."""
    await requests.lift_restriction(customer_id)
