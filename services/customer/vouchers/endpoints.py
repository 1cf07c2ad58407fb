"""`/v1/vouchers`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Response, status

from services.customer.vouchers.deps import VoucherServiceDep
from services.customer.vouchers.schemas import (
    CodeRead,
    CodesCreate,
    CodesCreated,
    VoucherCreate,
    VoucherPatch,
    VoucherQuote,
    VoucherRead,
    VoucherRedemptionRead,
    VoucherUse,
)
from services.customer.vouchers.views import quote_view, redemption_view, voucher_view
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/vouchers", tag="vouchers")

_READ = requires("vouchers:read")
_WRITE = requires("vouchers:write")
_USE = requires("redemptions:write")
PagingDep = Annotated[PageRequest, Depends(page_request)]


@router.get("", operation_id="vouchers.list", dependencies=[_READ])
async def list_vouchers(vouchers: VoucherServiceDep, request: PagingDep) -> Page[VoucherRead]:
    """List vouchers, newest first."""
    rows, cursor = await vouchers.page(request)
    return Page(data=[voucher_view(row) for row in rows], next_cursor=cursor)


@router.post(
    "", status_code=status.HTTP_201_CREATED, operation_id="vouchers.create", dependencies=[_WRITE]
)
async def create_voucher(
    body: VoucherCreate, response: Response, vouchers: VoucherServiceDep
) -> VoucherRead:
    """Say what is promised; `POST /v1/vouchers/{voucher_id}/codes` makes the codes."""
    row = await vouchers.create(body)
    response.headers["location"] = f"/v1/vouchers/{row.id}"
    response.headers["etag"] = etag(row.version)
    return voucher_view(row)


@router.get(
    "/codes",
    operation_id="vouchers.listCodesOfCustomer",
    dependencies=[requires("vouchers:read", shopper="loyalty:own")],
)
async def list_codes_of_customer(
    vouchers: VoucherServiceDep,
    request: PagingDep,
    customer_id: Annotated[UUID, Query(description="Whose codes; a shopper names themselves")],
) -> Page[CodeRead]:
    """List the codes that a customer was given, all records of the person together."""
    rows, cursor = await vouchers.codes_of_customer(customer_id, request)
    return Page(data=[CodeRead.model_validate(row._mapping) for row in rows], next_cursor=cursor)


@router.get("/codes/{code}", operation_id="vouchers.getCode", dependencies=[_READ])
async def get_code(
    code: Annotated[str, Path(max_length=60)], vouchers: VoucherServiceDep
) -> CodeRead:
    """Look a code up, however it is typed."""
    return CodeRead.model_validate((await vouchers.find_code(code))._mapping)


@router.post("/quotes", operation_id="vouchers.quote", dependencies=[_USE])
async def quote(body: VoucherUse, vouchers: VoucherServiceDep) -> VoucherQuote:
    """Say what a code would be worth on an order. Nothing is used by it."""
    found = await vouchers.quote(body)
    return quote_view(found, await vouchers.get(found.voucher_id))


@router.post(
    "/redemptions",
    status_code=status.HTTP_201_CREATED,
    operation_id="vouchers.redeem",
    dependencies=[_USE],
)
async def redeem_voucher(
    body: VoucherUse, response: Response, vouchers: VoucherServiceDep
) -> VoucherRedemptionRead:
    """Use a code for an order. `409 voucher_refused` tells the `reason` and uses nothing."""
    row = await vouchers.redeem(body)
    response.headers["location"] = f"/v1/vouchers/redemptions/{row.id}"
    return redemption_view(row)


@router.get(
    "/redemptions/{redemption_id}", operation_id="vouchers.getRedemption", dependencies=[_READ]
)
async def get_voucher_redemption(
    redemption_id: UUID, vouchers: VoucherServiceDep
) -> VoucherRedemptionRead:
    """Get the use of a voucher."""
    return redemption_view(await vouchers.redemption(redemption_id))


@router.post(
    "/redemptions/{redemption_id}/cancel",
    operation_id="vouchers.cancelRedemption",
    dependencies=[_USE],
)
async def cancel_voucher_redemption(
    redemption_id: UUID, vouchers: VoucherServiceDep
) -> VoucherRedemptionRead:
    """Have the use not count: the code can be used again. Done twice, it is done once."""
    return redemption_view(await vouchers.cancel(redemption_id))


@router.get("/{voucher_id}", operation_id="vouchers.get", dependencies=[_READ])
async def get_voucher(
    voucher_id: UUID, response: Response, vouchers: VoucherServiceDep
) -> VoucherRead:
    """Get a voucher."""
    row = await vouchers.get(voucher_id)
    response.headers["etag"] = etag(row.version)
    return voucher_view(row)


@router.patch("/{voucher_id}", operation_id="vouchers.update", dependencies=[_WRITE])
async def update_voucher(
    voucher_id: UUID,
    body: VoucherPatch,
    response: Response,
    vouchers: VoucherServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> VoucherRead:
    """Change a voucher's name, time or limit, or have it not be used for now."""
    row = await vouchers.change(voucher_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return voucher_view(row)


@router.post(
    "/{voucher_id}/codes",
    status_code=status.HTTP_201_CREATED,
    operation_id="vouchers.createCodes",
    dependencies=[_WRITE],
)
async def create_codes(
    voucher_id: UUID, body: CodesCreate, vouchers: VoucherServiceDep
) -> CodesCreated:
    """Make codes: a thousand at once, one of your own choice, or one for each of some customers."""
    rows = await vouchers.make_codes(voucher_id, body)
    return CodesCreated(data=[CodeRead.model_validate(row._mapping) for row in rows])


@router.get("/{voucher_id}/codes", operation_id="vouchers.listCodes", dependencies=[_READ])
async def list_codes(
    voucher_id: UUID, vouchers: VoucherServiceDep, request: PagingDep
) -> Page[CodeRead]:
    """List a voucher's codes, newest first."""
    rows, cursor = await vouchers.codes_of_voucher(voucher_id, request)
    return Page(data=[CodeRead.model_validate(row._mapping) for row in rows], next_cursor=cursor)
