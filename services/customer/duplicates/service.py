"""Decisions about duplicate candidates."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.duplicates.repository import (
    CandidateFilter,
    CandidateOrder,
    DuplicateRepository,
)
from services.customer.duplicates.schemas import DuplicateStatus
from shared.db.paging import PageRequest
from shared.web.resources import check_version


class DuplicateService:
    """What clients can do with duplicate candidates."""

    def __init__(self, *, duplicates: DuplicateRepository) -> None:
        self._duplicates = duplicates

    async def page(
        self,
        *,
        status: DuplicateStatus,
        wanted: CandidateFilter,
        sort: CandidateOrder,
        request: PageRequest,
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of pairs, and the next cursor."""
        return await self._duplicates.page(status=status, wanted=wanted, sort=sort, request=request)

    async def get(self, pair_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises DuplicateNotFound."""
        return await self._duplicates.get(pair_id)

    async def decide(
        self, pair_id: UUID, status: DuplicateStatus, *, expected_version: int | None
    ) -> Row[*tuple[Any, ...]]:
        """The pair as decided. Raises DuplicateNotFound, PreconditionFailed."""
        pair = await self._duplicates.get(pair_id, lock=True)
        check_version(pair.version, expected_version)
        if pair.status == status:
            return pair
        return await self._duplicates.decide(pair_id, status)
