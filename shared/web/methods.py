"""Which methods a resource knows, for 405 and its `Allow` (RFC 9110, 10.2.1 and 15.5.6).

The router stops at the first route that fits a path, and tells of that route's methods only. It
also lets `/v1/segments/preview` be a segment whose id is "preview" when the method fits no better.
"""

from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import compile_path


def methods_at(app: FastAPI, path: str) -> set[str]:
    """Every method of the resource at a path: of a path of its own before any with parameters."""
    own = _methods_of_plain_paths(app).get(path)
    if own is not None:
        return own
    return {
        method
        for route in iter_route_contexts(app.routes)
        if route.path and compile_path(route.path)[0].match(path)
        for method in route.methods or ()
    }


def refuse_wrong_method(request: Request) -> None:
    """Raises the framework's 405 when a path of its own was taken for one with parameters."""
    if request.path_params:
        own = _methods_of_plain_paths(request.app).get(request.scope["path"])
        if own is not None and request.method not in own:
            raise HTTPException(405)


def _methods_of_plain_paths(app: FastAPI) -> dict[str, set[str]]:
    """The methods of all paths without parameters; found out once for an application."""
    known: dict[str, set[str]] | None = getattr(app.state, "methods_of_plain_paths", None)
    if known is None:
        known = {}
        for route in iter_route_contexts(app.routes):
            if route.path and "{" not in route.path:
                known.setdefault(route.path, set()).update(route.methods or ())
        app.state.methods_of_plain_paths = known
    return known
