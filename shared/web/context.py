"""Where an application keeps its part's context."""

from typing import Any, cast

from fastapi import FastAPI, Request

from shared.part.context import PartContext
from shared.settings import PartSettings


def attach_context(app: FastAPI, context: PartContext[Any]) -> None:
    """Give an application its context; `context_of` finds it again."""
    app.state.context = context


def context_of(request: Request) -> PartContext[PartSettings]:
    """The context of the part that answers `request`."""
    return cast("PartContext[PartSettings]", request.app.state.context)
