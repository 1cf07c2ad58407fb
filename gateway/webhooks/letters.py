"""What is sent: the event as it is everywhere, signed for one endpoint."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.events.rendering import event_json
from gateway.webhooks.queues import Due
from gateway.webhooks.record import EndpointRecord
from gateway.webhooks.signing import signature_headers
from shared.security.keys import SecretBox

_USER_AGENT: Final = "Careloop-Webhooks/1"


class Unsendable(Exception):
    """There is nothing that could be sent; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Letter:
    """A request's body and headers."""

    body: bytes
    headers: dict[str, str]


class Letters:
    """Writes requests; opens what is sealed."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def write(self, endpoint: EndpointRecord, due: Due, *, now: datetime) -> Letter:
        """The request for a delivery.

        Raises Unsendable, and ValueError when secrets were sealed with a key that is not there.
        """
        if due.body is not None:
            body = due.body.encode()
        elif due.row.id is not None:
            body = event_json(due.row)
        else:
            raise Unsendable("event_forgotten")
        secrets = [self._box.open(sealed)["secret"] for sealed in endpoint.sealed_secrets(now)]
        own = self._box.open(endpoint.sealed_headers) if endpoint.sealed_headers else {}
        signed = signature_headers(message_id=due.event_id, at=now, body=body, secrets_=secrets)
        headers = {**own, "Content-Type": "application/json", "User-Agent": _USER_AGENT, **signed}
        return Letter(body, headers)
