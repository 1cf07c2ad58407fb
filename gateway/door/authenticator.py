"""From the `Authorization` header to whom it belongs."""

import hashlib
import hmac
from typing import Final

from gateway.access.identity import Identity
from gateway.access.scopes import TENANTS_WRITE
from gateway.access.tokens import AccessTokens, Claim, SessionClaim, ShopperClaim
from gateway.api_keys.keyring import STARTS, Keyring
from gateway.directory.directory import INSTALLATION
from gateway.sessions.live import LiveSessions
from shared.errors import Unauthenticated
from shared.security.principal import PrincipalKind

_MAX_CREDENTIAL: Final = 4096
_OPERATOR: Final = Identity(
    INSTALLATION, PrincipalKind.SYSTEM, "operator", frozenset({TENANTS_WRITE})
)


class Authenticator:
    """Knows API keys, access tokens of staff and shoppers, and the operator's key."""

    def __init__(
        self,
        *,
        keyring: Keyring,
        tokens: AccessTokens,
        sessions: LiveSessions,
        operator_key: str | None,
    ) -> None:
        self._keyring = keyring
        self._tokens = tokens
        self._sessions = sessions
        self._operator = _sha256(operator_key) if operator_key else None

    async def identify(self, authorization: bytes | None, address: str) -> Identity:
        """Whom a request from `address` comes from. Raises Unauthenticated, AddressNotAllowed."""
        if authorization is None:
            raise Unauthenticated
        scheme, _, credential = authorization.decode("latin-1").partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not 0 < len(credential) <= _MAX_CREDENTIAL:
            raise Unauthenticated("Send Authorization: Bearer <API key or access token>")
        if credential.startswith(STARTS):
            return await self._keyring.identify(credential, address)
        if self._operator and hmac.compare_digest(_sha256(credential), self._operator):
            return _OPERATOR
        return await self._acts_as(self._tokens.read(credential))

    async def _acts_as(self, claim: Claim) -> Identity:
        if isinstance(claim, SessionClaim):
            return await self._sessions.identify(claim)
        if isinstance(claim, ShopperClaim):
            await self._keyring.check_alive(claim.identity.tenant_id, claim.key_id)
            return claim.identity
        return claim


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
