"""Mails to the shop's own staff: written by the gateway, sealed until they are sent."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from services.messaging.messages.records import Message
from services.messaging.templates.records import Template, TemplateContent
from shared.security.keys import SecretBox

# No key of a shop's template has a colon, so that none can take this one's place.
STAFF_MAIL: Final = "careloop:staff_mail"
_LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)

BUILT_IN: Final[Mapping[str, Template]] = {
    STAFF_MAIL: Template(
        key=STAFF_MAIL,
        version=1,
        description="What the gateway writes to a member of staff",
        contents=tuple(
            TemplateContent(locale=locale, subject="{{ mail.subject }}", text="{{ mail.text }}")
            for locale in ("vi", "en")
        ),
        created_at=_LONG_AGO,
        updated_at=_LONG_AGO,
    )
}
"""Templates that belong to no shop."""


def opened_variables(message: Message, secrets: SecretBox) -> Mapping[str, Any]:
    """What a message's template is given; what lies sealed in the ledger is opened for it.

    Raises ValueError when it was sealed by another installation.
    """
    if message.template_key != STAFF_MAIL:
        return message.variables
    opened = secrets.open(message.variables["sealed"])
    return {"mail": {"subject": message.variables["subject"], "text": opened["text"]}}
