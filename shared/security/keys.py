"""Keys for separate purposes, all derived from the one root secret of an installation."""

import base64
import json
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


@lru_cache(maxsize=64)
def derive_key(root: str, purpose: str) -> bytes:
    """32 bytes bound to `purpose` (HKDF-SHA256, RFC 5869); one purpose says nothing of another."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(
        root.encode()
    )


def derive_password(root: str, role: str) -> str:
    """The database password of a login role, so that no password file has to be kept."""
    return base64.urlsafe_b64encode(derive_key(root, f"role:{role}")).decode().rstrip("=")


class SecretBox:
    """Encrypts the secrets of connections at rest (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, root: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(derive_key(root, "connection-secrets")))

    def seal(self, secret: dict[str, str]) -> str:
        """The secret as opaque text that only the same installation can open."""
        return self._fernet.encrypt(json.dumps(secret).encode()).decode()

    def open(self, sealed: str) -> dict[str, str]:
        """The secret again. Raises ValueError when sealed by another installation or altered."""
        try:
            opened: dict[str, str] = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken as error:
            raise ValueError("sealed with another CARELOOP_SECRET_KEY, or altered") from error
        return opened
