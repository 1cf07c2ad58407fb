"""Whether a review is published by itself, and whether it looks as if no person wrote it. Pure.

As with forms of leads, what looks odd is kept for somebody to look at, never thrown away.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

AutoPublish = Literal["never", "verified", "all"]
ReviewStatus = Literal["pending", "published", "rejected", "private"]
ReviewSuspicion = Literal["honeypot", "too_many", "links"]

MOST_FROM_ADDRESS: Final = 20
COUNTED_FOR: Final = timedelta(hours=1)
SAME_WITHIN: Final = timedelta(hours=1)
"""The same words about the same product within this time are one review."""

TRANSITIONS: Final[dict[ReviewStatus, list[ReviewStatus]]] = {
    "pending": ["published", "rejected"],
    "published": ["rejected"],
    "rejected": ["published"],
    "private": [],
}
_LINK: Final = re.compile(r"https?://|www\.|\[url|<a\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """Which reviews a shop publishes without a look: of `from_stars` and more."""

    auto_publish: AutoPublish = "never"
    from_stars: int = 1

    def first_status(
        self, *, rating: int, verified: bool, odd: bool
    ) -> Literal["pending", "published"]:
        """What becomes of a review that has just been written."""
        believed = self.auto_publish == "all" or (self.auto_publish == "verified" and verified)
        return "published" if believed and rating >= self.from_stars and not odd else "pending"


def suspicions(
    *, title: str | None, text: str | None, name: str | None, honeypot: str, from_address: int
) -> Iterator[ReviewSuspicion]:
    """What is odd; `from_address` is how many came from the same address of late."""
    if honeypot.strip():
        yield "honeypot"
    if from_address >= MOST_FROM_ADDRESS:
        yield "too_many"
    if any(_LINK.search(words) for words in (title, text, name) if words):
        yield "links"
