"""Decisions about the wordings that people agree to."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from services.customer.consents.text_repository import ConsentTextRepository
from services.customer.consents.text_schemas import ConsentTextCreate
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

_SAID: Final = ("purpose", "channels", "text", "content", "method", "form", "frequency")


class ConsentTextService:
    """The wordings of one tenant."""

    def __init__(self, *, uow: UnitOfWork, texts: ConsentTextRepository) -> None:
        self._uow = uow
        self._texts = texts

    async def write(self, given: ConsentTextCreate) -> Row[*tuple[Any, ...]]:
        """The next version of a text; the newest one if it says exactly that already.

        Raises ConsentTextChanged.
        """
        newest = await self._texts.newest(given.key, given.language)
        said = given.model_dump()
        if newest is not None and all(getattr(newest, name) == said[name] for name in _SAID):
            return newest
        return await self._texts.add(
            {
                **said,
                "id": new_id(),
                "version": newest.version + 1 if newest is not None else 1,
                "digest": hashlib.sha256(given.text.encode()).hexdigest(),
                "created_at": self._uow.clock.now(),
            }
        )

    async def get(self, text_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises ConsentTextNotFound."""
        return await self._texts.get(text_id)

    async def page(
        self, request: PageRequest, *, key: str | None
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of wordings, newest first, and the next cursor."""
        return await self._texts.page(request, key=key)
