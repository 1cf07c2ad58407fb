"""How alike two names of people are, as Vietnamese names are written and mistyped. Pure functions.

A name is read into words without what does not belong to it (honorifics, remarks, digits), family
name first. Accents count only where both sides have them: a cashier types "nguyen van duc", but
"Lan" and "Lân", both typed with care, are two people. A syllable that is one letter off is a typo
only if it is no syllable of the language: "Nguyne" is, "Loan" for "Lan" is not.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final, Literal

from rapidfuzz.distance import OSA

from shared.text import nfc, search_key

NameCode = Literal["same_name", "similar_name", "partial_name", "doubtful_name", "other_name"]

_REMARK: Final = re.compile(r"[(\[{].*?[)\]}]|\s[-–|/].*$")
_NOT_LETTERS: Final = re.compile(r"[\W\d_]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HONORIFICS: Final = _words(
    "anh chị cô chú bác ông bà em dì cậu mợ thầy a c mr mrs ms miss dr bs ths ts gs pgs ks ls"
)
# Typed without accents, "chu" and "ong" may be family names, and then stay.
_PLAIN_HONORIFICS: Final = _words("anh chi co bac ba em a c mr mrs ms miss dr bs")
FAMILY_NAMES: Final = _words(
    "nguyen tran le pham hoang huynh phan vu vo dang bui do ho ngo duong ly dinh trinh truong doan "
    "dao mai lam luong ta ha to cao chau quach thai luu la vuong kieu diep trieu tong nghiem mac "
    "phung khuat bach than giang"
)
_SHORTENED: Final = _words("ng tr ph th ngx nh kh")
_ONSET: Final = "(?:ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdghklmnprstvx])?"
_RIMES: Final = (
    "a ac ach ai am an ang anh ao ap at au ay e ec em en eng eo ep et eu i ia ich iec iem ien ieng "
    "iep iet ieu im in inh ip it iu o oa oac oach oai oam oan oang oanh oat oay oc oe oen oet oi "
    "om on ong op ot u ua uc ui um un ung uo uoc uoi uom uon uong uop uot uou up ut uu uan uang "
    "uat uay ue uenh uy uya uych uyen uyet uynh uyt uyu y yem yen yet yeu"
)
_SYLLABLE: Final = re.compile(f"{_ONSET}(?:{'|'.join(_RIMES.split())})")
# How far a name speaks for one person, in bits, by how many of its words agree. A third of all
# Vietnamese are called Nguyễn, so a word is worth less than its rarity in a dictionary.
_BITS_OF_WORDS: Final = (0.0, 2.0, 4.5, 7.0, 8.5)
_OTHER_NAME: Final = -6.0
_OTHER_MIDDLE: Final = -3.0
_DOUBTFUL: Final = -1.0
_TYPO_COSTS: Final = 1.5
_MISSING_COSTS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a name: without accents, and with them, however they are placed."""

    plain: str
    marked: str


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name as it is compared. `has_accents` says that whoever typed it used them."""

    words: tuple[Word, ...]
    has_accents: bool

    @property
    def given(self) -> str:
        """What the person is called by, without accents; empty when there is no name."""
        return self.words[-1].plain if self.words else ""

    @property
    def key(self) -> str:
        """The words in the order of the alphabet: the same for every order they are written in."""
        return " ".join(sorted(word.plain for word in self.words))


NO_NAME: Final = PersonName((), has_accents=False)


@dataclass(frozen=True, slots=True)
class NameMatch:
    """How two names agree, and how far that speaks for one person (bits; below zero: against)."""

    code: NameCode
    bits: float


def read_person_name(raw: str | None) -> PersonName:
    """The name in a field, family name first; no words when there is none in it."""
    if not raw:
        return NO_NAME
    text = _REMARK.sub(" ", nfc(raw)).casefold() or nfc(raw).casefold()
    words = [word for word in _NOT_LETTERS.split(text) if word]
    has_accents = not "".join(words).isascii()
    titles = _HONORIFICS if has_accents else _PLAIN_HONORIFICS
    while len(words) > 1 and words[0] in titles:
        words = words[1:]
    read = [_read_word(word) for word in words]
    return PersonName(_family_first(read), has_accents)


@lru_cache(maxsize=50_000)
def word_of(plain: str, marked: str) -> Word:
    """A word that was written down."""
    return Word(plain, marked)


def compare_names(one: PersonName, other: PersonName) -> NameMatch | None:
    """How two names agree; None when one of them is not known. Their order does not matter."""
    if not one.words or not other.words:
        return None
    if _is_same(one, other):
        count = max(len(one.words), len(other.words))
        return NameMatch("same_name", _BITS_OF_WORDS[min(count, 4)])
    careful = one.has_accents and other.has_accents
    matches = (
        _aligned(a, b, careful=careful)
        for a, b in product(_readings(one.words), _readings(other.words))
    )
    return max(matches, key=lambda match: (match.bits, match.code))


def _is_same(one: PersonName, other: PersonName) -> bool:
    """The same letters, wherever the spaces are; accents count where both sides have them."""
    if "".join(w.plain for w in one.words) != "".join(w.plain for w in other.words):
        return False
    return not (one.has_accents and other.has_accents) or one.words == other.words


@lru_cache(maxsize=50_000)
def _read_word(word: str) -> Word:
    return word_of(search_key(word), _marks(word))


def _marks(word: str) -> str:
    """The letters and accents of a word in an order of their own: "thuý" and "thúy" are one."""
    return "".join(sorted(unicodedata.normalize("NFD", word)))


def _family_first(words: Sequence[Word]) -> tuple[Word, ...]:
    """Names that begin with a given name, as "Lan Nguyễn Thị" and "Lan Nguyen", turned round."""
    if len(words) > 1 and words[0].plain not in FAMILY_NAMES:
        for at, word in enumerate(words):
            if word.plain in FAMILY_NAMES:
                return (*words[at:], *words[:at])
    return tuple(words)


def _readings(words: tuple[Word, ...]) -> Iterator[tuple[Word, ...]]:
    """A name as it stands and, where its last word may be the family's, turned round."""
    yield words
    if len(words) > 1 and words[-1].plain in FAMILY_NAMES:
        yield (words[-1], *words[:-1])


def _aligned(one: Sequence[Word], other: Sequence[Word], *, careful: bool) -> NameMatch:
    """Two names, both family name first: what is common, what is missing, what contradicts."""
    given = _alike(one[-1], other[-1], careful=careful)
    if given == 0:
        return NameMatch("other_name", _OTHER_NAME)
    (one_family, one_middle), (other_family, other_middle) = _before(one), _before(other)
    faults = [given]
    if one_family is not None and other_family is not None:
        faults.append(_alike(one_family, other_family, careful=careful))
        if faults[-1] == 0:
            return NameMatch("other_name", _OTHER_NAME)
    missing = int((one_family is None) != (other_family is None))
    shorter, longer = sorted((one_middle, other_middle), key=len)
    rest = list(longer)
    for word in shorter:
        found = max(rest, key=lambda each: _alike(word, each, careful=careful))
        faults.append(_alike(word, found, careful=careful))
        if faults[-1] == 0:
            return NameMatch("doubtful_name", _OTHER_MIDDLE)
        rest.remove(found)
    return _judged(faults, missing=missing + len(rest))


def _judged(likeness: Sequence[float], *, missing: int) -> NameMatch:
    if min(likeness) <= 0.5:
        return NameMatch("doubtful_name", _DOUBTFUL)
    typos = sum(each < 1 for each in likeness)
    bits = _BITS_OF_WORDS[min(len(likeness), 4)] - _TYPO_COSTS * typos - _MISSING_COSTS * missing
    if missing:
        return NameMatch("partial_name", bits)
    return NameMatch("similar_name" if typos else "same_name", bits)


def _before(words: Sequence[Word]) -> tuple[Word | None, Sequence[Word]]:
    """The family name and what stands between it and the given name.

    "Thị Lan" has no family name: its first word is a middle one. A single letter may be either.
    """
    if len(words) == 1:
        return None, ()
    first = words[0]
    if first.plain in FAMILY_NAMES or _is_short(first.plain) or len(words) > 2:
        return first, words[1:-1]
    return None, words[:-1]


def _alike(one: Word, other: Word, *, careful: bool) -> float:
    """1: the same; 0.5: perhaps; 0: not. Between 0.5 and 1: the same, mistyped or shortened."""
    if one.plain == other.plain:
        return 1.0 if not careful or one.marked == other.marked else 0.5
    return _plain_alike(*sorted((one.plain, other.plain)))


@lru_cache(maxsize=50_000)
def _plain_alike(one: str, other: str) -> float:
    shorter, longer = sorted((one, other), key=len)
    if _is_short(shorter) and longer.startswith(shorter):
        return 0.8
    distance = OSA.distance(one, other, score_cutoff=2)
    if distance == 0 or distance > (2 if len(shorter) >= 6 else 1) or len(longer) < 3:
        return 0.0
    if _SYLLABLE.fullmatch(one) and _SYLLABLE.fullmatch(other):
        return 0.5 if len(shorter) >= 3 and one[0] == other[0] else 0.0
    return 0.8


def _is_short(word: str) -> bool:
    """What people write for a name that they do not spell out: "N", "Ng", "Tr"."""
    return len(word) == 1 or word in _SHORTENED
