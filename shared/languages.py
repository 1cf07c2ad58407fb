"""The languages that our pages and titles speak, and which of them somebody reads."""

from typing import Final, Literal

Language = Literal["vi", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("vi", "en")
_MOST_WISHES: Final = 20


def language_of(locale: str | None) -> Language | None:
    """The language of a locale such as `vi-VN` or `en_US`; None when we do not speak it."""
    language = (locale or "").replace("_", "-").split("-")[0].strip().lower()
    return language if language in LANGUAGES else None


def preferred_language(accept_language: str | None) -> Language | None:
    """The one that an `Accept-Language` header (RFC 9110, 12.5.4) likes best; None if it has none.

    Of those liked as much as each other it is the first.
    """
    best: tuple[float, Language | None] = (0.0, None)
    for wish in (accept_language or "").split(",")[:_MOST_WISHES]:
        tag, _, weight = wish.partition(";")
        language, quality = language_of(tag), _quality(weight)
        if language is not None and quality > best[0]:
            best = (quality, language)
    return best[1]


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
