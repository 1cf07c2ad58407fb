"""Which route a request took, told by whoever knows to the ring that measures it.

Scopes are copied on their way inwards, so the place to tell it is one object that all copies hold.
"""

from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

_KEY: Final = "careloop.served"
UNMATCHED: Final = "unmatched"


@dataclass(slots=True)
class Served:
    """What became known of a request on its way: the template of its path, never the path."""

    route: str = UNMATCHED


def begin_serving(scope: Scope) -> Served | None:
    """Mark a request as being served; None when an outer ring has done so."""
    if _KEY in scope:
        return None
    served: Served = scope.setdefault(_KEY, Served())
    return served


def name_route(scope: Scope, template: str) -> None:
    """Tell the template of the path that a request took; the innermost one counts."""
    served: Served | None = scope.get(_KEY)
    if served is not None:
        served.route = template


def name_route_of(scope: Scope) -> None:
    """Tell the route that a router has written into its scope, if it has found one."""
    template = getattr(scope.get("route"), "path_format", None)
    if template is not None:
        name_route(scope, template)
