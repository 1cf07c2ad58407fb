"""Unforgeable tokens for links that a person opens without logging in (surveys, unsubscribe)."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from shared.errors import NotFound
from shared.ids import TenantId
from shared.security.keys import RootKey, derive_keys

_TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """What a link points at: one object of one tenant."""

    tenant_id: TenantId
    subject_id: UUID


class LinkTokens:
    """Tokens of one purpose: tenant and subject, authenticated with HMAC-SHA256 cut to 128 bits."""

    def __init__(self, *, root_key: RootKey, purpose: str) -> None:
        # Links stay in people's mailboxes for months: an older key still tells that they are ours.
        self._keys = derive_keys(root_key, f"link:{purpose}")

    def mint(self, target: LinkTarget) -> str:
        """64 URL-safe characters; with one key the same target always gives the same token."""
        body = target.tenant_id.bytes + target.subject_id.bytes
        return base64.urlsafe_b64encode(body + _tag(self._keys[0], body)).decode().rstrip("=")

    def verify(self, token: str) -> LinkTarget:
        """The target again. Raises NotFound for anything that this installation did not mint."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except ValueError as error:
            raise NotFound("This link is not valid") from error
        body, tag = raw[:32], raw[32:]
        minted = [hmac.compare_digest(tag, _tag(key, body)) for key in self._keys]
        if len(raw) != 32 + _TAG_BYTES or not any(minted):
            raise NotFound("This link is not valid")
        return LinkTarget(TenantId(UUID(bytes=body[:16])), UUID(bytes=body[16:]))


def _tag(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, hashlib.sha256)[:_TAG_BYTES]


def claimed_tenant(token: str) -> TenantId:
    """The tenant that a token claims, not verified: enough to choose where to verify it.

    Raises NotFound when the text cannot be a token.
    """
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        return TenantId(UUID(bytes=raw[:16]))
    except ValueError as error:
        raise NotFound("This link is not valid") from error
