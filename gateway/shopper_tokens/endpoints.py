"""Tokens by which the shop's own customers act."""

from datetime import timedelta
from uuid import UUID

from fastapi import Response

from gateway.deps import AccessTokensDep
from gateway.shopper_tokens.errors import NotAKey
from gateway.shopper_tokens.schemas import ShopperTokenCreate, ShopperTokenRead
from shared.security.principal import PrincipalKind
from shared.web.resources import TELLS_A_SECRET
from shared.web.routing import PrincipalDep, requires, service_router

router = service_router(prefix="/v1/shopper-tokens", tag="shopper-tokens")


@router.post(
    "",
    status_code=201,
    operation_id="shopperTokens.create",
    dependencies=[requires("shopper_tokens:write")],
)
async def create_shopper_token(
    body: ShopperTokenCreate,
    principal: PrincipalDep,
    tokens: AccessTokensDep,
    response: Response,
) -> ShopperTokenRead:
    """Mint a short token for a customer who is logged in at the shop.

    The shop's backend asks for it and hands it to the customer's browser, which can then open and
    read that customer's own tickets and do nothing else. Tokens cannot be taken back one by one:
    keep `ttl` short. All that an API key has made end within 5 seconds when the key is revoked,
    so they are minted with an API key: staff are answered with 403, `api_key_required`.
    """
    if principal.kind is not PrincipalKind.API_KEY:
        raise NotAKey
    life = timedelta(seconds=body.ttl)
    response.headers.update(TELLS_A_SECRET)
    issued = tokens.for_shopper(
        principal.tenant_id,
        body.customer_id,
        life=life,
        key_id=UUID(principal.actor_id),
    )
    return ShopperTokenRead(
        token=issued.text,
        customer_id=body.customer_id,
        expires_in=issued.seconds,
        expires_at=issued.expires_at,
    )
