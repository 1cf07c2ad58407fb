"""Checking API keys on every request, without a query on every request."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.access.identity import Identity
from gateway.access.opaque import OpaqueToken, opaque_address, secret_matches, split_opaque
from gateway.api_keys.repository import ApiKeyRepository
from gateway.cache import TimedCache
from shared.clock import Clock
from shared.db.unit_of_work import UnitsOfWork
from shared.errors import Unauthenticated
from shared.ids import TenantId
from shared.security.principal import PrincipalKind

PREFIX = "cl"


@dataclass(frozen=True, slots=True)
class _Credential:
    digest: bytes
    expires_at: datetime | None
    identity: Identity


class Keyring:
    """Whom API keys belong to. A revoked key is refused within the cache's few seconds."""

    def __init__(self, *, units: UnitsOfWork, clock: Clock, cache_seconds: float) -> None:
        self._units = units
        self._clock = clock
        self._known: TimedCache[str, _Credential | None] = TimedCache(
            clock=clock, seconds=cache_seconds
        )

    async def identify(self, text: str) -> Identity:
        """Whom a key belongs to. Raises Unauthenticated when unknown, revoked or expired."""
        parts = split_opaque(text, prefix=PREFIX)
        if parts is None:
            raise Unauthenticated("The API key is not valid")
        address, secret = parts
        credential = await self._known.get(address, lambda: self._load(text))
        if credential is None or not secret_matches(secret, credential.digest):
            raise Unauthenticated("The API key is not valid")
        if credential.expires_at is not None and credential.expires_at <= self._clock.now():
            raise Unauthenticated("The API key has expired")
        return credential.identity

    def forget(self, tenant_id: TenantId, key_id: UUID) -> None:
        """A key was revoked here: refuse it from now on."""
        self._known.forget(opaque_address(tenant_id, key_id))

    async def _load(self, text: str) -> _Credential | None:
        token = OpaqueToken.parse(text, prefix=PREFIX)
        if token is None:
            return None
        async with self._units.begin(token.tenant_id) as uow:
            row = await ApiKeyRepository(uow).find_credential(token.id)
        if row is None:
            return None
        scopes = frozenset(row.scopes)
        identity = Identity(token.tenant_id, PrincipalKind.API_KEY, str(token.id), scopes)
        return _Credential(row.digest, row.expires_at, identity)
