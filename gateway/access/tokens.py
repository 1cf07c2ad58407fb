"""The short-lived tokens of staff and shoppers (JWT, HS256): signatures verified without a query.

A shopper's token names the API key that it was made with and ends with it. One of staff names a
session, and what it is good for right now is the session's to say.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import jwt

from gateway.access.identity import Identity
from gateway.access.scopes import LOYALTY_OWN, PRIVACY_OWN, REVIEWS_OWN, TICKETS_OWN
from shared.clock import Clock
from shared.errors import Unauthenticated
from shared.ids import TenantId
from shared.security.keys import RootKey, derive_keys
from shared.security.principal import PrincipalKind
from shared.security.signed import ALGORITHM, signed_claims

_ISSUER: Final = "careloop"
_STAFF: Final = "staff"
_SHOPPER: Final = "shopper"
_CHALLENGE: Final = "login-challenge"
_MOST_KEPT: Final = 4096
_REQUIRED: Final = ["exp", "iss", "aud", "sub", "tid"]


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token, how long it is good, and when it ends."""

    text: str
    seconds: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionClaim:
    """The session that a token of staff belongs to."""

    tenant_id: TenantId
    staff_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class LoginChallenge:
    """Somebody who knows the password of a member, as they were then, and owes a code."""

    tenant_id: TenantId
    staff_id: UUID
    staff_version: int


@dataclass(frozen=True, slots=True)
class ShopperClaim:
    """A customer of a shop, on the word of the API key that the token was made with."""

    identity: Identity
    key_id: UUID


Claim = Identity | SessionClaim | ShopperClaim


class AccessTokens:
    """Issues and verifies access tokens of staff and shoppers."""

    def __init__(self, *, root_key: RootKey, clock: Clock) -> None:
        self._keys = derive_keys(root_key, "access-token")
        self._clock = clock
        self._verified: dict[str, tuple[Claim, float]] = {}

    def for_staff(self, claim: SessionClaim, *, life: timedelta) -> IssuedToken:
        """A token that acts in a session of a member of staff."""
        claims = {"aud": _STAFF, "sub": str(claim.staff_id), "sid": claim.session_id.hex}
        return self._issue(claim.tenant_id, claims, life)

    def for_challenge(self, challenge: LoginChallenge, *, life: timedelta) -> IssuedToken:
        """A token that proves a right password, and opens nothing without a code."""
        subject, version = str(challenge.staff_id), str(challenge.staff_version)
        claims = {"aud": _CHALLENGE, "sub": subject, "ver": version}
        return self._issue(challenge.tenant_id, claims, life)

    def for_shopper(
        self,
        tenant_id: TenantId,
        customer_id: UUID,
        *,
        life: timedelta,
        key_id: UUID | None = None,
    ) -> IssuedToken:
        """A token that acts as a customer of the shop, for as long as the key lives."""
        claims = {"aud": _SHOPPER, "sub": str(customer_id)}
        if key_id is not None:
            claims["key"] = key_id.hex
        return self._issue(tenant_id, claims, life)

    def read(self, text: str) -> Claim:
        """Whom a token acts as, or in which session. Raises Unauthenticated: forged, expired."""
        claim, expires = self._verified.get(text) or self._read(text)
        self._check_not_expired(expires)
        return claim

    def read_challenge(self, text: str) -> LoginChallenge:
        """Who owes a code. Raises Unauthenticated when forged or expired."""
        claims = self._claims(text, _CHALLENGE)
        self._check_not_expired(float(claims["exp"]))
        tenant_id = TenantId(UUID(claims["tid"]))
        return LoginChallenge(tenant_id, UUID(claims["sub"]), int(claims["ver"]))

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

    def _check_not_expired(self, expires: float) -> None:
        if expires <= self._clock.now().timestamp():
            raise Unauthenticated("The access token has expired")

    def _read(self, text: str) -> tuple[Claim, float]:
        """Verify a token; the next time it comes, its signature is known to be right."""
        claims = self._claims(text, _STAFF, _SHOPPER)
        read = (_claim(claims), float(claims["exp"]))
        if len(self._verified) >= _MOST_KEPT:
            self._verified.clear()
        self._verified[text] = read
        return read

    def _claims(self, text: str, *audience: str) -> dict[str, Any]:
        try:
            return signed_claims(
                text,
                self._keys,
                audience=audience,
                issuer=_ISSUER,
                # Compared on each use, with the injected clock.
                options={"require": _REQUIRED, "verify_exp": False},
            )
        except jwt.InvalidTokenError as error:
            raise Unauthenticated("The access token is not valid") from error


def _claim(claims: dict[str, Any]) -> Claim:
    tenant_id = TenantId(UUID(claims["tid"]))
    subject = UUID(claims["sub"])
    if claims["aud"] == _SHOPPER:
        scopes = frozenset({TICKETS_OWN, LOYALTY_OWN, REVIEWS_OWN, PRIVACY_OWN})
        shopper = Identity(tenant_id, PrincipalKind.SHOPPER, str(subject), scopes, subject)
        return ShopperClaim(shopper, UUID(claims["key"])) if "key" in claims else shopper
    if "sid" not in claims:
        raise Unauthenticated("The access token is of an older kind: log in again")
    return SessionClaim(tenant_id, subject, UUID(claims["sid"]))
