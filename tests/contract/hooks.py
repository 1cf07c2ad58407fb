"""How the generated requests differ from what the description alone would make of them."""

import os
import re
from typing import Any
from uuid import uuid4

import httpx
import schemathesis

_BEARER = f"Bearer {os.environ['CONTRACT_API_KEY']}"
_IDEMPOTENCY_KEY = "Idempotency-Key"
_VALID = re.compile(r"[!-~]([ -~]*[!-~])?")
_STAFF_ONLY = "/v1/auth/"


class _Staff:
    """A member of staff who logs in again whenever a generated request has ended the session."""

    def __init__(self) -> None:
        self._token: str | None = None

    def token(self) -> str:
        if self._token is None:
            login = {
                "email": os.environ["CONTRACT_STAFF_EMAIL"],
                "password": os.environ["CONTRACT_STAFF_PASSWORD"],
            }
            url = os.environ["CONTRACT_URL"]
            with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
                answer = client.post("/v1/auth/login", json=login)
            self._token = answer.raise_for_status().json()["access_token"]
        return self._token

    def forget(self) -> None:
        self._token = None


_staff = _Staff()


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Staff where a key is not enough, and no two requests with one idempotency key.

    All but the first of those would be refused for that, whatever else is right or wrong with them.
    """
    headers = case.headers or {}
    if case.operation.path.startswith(_STAFF_ONLY) and headers.get("Authorization") == _BEARER:
        headers["Authorization"] = f"Bearer {_staff.token()}"
    key = headers.get(_IDEMPOTENCY_KEY)
    if isinstance(key, str) and len(key) <= 255 and _VALID.fullmatch(key):
        headers[_IDEMPOTENCY_KEY] = str(uuid4())


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Log in again after a session was ended, by this request or by one before."""
    if case.operation.path.startswith(_STAFF_ONLY) and response.status_code in (204, 401):
        _staff.forget()
