"""The short-lived tokens of staff and shoppers (JWT, HS256): verified without a query."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import jwt

from gateway.access.identity import Identity
from gateway.access.scopes import ROLE_SCOPES, TICKETS_OWN, Role
from shared.clock import Clock
from shared.errors import Unauthenticated
from shared.ids import TenantId
from shared.security.keys import RootKey, derive_keys
from shared.security.principal import PrincipalKind
from shared.security.signed import ALGORITHM, signed_claims

_ISSUER: Final = "careloop"
_STAFF: Final = "staff"
_SHOPPER: Final = "shopper"
_MOST_KEPT: Final = 4096
_REQUIRED: Final = ["exp", "iss", "aud", "sub", "tid"]


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token, how long it is good, and when it ends."""

    text: str
    seconds: int
    expires_at: datetime


class AccessTokens:
    """Issues and verifies access tokens of staff and shoppers."""

    def __init__(self, *, root_key: RootKey, clock: Clock) -> None:
        self._keys = derive_keys(root_key, "access-token")
        self._clock = clock
        self._verified: dict[str, tuple[Identity, float]] = {}

    def for_staff(
        self, tenant_id: TenantId, staff_id: UUID, *, role: Role, life: timedelta
    ) -> IssuedToken:
        """A token that acts as a member of staff."""
        claims = {"aud": _STAFF, "sub": str(staff_id), "rol": role.value}
        return self._issue(tenant_id, claims, life)

    def for_shopper(
        self, tenant_id: TenantId, customer_id: UUID, *, life: timedelta
    ) -> IssuedToken:
        """A token that acts as a customer of the shop."""
        return self._issue(tenant_id, {"aud": _SHOPPER, "sub": str(customer_id)}, life)

    def identify(self, text: str) -> Identity:
        """Whom a token acts as. Raises Unauthenticated when forged or expired."""
        identity, expires = self._verified.get(text) or self._read(text)
        if expires <= self._clock.now().timestamp():
            raise Unauthenticated("The access token has expired")
        return identity

    def _issue(self, tenant_id: TenantId, claims: dict[str, str], life: timedelta) -> IssuedToken:
        expires_at = (self._clock.now() + life).replace(microsecond=0)
        body: dict[str, object] = {
            **claims,
            "iss": _ISSUER,
            "tid": tenant_id.hex,
            "exp": int(expires_at.timestamp()),
        }
        text = jwt.encode(body, self._keys[0], algorithm=ALGORITHM)
        return IssuedToken(text, int(life.total_seconds()), expires_at)

    def _read(self, text: str) -> tuple[Identity, float]:
        """Verify a token; the next time it comes, its signature is known to be right."""
        claims = self._claims(text)
        read = (_identity(claims), float(claims["exp"]))
        if len(self._verified) >= _MOST_KEPT:
            self._verified.clear()
        self._verified[text] = read
        return read

    def _claims(self, text: str) -> dict[str, Any]:
        try:
            return signed_claims(
                text,
                self._keys,
                audience=[_STAFF, _SHOPPER],
                issuer=_ISSUER,
                # Compared on each use, with the injected clock.
                options={"require": _REQUIRED, "verify_exp": False},
            )
        except jwt.InvalidTokenError as error:
            raise Unauthenticated("The access token is not valid") from error


def _identity(claims: dict[str, Any]) -> Identity:
    tenant_id = TenantId(UUID(claims["tid"]))
    subject: str = claims["sub"]
    if claims["aud"] == _STAFF:
        scopes = ROLE_SCOPES[Role(claims["rol"])]
        return Identity(tenant_id, PrincipalKind.STAFF, subject, scopes)
    scopes = frozenset({TICKETS_OWN})
    return Identity(tenant_id, PrincipalKind.SHOPPER, subject, scopes, UUID(subject))
