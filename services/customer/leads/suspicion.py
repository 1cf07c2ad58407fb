"""Whether something sent by a form looks as if no person had sent it. Pure.

What looks odd is kept aside for somebody of the shop to look at, never thrown away: in Vietnam a
whole quarter may share one address, and password managers fill in what nobody sees.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, Literal

Suspicion = Literal["honeypot", "too_fast", "too_many", "links"]

FASTEST: Final = timedelta(seconds=3)
"""Nobody reads and fills in a form in less."""

MOST_FROM_ADDRESS: Final = 20
MOST_OF_CONTACT: Final = 10
"""Whose details were left more often is the victim of a joke, and we would send the mails."""

COUNTED_FOR: Final = timedelta(hours=1)

_LINK: Final = re.compile(r"https?://|www\.|\[url|<a\s", re.IGNORECASE)
_MOST_LINKS: Final = 2


def suspicions(
    entered: Mapping[str, Any],
    *,
    honeypot: str,
    open_for: timedelta | None,
    from_address: int,
    same_contact: int,
) -> Iterator[Suspicion]:
    """What is odd about a submission.

    `honeypot` is what stands in the field that people do not see, `open_for` how long the page was
    open, if there was one, `from_address` how many came from the same address of late, and
    `same_contact` how many records have the same e-mail address or number already.
    """
    if honeypot.strip():
        yield "honeypot"
    if open_for is not None and open_for < FASTEST:
        yield "too_fast"
    if from_address >= MOST_FROM_ADDRESS or same_contact >= MOST_OF_CONTACT:
        yield "too_many"
    texts = {name: value for name, value in entered.items() if isinstance(value, str)}
    links = sum(len(_LINK.findall(text)) for text in texts.values())
    if _LINK.search(texts.get("name", "")) or links > _MOST_LINKS:
        yield "links"
