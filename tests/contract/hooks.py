"""How the generated requests differ from what the description alone would make of them."""

import os
import re
from typing import Any
from uuid import uuid4

import schemathesis

_OWN = os.environ.get("CONTRACT_OWN_KEY_ID", "")
_KEY = "Idempotency-Key"
_VALID = re.compile(r"[!-~]([ -~]*[!-~])?")


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Leave alone the key that the requests themselves are made with."""
    return not (_OWN and _OWN in (case.path_parameters or {}).values())


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """No two requests with one key: all but the first would be refused for that, whatever else."""
    key = case.headers.get(_KEY) if case.headers else None
    if isinstance(key, str) and len(key) <= 255 and _VALID.fullmatch(key):
        case.headers[_KEY] = str(uuid4())
