"""Who is asking: minted and signed by the gateway, the only thing that services trust."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import jwt

from shared.clock import Clock
from shared.errors import Forbidden, Unauthenticated
from shared.ids import TenantId
from shared.security.keys import RootKey, derive_keys
from shared.security.signed import ALGORITHM, signed_claims

PRINCIPAL_HEADER = "x-careloop-principal"
NO_TENANT = TenantId(UUID(int=0))


class PrincipalKind(StrEnum):
    """What kind of caller a principal is."""

    STAFF = "staff"
    API_KEY = "api_key"
    SHOPPER = "shopper"
    PUBLIC = "public"
    SYSTEM = "system"


class Visibility(StrEnum):
    """Whose tickets, tasks and customers a caller sees."""

    ALL = "all"
    TEAM = "team"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Principal:
    """One caller in one tenant, for one request.

    A shopper also carries the customer it is; staff the teams it belongs to, and whose work it
    sees. `client_ip` is where the request came from, empty when nobody can tell.
    """

    tenant_id: TenantId
    kind: PrincipalKind
    actor_id: str
    scopes: frozenset[str]
    request_id: str
    customer_id: UUID | None = None
    visibility: Visibility = Visibility.ALL
    team_ids: frozenset[UUID] = frozenset()
    client_ip: str = ""

    def require(self, scopes: Iterable[str]) -> None:
        """Raises Forbidden unless every one of `scopes` was granted."""
        missing = [scope for scope in scopes if scope not in self.scopes]
        if missing:
            raise Forbidden(
                f"This needs the scope {', '.join(missing)}",
                extensions={"missing_scopes": missing},
            )


_Identity = tuple[
    TenantId, PrincipalKind, str, frozenset[str], UUID | None, Visibility, frozenset[UUID]
]


class PrincipalTokens:
    """Mints and verifies principal tokens: `<identity>~<request id>~<client address>~<seal>`.

    The identity is a JWT (HS256) that lives for about a minute and is made once for the requests
    of some seconds; the seal (HMAC-SHA256) binds it to one request. So a caller of many requests
    costs a JWT now and then, and each request two short hashes.
    """

    _LIFE = timedelta(seconds=60)
    _REUSED_FOR = timedelta(seconds=20)
    _MOST_KEPT = 4096

    def __init__(self, *, root_key: RootKey, clock: Clock) -> None:
        self._keys = derive_keys(root_key, "principal-token")
        self._seal_keys = derive_keys(root_key, "principal-seal")
        self._clock = clock
        self._minted: dict[_Identity, tuple[str, datetime]] = {}
        self._verified: dict[str, tuple[_Identity, float]] = {}

    def mint(self, principal: Principal) -> str:
        """A signed token that carries the principal to one upstream request."""
        identity = self._identity_token(_identity_of(principal))
        sealed = f"{identity}~{principal.request_id}~{principal.client_ip}"
        return f"{sealed}~{_seal(self._seal_keys[0], sealed)}"

    def verify(self, token: str | None) -> Principal:
        """The principal of a token. Raises Unauthenticated when absent, forged or expired."""
        if not token:
            raise Unauthenticated("Requests reach this service through the gateway only")
        sealed, _, seal = token.rpartition("~")
        given = seal.encode()
        if not any(hmac.compare_digest(_seal(k, sealed).encode(), given) for k in self._seal_keys):
            raise Unauthenticated("The principal token is not valid")
        identity_token, request_id, client_ip = sealed.split("~")
        identity, expires = self._verified.get(identity_token) or self._read(identity_token)
        if expires <= self._clock.now().timestamp():
            raise Unauthenticated("The principal token has expired")
        tenant_id, kind, actor_id, scopes, customer_id, visibility, team_ids = identity
        return Principal(
            tenant_id,
            kind,
            actor_id,
            scopes,
            request_id,
            customer_id,
            visibility,
            team_ids,
            client_ip,
        )

    def _identity_token(self, identity: _Identity) -> str:
        now = self._clock.now()
        known = self._minted.get(identity)
        if known is not None and known[1] > now:
            return known[0]
        tenant_id, kind, actor_id, scopes, customer_id, visibility, team_ids = identity
        claims: dict[str, object] = {
            "exp": int((now + self._LIFE).timestamp()),
            "tid": tenant_id.hex,
            "knd": kind.value,
            "sub": actor_id,
            "scp": " ".join(sorted(scopes)),
        }
        if customer_id is not None:
            claims["cid"] = customer_id.hex
        if visibility is not Visibility.ALL:
            claims["vis"] = visibility.value
        if team_ids:
            claims["tms"] = sorted(team.hex for team in team_ids)
        token = jwt.encode(claims, self._keys[0], algorithm=ALGORITHM)
        _make_room(self._minted, self._MOST_KEPT)
        self._minted[identity] = (token, now + self._REUSED_FOR)
        return token

    def _read(self, identity_token: str) -> tuple[_Identity, float]:
        try:
            # The expiry is for our own clock to judge.
            claims = signed_claims(identity_token, self._keys, options={"verify_exp": False})
            read = (_identity(claims), float(claims["exp"]))
        except (jwt.InvalidTokenError, KeyError, ValueError) as error:
            raise Unauthenticated("The principal token is not valid") from error
        _make_room(self._verified, self._MOST_KEPT)
        self._verified[identity_token] = read
        return read


def _seal(key: bytes, sealed: str) -> str:
    return hmac.digest(key, sealed.encode(), "sha256").hex()


def _identity_of(principal: Principal) -> _Identity:
    return (
        principal.tenant_id,
        principal.kind,
        principal.actor_id,
        principal.scopes,
        principal.customer_id,
        principal.visibility,
        principal.team_ids,
    )


def _identity(claims: dict[str, Any]) -> _Identity:
    customer = claims.get("cid")
    return (
        TenantId(UUID(claims["tid"])),
        PrincipalKind(claims["knd"]),
        claims["sub"],
        frozenset(claims["scp"].split()),
        UUID(customer) if customer else None,
        Visibility(claims.get("vis", Visibility.ALL)),
        frozenset(UUID(team) for team in claims.get("tms", ())),
    )


def _make_room(kept: dict[Any, Any], most: int) -> None:
    """Start over when a cache is full: what is needed comes back at once."""
    if len(kept) >= most:
        kept.clear()
