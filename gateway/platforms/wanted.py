"""Objects that a delivery only names, and what is asked of the platform to know them.

Pure: a platform says here where its objects are found; who asks is `gateway/deliveries/fetching`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.platforms.reading import Payload


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an object, by its path in a store's API.

    A `paged` one is a list that comes in pages. What an object cannot do without is `essential`:
    the object is gone when that is not there; any other part is then merely empty.
    """

    path: str
    essential: bool = False
    paged: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object, as the parts that are put together under these names."""

    name: str
    parts: Mapping[str, Part]


@dataclass(frozen=True, slots=True)
class StoreDoor:
    """How a store of a platform is asked: where its API begins, and who may ask."""

    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ThinPlatform:
    """A platform whose deliveries only name what has changed.

    `wanted` is None for a delivery that says all there is to know. `door` takes the store and its
    access token.
    """

    wanted: Callable[[str, Payload], Wanted | None]
    door: Callable[[str, str], StoreDoor]
