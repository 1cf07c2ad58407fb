"""JWTs of our own, believed when any key of the ring signed them."""

from collections.abc import Sequence
from typing import Any

import jwt

ALGORITHM = "HS256"


def signed_claims(token: str, keys: Sequence[bytes], **checks: Any) -> dict[str, Any]:
    """The claims of a token. Raises jwt.InvalidTokenError; `checks` are PyJWT's."""
    *earlier, last = keys
    for key in earlier:
        try:
            return _decode(token, key, checks)
        except jwt.InvalidSignatureError:
            continue
    return _decode(token, last, checks)


def _decode(token: str, key: bytes, checks: dict[str, Any]) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=[ALGORITHM], **checks)
    return claims
