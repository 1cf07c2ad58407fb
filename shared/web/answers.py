"""Answers made of plain data, for operations too hot to build models for what they read."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from fastapi import Response


class PlainAnswer(Response):
    """An answer that still has the plain data it was made of: nobody need parse it again."""

    def __init__(
        self, content: Any, body: bytes, status: int, headers: Mapping[str, str] | None
    ) -> None:
        super().__init__(body, status, headers, "application/json")
        self.content = content


def json_answer(
    content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer with `content` as JSON, instants in UTC with a Z as the models write them.

    The operation's `response_model` still documents it; a test holds the two against each other.
    """
    body = orjson.dumps(content, default=_plain, option=orjson.OPT_UTC_Z)
    return PlainAnswer(content, body, status, headers)


def _plain(value: Any) -> Any:
    """The driver's ids are a subclass, which orjson leaves to us."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError
