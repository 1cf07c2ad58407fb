"""The languages of the pages, and which one a person reads."""

from typing import Final, cast

from services.support_ticket.surveys.repository import Locale

_SPOKEN: Final = ("vi", "en")


def language_of(locale: str | None) -> Locale | None:
    """The page language of a locale such as `vi-VN` or `en_US`; None when there is none."""
    language = (locale or "").replace("_", "-").split("-")[0].strip().lower()
    return cast("Locale", language) if language in _SPOKEN else None


def preferred_language(accept_language: str | None) -> Locale | None:
    """The page language that an `Accept-Language` header (RFC 9110, 12.5.4) likes best."""
    best: tuple[float, Locale] | None = None
    for entry in (accept_language or "").split(",")[:20]:
        tag, _, weight = entry.partition(";")
        language, quality = language_of(tag), _quality(weight)
        if language is not None and quality > (best[0] if best else 0):
            best = (quality, language)
    return best[1] if best else None


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
