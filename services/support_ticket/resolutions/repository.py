"""SQL of resolutions."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Row, bindparam, cast, func, insert, select

from services.support_ticket.resolutions.models import resolution
from services.support_ticket.resolutions.schemas import (
    ResolutionCreate,
    ResolutionRead,
    ResolutionTotal,
)
from services.support_ticket.tickets.sight import ticket_is_seen
from shared.db.sighted import Sighted
from shared.db.unit_of_work import UnitOfWork
from shared.money import Money, MoneyRead
from shared.security.sight import Sight

_OF_TENANT = resolution.c.tenant_id == bindparam("tenant")
_OF_EPISODE = select(resolution).where(
    _OF_TENANT,
    resolution.c.ticket_id == bindparam("ticket"),
    resolution.c.episode == bindparam("episode"),
)
_totals = (
    select(
        resolution.c.kind,
        resolution.c.result,
        resolution.c.currency,
        func.count().label("count"),
        cast(func.sum(resolution.c.amount_minor), BigInteger).label("amount_minor"),
    )
    .where(
        _OF_TENANT,
        resolution.c.resolved_at >= bindparam("since"),
        resolution.c.resolved_at < bindparam("until"),
    )
    .group_by(resolution.c.kind, resolution.c.result, resolution.c.currency)
    .order_by(resolution.c.kind, resolution.c.result, resolution.c.currency)
)
_TOTALS = Sighted(_totals, partial(ticket_is_seen, resolution.c.ticket_id))


class ResolutionRepository:
    """The resolutions of one tenant, inside one unit of work; totals of what a caller sees."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight

    async def add(
        self, ticket_id: UUID, episode: int, how: ResolutionCreate, *, by: str, at: datetime
    ) -> ResolutionRead:
        """Keep how an episode ended."""
        money = how.amount.to_money() if how.amount else None
        row = await self._uow.one(
            insert(resolution)
            .values(
                tenant_id=self._uow.tenant_id,
                ticket_id=ticket_id,
                episode=episode,
                kind=how.kind,
                amount_minor=money.amount_minor if money else None,
                currency=money.currency if money else None,
                result=how.result,
                reason=how.reason,
                resolved_by=by,
                resolved_at=at,
            )
            .returning(resolution)
        )
        return _read(row)

    async def find(self, ticket_id: UUID, episode: int) -> ResolutionRead | None:
        """How an episode ended, if it has."""
        row = await self._uow.one_or_none(
            _OF_EPISODE,
            {"tenant": self._uow.tenant_id, "ticket": ticket_id, "episode": episode},
        )
        return None if row is None else _read(row)

    async def totals(self, *, since: datetime, until: datetime) -> Sequence[ResolutionTotal]:
        """Counts and sums of `since` <= resolved < `until`, by kind, result and currency."""
        period = {"tenant": self._uow.tenant_id, "since": since, "until": until}
        statement, seen = _TOTALS.seen_by(self._sight)
        rows = await self._uow.rows(statement, {**period, **seen})
        return [
            ResolutionTotal(
                kind=row.kind,
                result=row.result,
                count=row.count,
                amount=_money(row.amount_minor, row.currency),
            )
            for row in rows
        ]


def _read(row: Row[*tuple[Any, ...]]) -> ResolutionRead:
    return ResolutionRead(
        ticket_id=row.ticket_id,
        episode=row.episode,
        kind=row.kind,
        amount=_money(row.amount_minor, row.currency),
        result=row.result,
        reason=row.reason,
        resolved_at=row.resolved_at,
    )


def _money(amount_minor: int | None, currency: str | None) -> MoneyRead | None:
    if amount_minor is None or currency is None:
        return None
    return MoneyRead.of(Money(amount_minor, currency))
