"""What can go wrong with webhook endpoints."""

from shared.errors import Conflict, FieldError, Invalid, NotFound
from shared.outbound.guard import OutboundRefused


class EndpointNotFound(NotFound):
    """No such endpoint in this shop."""

    code = "webhook_endpoint_not_found"
    title = "There is no such webhook endpoint"


class DeliveryNotFound(NotFound):
    """This event was never to be sent to this endpoint, or it was so long ago that it is gone."""

    code = "webhook_delivery_not_found"
    title = "There is no such delivery"


class EndpointDisabled(Conflict):
    """Nothing is sent to an endpoint that is switched off."""

    code = "webhook_endpoint_disabled"
    title = "The endpoint is switched off; enable it first"


class TooManyEndpoints(Conflict):
    """A shop has as many as it may have."""

    code = "too_many_webhook_endpoints"
    title = "This shop has as many webhook endpoints as it may have"


class UrlRefused(Invalid):
    """A URL that nothing will be sent to."""

    code = "url_refused"
    title = "Nothing can be sent to this URL"

    def __init__(self, refusal: OutboundRefused, *, pointer: str = "/body/url") -> None:
        fault = FieldError(pointer, refusal.code, refusal.detail)
        super().__init__(refusal.detail, errors=[fault])


class HeadersRequired(Invalid):
    """An endpoint moves to another receiver: its headers go there only when stated anew."""

    code = "headers_required"
    title = "State the headers again with a URL of another origin"

    def __init__(self) -> None:
        detail = "Kept headers are not sent to another origin: state them again, or {} for none"
        super().__init__(errors=[FieldError("/body/headers", "headers_required", detail)])
