"""Which passwords are good enough: long, and not among the first that anybody would try.

NIST SP 800-63B: length counts, composition rules do not, and what is common or about the person
is refused. How many guesses a password takes is estimated by zxcvbn (Wheeler, USENIX 2016), which
knows the passwords of the great leaks.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from shared.errors import FieldError, Invalid
from shared.text import search_key

MIN_LENGTH: Final = 10
MAX_LENGTH: Final = 200
# "Safely unguessable" against somebody who has only our login to try at: 10^8 guesses.
_LEAST_SCORE: Final = 3
# The estimate takes quadratic time; what comes later makes a password only better.
_ESTIMATED: Final = 64
# Words that its English lists lack and that Vietnamese passwords are made of.
_COMMON_HERE: Final = ("careloop", "matkhau", "anhyeuem", "emyeuanh", "vietnam", "xinchao")


class WeakPassword(Invalid):
    """The password would be guessed."""

    code = "weak_password"
    title = "Choose a password that is harder to guess"

    def __init__(self, pointer: str) -> None:
        detail = "Too common, or made of your name or address"
        super().__init__(errors=[FieldError(pointer, "weak_password", detail)])


def check_password(password: str, *, about: Iterable[str], pointer: str) -> None:
    """Raises WeakPassword. `about` is what anybody knows of the person: name, address, shop.

    Takes milliseconds of one core.
    """
    # Its dictionaries take a tenth of a second to load, and are seldom needed.
    from zxcvbn import zxcvbn  # noqa: PLC0415

    known = sorted({*_COMMON_HERE, *_words(about)})
    estimate = zxcvbn(password[:_ESTIMATED], user_inputs=known, max_length=_ESTIMATED)
    if len(password) < MIN_LENGTH or estimate["score"] < _LEAST_SCORE:
        raise WeakPassword(pointer)


def _words(about: Iterable[str]) -> Iterator[str]:
    """What somebody who knows the person tries first: names in any spelling, addresses in parts."""
    for text in about:
        for spelt in (text.casefold(), search_key(text)):
            parts = spelt.replace("@", " ").replace(".", " ").split()
            yield from (spelt, spelt.partition("@")[0], "".join(parts), *parts)
