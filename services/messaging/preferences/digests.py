"""Addresses of people who were erased: known again when they come, and not readable."""

import hashlib
import hmac
from typing import Final

from shared.ids import TenantId
from shared.security.keys import RootKey, derive_keys

_PREFIX: Final = "erased:"


class AddressDigests:
    """Keyed digests of addresses as suppressions compare them."""

    def __init__(self, root: RootKey) -> None:
        self._keys = derive_keys(root, "erased-address")

    def of(self, tenant_id: TenantId, key: str) -> str:
        """What stands for an address from now on."""
        return self.all_of(tenant_id, key)[0]

    def all_of(self, tenant_id: TenantId, key: str) -> list[str]:
        """What may stand for an address, by any secret of the ring, the one in use first."""
        content = f"{tenant_id.hex}:{key}".encode()
        made = (hmac.digest(secret, content, hashlib.sha256).hex() for secret in self._keys)
        return [f"{_PREFIX}{digest}" for digest in made]
