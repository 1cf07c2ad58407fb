"""The token in a form's page: when it was opened, and that it was we who showed it."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from shared.ids import TenantId
from shared.security.keys import RootKey, derive_keys

OPEN_FOR_AT_MOST: Final = timedelta(hours=24)
_TIME_BYTES: Final = 8
_TAG_BYTES: Final = 16


class FormTokens:
    """Tokens of one tenant's pages, authenticated with HMAC-SHA256 cut to 128 bits."""

    def __init__(self, *, root_key: RootKey, tenant_id: TenantId) -> None:
        self._keys = derive_keys(root_key, "lead-form-opened")
        self._tenant_id = tenant_id

    def mint(self, form_id: UUID, at: datetime) -> str:
        """The token of a page that is opened now."""
        body = int(at.timestamp() * 1000).to_bytes(_TIME_BYTES, "big")
        tag = self._tag(self._keys[0], form_id, body)
        return base64.urlsafe_b64encode(body + tag).decode().rstrip("=")

    def age(self, token: str, form_id: UUID, now: datetime) -> timedelta | None:
        """How long the page has been open; None when it was not ours, or too long ago."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return None
        body, tag = raw[:_TIME_BYTES], raw[_TIME_BYTES:]
        tags = [self._tag(key, form_id, body) for key in self._keys]
        if len(raw) != _TIME_BYTES + _TAG_BYTES or not _any_equal(tag, tags):
            return None
        age = now - datetime.fromtimestamp(int.from_bytes(body, "big") / 1000, tz=now.tzinfo)
        return age if age <= OPEN_FOR_AT_MOST else None

    def _tag(self, key: bytes, form_id: UUID, body: bytes) -> bytes:
        said = self._tenant_id.bytes + form_id.bytes + body
        return hmac.digest(key, said, hashlib.sha256)[:_TAG_BYTES]


def _any_equal(tag: bytes, tags: list[bytes]) -> bool:
    return any(hmac.compare_digest(tag, each) for each in tags)
