"""Errors that only the public door can make."""

from shared.errors import CareloopError


class UnsupportedMediaType(CareloopError):
    """A write whose body is not JSON."""

    status = 415
    code = "unsupported_media_type"
    title = "Send JSON with Content-Type: application/json"


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
