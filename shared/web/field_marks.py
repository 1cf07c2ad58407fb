"""Which of its own fields a shop has marked as personal, as the edge masks and records by it."""

from datetime import datetime, timedelta
from typing import Final

from fastapi import FastAPI, Request

from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId
from shared.pii import FieldMarks
from shared.privacy.field_marks import ReadMarks

_KEPT_FOR: Final = timedelta(minutes=1)


class ShopMarks:
    """The marks of the shops that a part answers for."""

    def __init__(self, read: ReadMarks) -> None:
        self._read = read
        self._known: dict[TenantId, tuple[FieldMarks, datetime]] = {}

    async def now(self, uow: UnitOfWork) -> FieldMarks:
        """The marks as they are: what somebody must not see is decided by nothing older."""
        marks = await self._read(uow)
        self._known[uow.tenant_id] = (marks, uow.clock.now())
        return marks

    async def lately(self, uow: UnitOfWork) -> FieldMarks:
        """The marks of a minute ago at most, to say what somebody saw who may see everything."""
        marks, read_at = self._known.get(uow.tenant_id, (None, uow.clock.now()))
        if marks is not None and uow.clock.now() - read_at < _KEPT_FOR:
            return marks
        return await self.now(uow)


def attach_field_marks(app: FastAPI, marks: ShopMarks) -> None:
    """Let the edge of an application know the marks. Without them it shows no such field."""
    app.state.field_marks = marks


def field_marks_of(request: Request) -> ShopMarks | None:
    """The marks that the application which answers knows of."""
    found: ShopMarks | None = getattr(request.app.state, "field_marks", None)
    return found
