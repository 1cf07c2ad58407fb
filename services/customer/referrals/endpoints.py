"""`/v1/referrals`."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status

from services.customer.referrals.deps import ReferralServiceDep
from services.customer.referrals.schemas import (
    ReferralCodeCreate,
    ReferralCodeRead,
    ReferralCreate,
    ReferralProgrammePut,
    ReferralProgrammeRead,
    ReferralRead,
    ReferralReport,
    ReferralStatus,
)
from shared.db.paging import PageRequest
from shared.moments import Instant
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/referrals", tag="referrals")

_READ = requires("referrals:read")


@router.get("/programme", operation_id="referrals.getProgramme", dependencies=[_READ])
async def get_referral_programme(
    response: Response, referrals: ReferralServiceDep
) -> ReferralProgrammeRead:
    """Get what the shop gives for a friend."""
    row = await referrals.programme()
    response.headers["etag"] = etag(row.version)
    return ReferralProgrammeRead.model_validate(row._mapping)


@router.put(
    "/programme",
    operation_id="referrals.putProgramme",
    dependencies=[requires("loyalty:write")],
)
async def put_referral_programme(
    body: ReferralProgrammePut,
    response: Response,
    referrals: ReferralServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> ReferralProgrammeRead:
    """Decide what is given for a friend, for the first time or from now on.

    Points need a loyalty programme that is active; until then friends stay pending.
    """
    row = await referrals.put_programme(body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return ReferralProgrammeRead.model_validate(row._mapping)


@router.post(
    "/codes",
    operation_id="referrals.ensureCode",
    dependencies=[requires("referrals:write", shopper="loyalty:own")],
)
async def ensure_referral_code(
    body: ReferralCodeCreate, referrals: ReferralServiceDep
) -> ReferralCodeRead:
    """Get the code that a customer gives to friends; made once, when they have none."""
    return ReferralCodeRead.model_validate((await referrals.code_of(body.customer_id))._mapping)


@router.get("/report", operation_id="referrals.report", dependencies=[requires("referrals:read")])
async def report_referrals(
    referrals: ReferralServiceDep,
    from_: Annotated[Instant, Query(alias="from", examples=["2027-03-01T00:00:00+07:00"])],
    to: Annotated[Instant, Query(examples=["2027-04-01T00:00:00+07:00"])],
) -> ReferralReport:
    """Say how many came by referral: of those who ordered first, and by how many customers.

    Both are referral rates: of first orders, and of customers (customers who referred divided by
    customers). It is of the whole shop, and for those who see all customers.
    """
    figures = await referrals.figures(from_, to)
    return ReferralReport(
        **asdict(figures),
        from_=from_,
        to=to,
        referral_rate=_rate(figures.rewarded, figures.first_orders),
        referrer_rate=_rate(figures.referrers, figures.customers),
    )


@router.get("", operation_id="referrals.list", dependencies=[_READ])
async def list_referrals(
    referrals: ReferralServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    status: ReferralStatus | None = None,
    referrer_id: UUID | None = None,
) -> Page[ReferralRead]:
    """List referrals, newest first; of a referrer, all records of the person together."""
    rows, cursor = await referrals.page(status, referrer_id, request)
    data = [ReferralRead.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="referrals.create",
    dependencies=[requires("referrals:write")],
)
async def create_referral(
    body: ReferralCreate, response: Response, referrals: ReferralServiceDep
) -> ReferralRead:
    """Tell that a friend came with somebody's code; their first paid order rewards both, once.

    `409 referral_refused` tells the `reason`: `same_person` (one person's records, or one phone
    number or address), `ring`, `already_referred`, `not_new` (they have ordered before).
    """
    row = await referrals.register(body)
    response.headers["location"] = f"/v1/referrals/{row.id}"
    return ReferralRead.model_validate(row._mapping)


@router.get("/{referral_id}", operation_id="referrals.get", dependencies=[_READ])
async def get_referral(referral_id: UUID, referrals: ReferralServiceDep) -> ReferralRead:
    """Get a referral."""
    return ReferralRead.model_validate((await referrals.get(referral_id))._mapping)


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
