"""Checking API keys on every request, without a query on every request."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from ipaddress import ip_network
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import Row

from gateway.access.client_address import Network, parse_address
from gateway.access.identity import Identity
from gateway.access.opaque import OpaqueToken, opaque_address, secret_matches, split_opaque
from gateway.access.rate_limit import RateLimit
from gateway.api_keys.errors import AddressNotAllowed
from gateway.api_keys.repository import ApiKeyRepository
from gateway.api_keys.schemas import ApiKeyKind
from gateway.api_keys.usage import KeyUsage
from gateway.cache import TimedCache
from shared.clock import Clock
from shared.db.unit_of_work import UnitsOfWork
from shared.errors import Unauthenticated
from shared.ids import TenantId
from shared.security.principal import PrincipalKind

PREFIXES: Final[Mapping[ApiKeyKind, str]] = {
    ApiKeyKind.SECRET: "cl",
    ApiKeyKind.PUBLISHABLE: "clpk",
}
STARTS: Final = tuple(f"{prefix}_" for prefix in PREFIXES.values())


class Strangers(Protocol):
    """Refuses those who tried too many keys."""

    def check_stranger(self, address: str) -> None:
        """Raises RateLimited."""
        ...


@dataclass(frozen=True, slots=True)
class _Credential:
    key_id: UUID
    digest: bytes
    previous_digest: bytes | None
    previous_until: datetime | None
    expires_at: datetime | None
    networks: tuple[Network, ...]
    identity: Identity


class Keyring:
    """Whom API keys belong to.

    What changes about a key is felt within the cache's few seconds; a new secret is good at once.
    """

    def __init__(
        self,
        *,
        units: UnitsOfWork,
        clock: Clock,
        cache_seconds: float,
        usage: KeyUsage,
        strangers: Strangers,
    ) -> None:
        self._units = units
        self._clock = clock
        self._usage = usage
        self._strangers = strangers
        self._known: TimedCache[str, _Credential | None] = TimedCache(
            clock=clock, seconds=cache_seconds
        )

    async def identify(self, text: str, address: str) -> Identity:
        """Whom a key belongs to.

        Raises Unauthenticated when it is unknown, revoked or expired, AddressNotAllowed when it may
        not be used from `address`, and RateLimited, before anything is looked up, when it is new
        here and comes from where too many were not true.
        """
        prefix = text.partition("_")[0]
        parts = split_opaque(text, prefix=prefix)
        if parts is None:
            raise Unauthenticated("The API key is not valid")
        place, secret = parts
        known, load = f"{prefix}_{place}", partial(self._find, text, prefix)
        if known not in self._known:
            self._strangers.check_stranger(address)
        credential = await self._known.get(known, load)
        now = self._clock.now()
        if credential is not None and not _is_secret_of(credential, secret, now):
            # The key may have been given this secret a moment ago, elsewhere.
            credential = await self._known.renew(known, load)
        if credential is None or not _is_secret_of(credential, secret, now):
            raise Unauthenticated("The API key is not valid")
        if credential.expires_at is not None and credential.expires_at <= now:
            raise Unauthenticated("The API key has expired")
        if credential.networks and not _is_within(address, credential.networks):
            raise AddressNotAllowed
        self._usage.note(credential.identity.tenant_id, credential.key_id, address, now)
        return credential.identity

    async def check_alive(self, tenant_id: TenantId, key_id: UUID) -> None:
        """Raises Unauthenticated when a secret key was revoked or has expired."""
        prefix = PREFIXES[ApiKeyKind.SECRET]
        place = f"{prefix}_{opaque_address(tenant_id, key_id)}"
        credential = await self._known.get(place, lambda: self._load(tenant_id, key_id, prefix))
        if credential is None:
            raise Unauthenticated("The API key that this token was made with is revoked")
        if credential.expires_at is not None and credential.expires_at <= self._clock.now():
            raise Unauthenticated("The API key that this token was made with has expired")

    def forget(self, tenant_id: TenantId, key_id: UUID) -> None:
        """Something about a key changed here: look it up anew."""
        place = opaque_address(tenant_id, key_id)
        for start in STARTS:
            self._known.forget(f"{start}{place}")

    async def _find(self, text: str, prefix: str) -> _Credential | None:
        token = OpaqueToken.parse(text, prefix=prefix)
        return await self._load(token.tenant_id, token.id, prefix) if token else None

    async def _load(self, tenant_id: TenantId, key_id: UUID, prefix: str) -> _Credential | None:
        async with self._units.begin(tenant_id) as uow:
            row = await ApiKeyRepository(uow).find_credential(key_id)
        if row is None or PREFIXES[ApiKeyKind(row.kind)] != prefix:
            return None
        return _Credential(
            key_id=key_id,
            digest=row.digest,
            previous_digest=row.previous_digest,
            previous_until=row.previous_until,
            expires_at=row.expires_at,
            networks=tuple(ip_network(text) for text in row.allowed_ips),
            identity=_identity(tenant_id, key_id, row),
        )


def _identity(tenant_id: TenantId, key_id: UUID, row: Row[*tuple[Any, ...]]) -> Identity:
    return Identity(
        tenant_id,
        PrincipalKind.API_KEY,
        str(key_id),
        frozenset(row.scopes),
        is_published=row.kind == ApiKeyKind.PUBLISHABLE,
        origins=frozenset(row.allowed_origins),
        rate_limit=RateLimit(**row.rate_limit) if row.rate_limit else None,
    )


def _is_secret_of(credential: _Credential, secret: str, now: datetime) -> bool:
    if secret_matches(secret, credential.digest):
        return True
    until, previous = credential.previous_until, credential.previous_digest
    return (
        previous is not None
        and until is not None
        and now < until
        and secret_matches(secret, previous)
    )


def _is_within(address: str, networks: tuple[Network, ...]) -> bool:
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in networks)
