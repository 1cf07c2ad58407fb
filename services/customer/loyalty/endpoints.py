"""`/v1/loyalty`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status

from services.customer.loyalty.deps import AccountServiceDep, ProgrammeServiceDep
from services.customer.loyalty.schemas import (
    AccountRead,
    AdjustmentCreate,
    EntryRead,
    EventCreate,
    EventRead,
    ProgrammePut,
    ProgrammeRead,
    RedemptionCreate,
    RedemptionRead,
    RuleCreate,
    RuleList,
    RulePatch,
    RuleRead,
    TierCreate,
    TierList,
    TierPatch,
    TierRead,
)
from services.customer.loyalty.views import (
    account_view,
    entry_view,
    programme_view,
    redemption_view,
    rule_view,
)
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/loyalty", tag="loyalty")

_KINDS = "earn|mature|reverse|settle|redeem|restore|expire|adjust"
KindList = Annotated[
    str | None,
    Query(
        pattern=f"^({_KINDS})(,({_KINDS})){{0,7}}$",
        description="One or several, with commas between",
        examples=["earn,redeem"],
        alias="kind",
    ),
]
IfMatchDep = Annotated[int | None, Depends(if_match)]
_READ = requires("loyalty:read")
_WRITE = requires("loyalty:write")
_READ_OWN = requires("loyalty:read", shopper="loyalty:own")


@router.get("/programme", operation_id="loyalty.getProgramme", dependencies=[_READ_OWN])
async def get_programme(response: Response, programmes: ProgrammeServiceDep) -> ProgrammeRead:
    """Get the shop's loyalty programme."""
    row = await programmes.get()
    response.headers["etag"] = etag(row.version)
    return programme_view(row)


@router.put("/programme", operation_id="loyalty.putProgramme", dependencies=[_WRITE])
async def put_programme(
    body: ProgrammePut,
    response: Response,
    programmes: ProgrammeServiceDep,
    expected_version: IfMatchDep,
) -> ProgrammeRead:
    """Decide what the programme promises, for the first time or from now on.

    What was earned before keeps its days and what it was earned by.
    """
    row = await programmes.put(body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return programme_view(row)


@router.get("/rules", operation_id="loyalty.listRules", dependencies=[_READ])
async def list_rules(programmes: ProgrammeServiceDep) -> RuleList:
    """List the earning rules. All that hold for an order count."""
    return RuleList(data=[rule_view(row) for row in await programmes.rules()])


@router.post(
    "/rules",
    status_code=status.HTTP_201_CREATED,
    operation_id="loyalty.createRule",
    dependencies=[_WRITE],
)
async def create_rule(
    body: RuleCreate, response: Response, programmes: ProgrammeServiceDep
) -> RuleRead:
    """Create an earning rule: for money spent, or for something that happens."""
    row = await programmes.add_rule(body)
    response.headers["location"] = f"/v1/loyalty/rules/{row.id}"
    response.headers["etag"] = etag(row.version)
    return rule_view(row)


@router.get("/rules/{rule_id}", operation_id="loyalty.getRule", dependencies=[_READ])
async def get_rule(rule_id: UUID, response: Response, programmes: ProgrammeServiceDep) -> RuleRead:
    """Get an earning rule."""
    row = await programmes.rule(rule_id)
    response.headers["etag"] = etag(row.version)
    return rule_view(row)


@router.patch("/rules/{rule_id}", operation_id="loyalty.updateRule", dependencies=[_WRITE])
async def update_rule(
    rule_id: UUID,
    body: RulePatch,
    response: Response,
    programmes: ProgrammeServiceDep,
    expected_version: IfMatchDep,
) -> RuleRead:
    """Change an earning rule, or have it earn nothing any more."""
    row = await programmes.change_rule(rule_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return rule_view(row)


@router.get("/tiers", operation_id="loyalty.listTiers", dependencies=[_READ_OWN])
async def list_tiers(programmes: ProgrammeServiceDep) -> TierList:
    """List the tiers, the lowest first."""
    return TierList(data=[TierRead.model_validate(r._mapping) for r in await programmes.tiers()])


@router.post(
    "/tiers",
    status_code=status.HTTP_201_CREATED,
    operation_id="loyalty.createTier",
    dependencies=[_WRITE],
)
async def create_tier(
    body: TierCreate, response: Response, programmes: ProgrammeServiceDep
) -> TierRead:
    """Create a tier. Customers reach it with their next order, or with the next night."""
    row = await programmes.add_tier(body)
    response.headers["etag"] = etag(row.version)
    return TierRead.model_validate(row._mapping)


@router.patch("/tiers/{tier_id}", operation_id="loyalty.updateTier", dependencies=[_WRITE])
async def update_tier(
    tier_id: UUID,
    body: TierPatch,
    response: Response,
    programmes: ProgrammeServiceDep,
    expected_version: IfMatchDep,
) -> TierRead:
    """Change a tier's name, or what it multiplies points by from now on."""
    row = await programmes.change_tier(tier_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return TierRead.model_validate(row._mapping)


@router.delete(
    "/tiers/{tier_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="loyalty.deleteTier",
    dependencies=[_WRITE],
)
async def delete_tier(tier_id: UUID, programmes: ProgrammeServiceDep) -> None:
    """Have no such tier any more; who has it falls to the one they reach."""
    await programmes.remove_tier(tier_id)


@router.get("/accounts/{customer_id}", operation_id="loyalty.getAccount", dependencies=[_READ_OWN])
async def get_account(customer_id: UUID, accounts: AccountServiceDep) -> AccountRead:
    """Get what a customer has, all records of the person together. A shopper has their own."""
    return account_view(await accounts.account(customer_id))


@router.get(
    "/accounts/{customer_id}/entries",
    operation_id="loyalty.listEntries",
    dependencies=[_READ_OWN],
)
async def list_entries(
    customer_id: UUID,
    accounts: AccountServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    kinds: KindList = None,
) -> Page[EntryRead]:
    """List every movement of a customer's points, newest first. A shopper has their own.

    The balance is their sum: what was credited to an account minus what was debited.
    """
    wanted = frozenset(kinds.split(",")) if kinds else frozenset()
    rows, cursor = await accounts.statement(customer_id, wanted, request)
    return Page(data=[entry_view(row) for row in rows], next_cursor=cursor)


@router.post(
    "/redemptions",
    status_code=status.HTTP_201_CREATED,
    operation_id="loyalty.redeem",
    dependencies=[requires("redemptions:write")],
)
async def redeem(
    body: RedemptionCreate, response: Response, accounts: AccountServiceDep
) -> RedemptionRead:
    """Spend points, those that expire first first. `409 insufficient_points` takes nothing."""
    redemption = await accounts.redeem(body)
    response.headers["location"] = f"/v1/loyalty/redemptions/{redemption.columns['id']}"
    return redemption_view(redemption)


@router.get(
    "/redemptions/{redemption_id}", operation_id="loyalty.getRedemption", dependencies=[_READ_OWN]
)
async def get_redemption(redemption_id: UUID, accounts: AccountServiceDep) -> RedemptionRead:
    """Get a redemption."""
    return redemption_view(await accounts.redemption(redemption_id))


@router.post(
    "/redemptions/{redemption_id}/cancel",
    operation_id="loyalty.cancelRedemption",
    dependencies=[requires("redemptions:write")],
)
async def cancel_redemption(redemption_id: UUID, accounts: AccountServiceDep) -> RedemptionRead:
    """Give the points back to the lots they came from. Done twice, it is done once."""
    return redemption_view(await accounts.cancel(redemption_id))


@router.post(
    "/adjustments",
    status_code=status.HTTP_201_CREATED,
    operation_id="loyalty.adjust",
    dependencies=[_WRITE],
)
async def adjust(body: AdjustmentCreate, accounts: AccountServiceDep) -> AccountRead:
    """Give points by hand, or take them; never more than there are to spend."""
    return account_view(await accounts.adjust(body))


@router.post(
    "/events",
    status_code=status.HTTP_201_CREATED,
    operation_id="loyalty.recordEvent",
    dependencies=[_WRITE],
)
async def record_event(body: EventCreate, accounts: AccountServiceDep) -> EventRead:
    """Tell of something that earns points; each `reference` earns once.

    Told of somebody else, it earns nothing: `points` is 0.
    """
    lots = await accounts.earn(body)
    return EventRead(
        customer_id=body.customer_id,
        event=body.event,
        reference=body.reference,
        points=sum(lot.points for lot in lots),
        available_at=max((lot.available_at for lot in lots), default=None),
    )
