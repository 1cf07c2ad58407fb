"""Text at the border: one spelling of every character, and a key to search by.

Vietnamese arrives composed (NFC) from browsers and decomposed (NFD) from spreadsheets and macOS;
both look alike and compare unequal. Everything stored is NFC. Everything searched is compared by
`search_key`, which also forgets accents and case: a cashier types "nguyen van duc".
"""

import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

# Letters whose stroke is part of the glyph: Unicode gives them no decomposition to strip.
_STROKED: Final = {"đ": "d", "Đ": "D"}
_CONTROLS: Final = frozenset({"Cc"})
_SURROGATES: Final = frozenset({"Cs"})
_UNPRINTABLE: Final = _CONTROLS | _SURROGATES
# U+2028 and U+2029 count as line ends for the e-mail library, which then refuses the header.
_LINE_ENDS: Final = frozenset({"Zl", "Zp"})
# They turn the text around them, so that it reads as something else than it is.
_TURNING: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
# Letters, marks and a symbol by their categories, and nothing is seen of them.
_BLANKS: Final = frozenset(
    chr(code)
    for code in (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    )
)


def nfc(text: str) -> str:
    """Return `text` in Unicode's composed form, the only one Careloop stores."""
    return unicodedata.normalize("NFC", text)


def search_key(text: str) -> str:
    """Return what `text` is searched by: no accents, lower case, single spaces, đ as d.

    Two spellings of a name that a person would call the same have the same key, whether they are
    composed or not, and the key of a key is itself.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(nfc(_without_marks(text).casefold()).split())


def _without_marks(text: str) -> str:
    return unicodedata.normalize("NFKD", text).translate(_UNMARKED)


class _Unmarked(dict[int, str | None]):
    """What becomes of each character, decided when it is first met."""

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        # Vowel signs of Thai or Hindi have class 0: they are letters there, not accents.
        is_mark = unicodedata.combining(char) or unicodedata.category(char) == "Cf"
        self[code] = kept = None if is_mark else _STROKED.get(char, char)
        return kept


_UNMARKED: Final = _Unmarked()


def is_seen(text: str) -> bool:
    """Whether anything of `text` can be seen; of spaces and zero-width characters nothing is."""
    return any(
        char not in _BLANKS and unicodedata.category(char) not in _UNSEEN_CATEGORIES
        for char in text
    )


def tidy(text: str | None, *, max_length: int) -> str | None:
    """Return one line of NFC text made from what a platform sent, or None if nothing is left.

    Never refuses: unprintable characters become spaces, those that turn the direction of text go
    and what is too long is cut. Use it where a delivery must not be lost; use `TextRule` where a
    client can correct its input.
    """
    if text is None:
        return None
    # Most text is; to look at each character costs twenty times as much.
    printable = text if text.isprintable() else "".join(map(_printable, text.translate(_TURNING)))
    line = nfc(" ".join(printable.split()))[:max_length].rstrip()
    return line if is_seen(line) else None


def _printable(char: str) -> str:
    return " " if unicodedata.category(char) in _UNPRINTABLE else char


@dataclass(frozen=True, slots=True)
class TextRule:
    """A pydantic annotation: trimmed NFC text without control characters, of bounded length.

    The length is counted in characters of the normalised text; what cannot be seen is empty. One
    line loses the characters that turn the direction of text. `lines` also admits line feeds and
    tabs, and turns every other line end into a line feed.
    """

    max_length: int
    min_length: int = 1
    lines: bool = False

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        bounded = core_schema.str_schema(min_length=self.min_length, max_length=self.max_length)
        return core_schema.no_info_before_validator_function(self._normalised, bounded)

    def _normalised(self, value: object) -> object:
        if not isinstance(value, str):
            return value
        if self.lines:
            text = value.replace("\r\n", "\n").replace("\r", "\n")
        else:
            text = value if value.isprintable() else value.translate(_TURNING)
        text = text.strip()
        self._refuse_unprintable(text)
        return nfc(text) if is_seen(text) else ""

    def _refuse_unprintable(self, text: str) -> None:
        refused = _CONTROLS if self.lines else _CONTROLS | _LINE_ENDS
        for char in text:
            category = unicodedata.category(char)
            if category in _SURROGATES:
                raise PydanticCustomError("text_not_unicode", "Text holds half a surrogate pair")
            if category in refused and not (self.lines and char in "\n\t"):
                raise PydanticCustomError(
                    "text_control_character",
                    "Text holds the control character {character}",
                    {"character": f"U+{ord(char):04X}"},
                )


NormalisedStr = Annotated[str, TextRule(max_length=255)]
"""One line of at most 255 characters. For another bound: `Annotated[str, TextRule(80)]`."""

Name = Annotated[str, TextRule(max_length=200)]
"""The name of a person, a shop or a thing."""

Prose = Annotated[str, TextRule(max_length=20_000, lines=True)]
"""Text of several lines: a ticket's message, a note."""
