"""Search keys of facts: computed here, once, for the projection and for the evaluator."""

from collections.abc import Iterable

from services.segmentation.facts.customer_facts import ProfileFacts
from shared.text import search_key

# `full_name` has the column `search_name` of its own; the members' list searches by it.
_SEARCHED = ("email", "phone", "city", "province", "source", "code")


def profile_search_keys(profile: ProfileFacts) -> dict[str, str]:
    """What `profile.search_keys` holds: the key of each known text, by the field's name."""
    texts = {f"profile.{name}": getattr(profile, name) for name in _SEARCHED}
    attributes = {f"attributes.{name}": value for name, value in profile.attributes.items()}
    return {
        name: search_key(value)
        for name, value in (texts | attributes).items()
        if isinstance(value, str)
    }


def titles_search(titles: Iterable[str]) -> str:
    """What `order_fact.product_search` holds: a line per product; no key holds a line end."""
    return "\n".join(search_key(title) for title in titles)
