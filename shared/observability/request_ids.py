"""The request that set something off, to be found in whatever follows from it.

A request's id is bound to the log by the outermost ring. It travels with events and long-running
jobs, and is bound again where they are worked on: one id leads from a client's answer through the
logs of every part.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import structlog

REQUEST_ID: Final = "request_id"


def current_request_id() -> str | None:
    """The id of the request that is worked for; None in the system's own work."""
    found = structlog.contextvars.get_contextvars().get(REQUEST_ID)
    return found if isinstance(found, str) else None


@contextmanager
def working_for(carriers: Iterable[Mapping[str, Any]]) -> Iterator[None]:
    """Work for the request that all `carriers` name; for none when they name several."""
    named = {carrier.get(REQUEST_ID) for carrier in carriers}
    request_id = named.pop() if len(named) == 1 else None
    if not isinstance(request_id, str):
        yield
        return
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        yield
