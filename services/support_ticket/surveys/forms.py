"""What a person entered into the survey page, and what is wrong with it."""

import unicodedata
from dataclasses import dataclass
from typing import Final

from services.support_ticket.surveys.texts import TEXTS
from shared.languages import Language
from shared.text import nfc

MAX_COMMENT: Final = 2000
_SCORES: Final = {str(score): score for score in range(1, 6)}


@dataclass(frozen=True, slots=True)
class Answer:
    """A score and a comment, if they could be read, and what is at fault, in words."""

    score: int | None
    comment: str | None
    faults: tuple[str, ...]


def read_answer(score: str, comment: str, language: Language) -> Answer:
    """Read the fields of the form; never raises."""
    texts = TEXTS[language]
    chosen, words = _SCORES.get(score.strip()), _printable(comment)
    faults = [] if chosen is not None else [texts.choose]
    if len(words) > MAX_COMMENT:
        faults.append(texts.too_long)
    return Answer(chosen, words or None, tuple(faults))


def _printable(comment: str) -> str:
    lines = comment.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in lines if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
    return nfc("".join(kept).strip())
