"""What the resources of every part share: pages, versions, the query of a list."""

from typing import Annotated, Final, Generic, TypeVar

from fastapi import Header
from pydantic import BaseModel, Field

from shared.db.paging import MAX_LIMIT, PageRequest
from shared.errors import PreconditionFailed
from shared.web.queries import QueryReader

ItemT = TypeVar("ItemT")


class Page(BaseModel, Generic[ItemT]):
    """One page of a list; `next_cursor` is null on the last."""

    data: list[ItemT]
    next_cursor: str | None = Field(description="Give it as `cursor` to get the next page")


class PageQuery(BaseModel):
    """The paging parameters of a list."""

    limit: int = Field(default=50, ge=1, le=MAX_LIMIT, description="Rows in a page")
    cursor: str | None = Field(
        default=None, max_length=2000, description="`next_cursor` of the page before"
    )

    def asked(self) -> PageRequest:
        """What the client asked for."""
        return PageRequest(limit=self.limit, cursor=self.cursor)


page_request: Final = QueryReader(PageQuery, PageQuery.asked)
"""The dependency that reads them."""

TELLS_A_SECRET: Final = {"Cache-Control": "no-store"}
"""Headers of an answer with a secret that is told once: nobody keeps it, we only encrypted."""


def etag(version: int) -> str:
    """The entity tag of a version of a resource."""
    return f'"{version}"'


async def if_match(
    if_match: Annotated[
        str | None,
        Header(
            description="The ETag that the change is based on, or *",
            pattern=r'^(\*|(W/)?"[0-9]{1,18}")$',
            max_length=24,
            examples=['"3"'],
        ),
    ] = None,
) -> int | None:
    """The version named by `If-Match`; None when absent or `*`."""
    if if_match is None or if_match == "*":
        return None
    return int(if_match.removeprefix("W/").strip('"'))


def check_version(current: int, expected: int | None) -> None:
    """Raises PreconditionFailed when the caller's change is based on an older version."""
    if expected is not None and current != expected:
        raise PreconditionFailed(
            f"The current version is {current}", extensions={"current_version": current}
        )
