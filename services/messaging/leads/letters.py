"""The mail that asks for a second yes. Its words are ours, and hold nothing that was typed in.

Anybody can type anybody's address into a form: what such a mail says must not be theirs to choose.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from services.messaging.templates.records import Template, TemplateContent

# No key of a shop's template has a colon, so that none can take this one's place.
LEAD_CONFIRMATION: Final = "careloop:lead_confirmation"
_LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)
_TEXTS: Final = Path(__file__).parent / "texts"
_SUBJECTS: Final = {
    "vi": "Xác nhận đồng ý của bạn với {{ shop.name }}",
    "en": "Please confirm what you agreed to with {{ shop.name }}",
}


def _content(locale: str, subject: str) -> TemplateContent:
    text, html = (
        (_TEXTS / f"lead_confirmation.{locale}.{kind}").read_text("utf-8")
        for kind in ("txt", "html")
    )
    return TemplateContent(locale=locale, subject=subject, text=text, html=html)


BUILT_IN: Final[Mapping[str, Template]] = {
    LEAD_CONFIRMATION: Template(
        key=LEAD_CONFIRMATION,
        version=1,
        description="Asks whether it was they who agreed to something in a form",
        contents=tuple(_content(locale, subject) for locale, subject in _SUBJECTS.items()),
        created_at=_LONG_AGO,
        updated_at=_LONG_AGO,
    )
}
"""Templates that belong to no shop."""
