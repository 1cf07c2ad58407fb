"""Who is asking: minted and signed by the gateway, the only thing that services trust."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import jwt

from shared.clock import Clock
from shared.errors import Forbidden, Unauthenticated
from shared.ids import TenantId
from shared.security.keys import derive_key

PRINCIPAL_HEADER = "x-careloop-principal"
NO_TENANT = TenantId(UUID(int=0))


class PrincipalKind(StrEnum):
    """What kind of caller a principal is."""

    STAFF = "staff"
    API_KEY = "api_key"
    SHOPPER = "shopper"
    PUBLIC = "public"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Principal:
    """One caller in one tenant. A shopper also carries the customer it is."""

    tenant_id: TenantId
    kind: PrincipalKind
    actor_id: str
    scopes: frozenset[str]
    request_id: str
    customer_id: UUID | None = None

    def require(self, scopes: Iterable[str]) -> None:
        """Raises Forbidden unless every one of `scopes` was granted."""
        missing = [scope for scope in scopes if scope not in self.scopes]
        if missing:
            raise Forbidden(
                f"This needs the scope {', '.join(missing)}",
                extensions={"missing_scopes": missing},
            )


class PrincipalTokens:
    """Mints and verifies principal tokens (JWT, HS256, about a minute of life)."""

    _ALGORITHM = "HS256"
    _LIFE = timedelta(seconds=60)

    def __init__(self, *, root_key: str, clock: Clock) -> None:
        self._key = derive_key(root_key, "principal-token")
        self._clock = clock

    def mint(self, principal: Principal) -> str:
        """A signed token that carries the principal to one upstream request."""
        claims: dict[str, object] = {
            "exp": int((self._clock.now() + self._LIFE).timestamp()),
            "tid": principal.tenant_id.hex,
            "knd": principal.kind.value,
            "sub": principal.actor_id,
            "scp": " ".join(principal.scopes),
            "rid": principal.request_id,
        }
        if principal.customer_id is not None:
            claims["cid"] = principal.customer_id.hex
        return jwt.encode(claims, self._key, algorithm=self._ALGORITHM)

    def verify(self, token: str | None) -> Principal:
        """The principal of a token. Raises Unauthenticated when absent, forged or expired."""
        if not token:
            raise Unauthenticated("Requests reach this service through the gateway only")
        try:
            # The expiry is for our own clock to judge.
            claims = jwt.decode(
                token, self._key, algorithms=[self._ALGORITHM], options={"verify_exp": False}
            )
            if claims["exp"] <= self._clock.now().timestamp():
                raise Unauthenticated("The principal token has expired")
            return _principal(claims)
        except (jwt.InvalidTokenError, KeyError, ValueError) as error:
            raise Unauthenticated("The principal token is not valid") from error


def _principal(claims: dict[str, Any]) -> Principal:
    customer = claims.get("cid")
    return Principal(
        tenant_id=TenantId(UUID(claims["tid"])),
        kind=PrincipalKind(claims["knd"]),
        actor_id=claims["sub"],
        scopes=frozenset(claims["scp"].split()),
        request_id=claims["rid"],
        customer_id=UUID(customer) if customer else None,
    )
