"""The one tree of errors. A leaf states its `code` once; the web layer renders it as a problem.

CareloopError
├── Unauthenticated      401   no or bad credentials
├── Forbidden            403   known caller, not allowed
├── NotFound             404   absent, or another tenant's: a caller cannot tell which
├── Conflict             409   the current state forbids it
│   └── LostRace         409   a concurrent request got in between; the edge tries again first
├── PreconditionFailed   412   stale If-Match
├── TooLarge             413   over a stated limit
├── Invalid              422   the payload, with the fields at fault
├── TooManyRequests      429   slow down
└── Unavailable          503   a dependency is down; retry later
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of one field; `pointer` is an RFC 6901 JSON Pointer into the request."""

    pointer: str
    code: str
    detail: str


class CareloopError(Exception):
    """Root of every error a client may meet: an HTTP status, a stable code, a sentence."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        extensions: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.extensions = extensions or {}
        self.headers = headers or {}


class Unauthenticated(CareloopError):
    """Missing, malformed, expired or revoked credentials."""

    status = 401
    code = "unauthenticated"
    title = "Valid credentials are required"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(CareloopError):
    """The caller is known and may not do this."""

    status = 403
    code = "forbidden"
    title = "Not allowed"


class NotFound(CareloopError):
    """No such thing in the caller's tenant."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(CareloopError):
    """The current state of the resource forbids the request."""

    status = 409
    code = "conflict"
    title = "Conflicts with the current state"


class LostRace(Conflict):
    """A concurrent request got in between, and the same work would go well now.

    A service raises it for its unit of work to be run again; the edge does so a few times.
    """

    code = "concurrent_change"
    title = "Others were changing this at the same time"


class PreconditionFailed(CareloopError):
    """`If-Match` names a version that is no longer current."""

    status = 412
    code = "stale_version"
    title = "The resource was changed by someone else"


class TooLarge(CareloopError):
    """The request is over a stated size limit."""

    status = 413
    code = "too_large"
    title = "The request is too large"


class Invalid(CareloopError):
    """The payload is understood and refused; `errors` names the fields."""

    status = 422
    code = "invalid"
    title = "The request is not valid"


class TooManyRequests(CareloopError):
    """The caller must slow down."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"


class Unavailable(CareloopError):
    """A dependency cannot be reached; the same request may succeed later."""

    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"
