"""The `webhooks` of the OpenAPI document: what endpoints of other systems are sent."""

from typing import Any, Final

from gateway.events.catalogue import PUBLIC_EVENTS, name_of
from gateway.events.public.base import EventBase
from gateway.openapi.schemas import REF

_TEXT: Final = {"type": "string"}
_HEADERS: Final = {
    "webhook-id": "The event's id: the same however often it is sent",
    "webhook-timestamp": "Seconds since 1970 when this attempt was made",
    "webhook-signature": "`v1,` and a signature, one for each secret that is good",
}
_RESPONSES: Final = {
    "2XX": {"description": "Taken. Anything else, and silence, is tried again for days"},
    "410": {"description": "Never again: the endpoint is switched off"},
}


def described_webhooks() -> dict[str, Any]:
    """A path item for each public event, by its name. Signed by the Standard Webhooks spec."""
    return {name_of(event): {"post": _operation(event)} for event in PUBLIC_EVENTS}


def _operation(event: type[EventBase]) -> dict[str, Any]:
    name, text = name_of(event), (event.__doc__ or "").strip()
    return {
        "operationId": f"webhooks.{name}",
        "summary": text.rstrip("."),
        "description": f"{text} Signed as https://www.standardwebhooks.com says.",
        "tags": ["webhooks"],
        "parameters": [
            {
                "name": header,
                "in": "header",
                "required": True,
                "description": description,
                "schema": _TEXT,
            }
            for header, description in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"{REF}{event.__name__}"}}},
        },
        "responses": _RESPONSES,
        # Nobody logs in here: the signature says who it is from.
        "security": [],
    }
