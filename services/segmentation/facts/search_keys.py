"""Search keys of facts: computed here, once, for the projection and for the evaluator."""

from collections.abc import Iterable
from functools import lru_cache

from services.segmentation.facts.customer_facts import ProfileFacts
from shared.contracts.customer import CustomerState
from shared.text import search_key

# `full_name` has the column `search_name` of its own; the members' list searches by it.
_SEARCHED = {
    f"profile.{name}": name
    for name in (
        *("email", "phone", "city", "province", "source", "code"),
        *("occupation", "position"),
    )
}


def profile_search_keys(profile: ProfileFacts | CustomerState) -> dict[str, str]:
    """What `profile.search_keys` holds: the key of each known text, by the field's name."""
    keys = {
        field: _key(value)
        for field, name in _SEARCHED.items()
        if (value := getattr(profile, name)) is not None
    }
    for name, value in profile.attributes.items():
        if isinstance(value, str):
            keys[f"attributes.{name}"] = _key(value)
    return keys


def titles_search(titles: Iterable[str]) -> str:
    """What `order_fact.product_search` holds: a line per product; no key holds a line end."""
    return "\n".join(_key(title) for title in titles)


# Places, sources and products come again and again, and taking accents off is slow.
_key = lru_cache(maxsize=20_000)(search_key)
