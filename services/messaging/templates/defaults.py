"""The templates that every new shop starts with, in Vietnamese and English."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from services.messaging.templates.records import Template, TemplateContent

THANK_YOU_FIRST_ORDER: Final = "thank_you_first_order"
TICKET_REPLY: Final = "ticket_reply"
SURVEY_INVITATION: Final = "survey_invitation"

_DESCRIPTIONS: Final = {
    THANK_YOU_FIRST_ORDER: "Thanks a new customer for the first order",
    TICKET_REPLY: "Carries an agent's answer to the person who asked",
    SURVEY_INVITATION: "Asks how the handling of a request went",
}
_LOCALES: Final = ("vi", "en")
_TEXTS: Final = Path(__file__).parent / "texts"
_SUBJECT_ENDS: Final = "\n---\n"


def default_templates(at: datetime) -> list[Template]:
    """The default templates, as if written at `at`."""
    return [
        Template(
            key=key,
            version=1,
            description=description,
            contents=_contents(key),
            created_at=at,
            updated_at=at,
        )
        for key, description in _DESCRIPTIONS.items()
    ]


@cache
def _contents(key: str) -> tuple[TemplateContent, ...]:
    return tuple(_content(key, locale) for locale in _LOCALES)


def _content(key: str, locale: str) -> TemplateContent:
    subject, _, text = (_TEXTS / f"{key}.{locale}.txt").read_text("utf-8").partition(_SUBJECT_ENDS)
    html = (_TEXTS / f"{key}.{locale}.html").read_text("utf-8")
    return TemplateContent(locale=locale, subject=subject, text=text, html=html)
