"""Errors that only the public door can make."""

from shared.errors import CareloopError


class UnsupportedMediaType(CareloopError):
    """A write whose body is not JSON."""

    status = 415
    code = "unsupported_media_type"
    title = "Send JSON with Content-Type: application/json"


class MethodNotAllowed(CareloopError):
    """A method that nothing here answers to."""

    status = 405
    code = "method_not_allowed"
    title = "Nothing answers to this method"


class BodyTooSlow(CareloopError):
    """The body did not arrive in time."""

    status = 408
    code = "request_timeout"
    title = "The body of the request took too long to arrive"

    def __init__(self) -> None:
        super().__init__(headers={"Connection": "close"})


class TargetTooLong(CareloopError):
    """Path and query together are too long."""

    status = 414
    code = "uri_too_long"
    title = "The path and query are too long"


class BadGateway(CareloopError):
    """A service broke off the conversation."""

    status = 502
    code = "bad_gateway"
    title = "A service behind the gateway failed"


class GatewayTimeout(CareloopError):
    """A service took too long."""

    status = 504
    code = "gateway_timeout"
    title = "A service behind the gateway took too long"
