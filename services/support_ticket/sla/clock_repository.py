"""SQL of the clocks of tickets."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert

from services.support_ticket.calendars.models import business_calendar, business_calendar_version
from services.support_ticket.calendars.opening_hours import CalendarVersion
from services.support_ticket.sla.clocks import Clock, ClockState, Metric
from services.support_ticket.sla.episodes import EpisodeClocks, SlaTerms
from services.support_ticket.sla.models import (
    sla_clock,
    sla_event,
    sla_policy,
    sla_policy_version,
)
from services.support_ticket.sla.schemas import SlaTargets
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

_MICROSECOND: Final = timedelta(microseconds=1)
_CHANGEABLE: Final = (
    "state",
    "target_seconds",
    "consumed_microseconds",
    "running_since",
    "due_at",
    "ended_at",
)

_CLOCKS = (
    select(sla_clock)
    .where(
        sla_clock.c.tenant_id == bindparam("tenant"),
        sla_clock.c.ticket_id == bindparam("ticket"),
        sla_clock.c.episode == bindparam("episode"),
    )
    .order_by(sla_clock.c.metric, sla_clock.c.instance)
)
_TERMS = (
    select(
        sla_policy_version.c.targets,
        business_calendar_version.c.definition,
    )
    .join_from(
        sla_policy_version,
        business_calendar_version,
        sla_policy_version.c.tenant_id == business_calendar_version.c.tenant_id,
    )
    .where(
        sla_policy_version.c.tenant_id == bindparam("tenant"),
        sla_policy_version.c.policy_id == bindparam("policy"),
        sla_policy_version.c.version == bindparam("policy_version"),
        business_calendar_version.c.calendar_id == bindparam("calendar"),
        business_calendar_version.c.version == bindparam("calendar_version"),
    )
)
_CURRENT_TERMS = (
    select(
        sla_policy.c.id,
        sla_policy.c.version,
        sla_policy.c.targets,
        sla_policy.c.calendar_id,
        business_calendar.c.version.label("calendar_version"),
        business_calendar.c.definition,
    )
    .join_from(
        sla_policy,
        business_calendar,
        (sla_policy.c.tenant_id == business_calendar.c.tenant_id)
        & (sla_policy.c.calendar_id == business_calendar.c.id),
    )
    .where(sla_policy.c.tenant_id == bindparam("tenant"), sla_policy.c.is_default.is_(True))
)
_UPDATE = (
    update(sla_clock)
    .where(
        sla_clock.c.tenant_id == bindparam("tenant"),
        sla_clock.c.ticket_id == bindparam("ticket"),
        sla_clock.c.episode == bindparam("for_episode"),
        sla_clock.c.metric == bindparam("for_metric"),
        sla_clock.c.instance == 1,
    )
    .values({name: bindparam(f"new_{name}") for name in _CHANGEABLE})
)


class ClockRepository:
    """The clocks of one tenant's tickets, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def current_terms(self) -> SlaTerms:
        """What a new episode is promised. Raises NoResultFound before the shop is provisioned."""
        tenant = self._uow.tenant_id
        row = await self._uow.one(_CURRENT_TERMS, {"tenant": tenant})
        return SlaTerms(
            policy_id=row.id,
            policy_version=row.version,
            targets=SlaTargets.model_validate(row.targets),
            calendar=CalendarVersion(tenant, row.calendar_id, row.calendar_version, row.definition),
        )

    async def terms(
        self, *, policy_id: UUID, policy_version: int, calendar_id: UUID, calendar_version: int
    ) -> SlaTerms:
        """The promise of a running episode. Versions are never deleted, so it is always there."""
        tenant = self._uow.tenant_id
        row = await self._uow.one(
            _TERMS,
            {
                "tenant": tenant,
                "policy": policy_id,
                "policy_version": policy_version,
                "calendar": calendar_id,
                "calendar_version": calendar_version,
            },
        )
        return SlaTerms(
            policy_id=policy_id,
            policy_version=policy_version,
            targets=SlaTargets.model_validate(row.targets),
            calendar=CalendarVersion(tenant, calendar_id, calendar_version, row.definition),
        )

    async def load(self, ticket_id: UUID, episode: int, terms: SlaTerms) -> EpisodeClocks:
        """The clocks of one episode."""
        rows = await self._uow.rows(
            _CLOCKS, {"tenant": self._uow.tenant_id, "ticket": ticket_id, "episode": episode}
        )
        clocks = [_clock(row) for row in rows]
        return EpisodeClocks(clocks, terms.calendar.calendar(clocks[0].started_at.year))

    async def add(self, ticket_id: UUID, episode: int, clocks: EpisodeClocks) -> None:
        """Keep the clocks of a new episode."""
        rows = [clock_row(self._uow, ticket_id, episode, clock) for clock in clocks.all()]
        await self._uow.execute(insert(sla_clock).values(rows))

    async def save(self, ticket_id: UUID, episode: int, clocks: EpisodeClocks) -> None:
        """Keep what was done to the clocks of an episode, and that it was done."""
        if not clocks.events:
            return
        for metric in dict.fromkeys(event.clock.metric for event in clocks.events):
            row = clock_row(self._uow, ticket_id, episode, clocks[metric])
            changed = {f"new_{name}": row[name] for name in _CHANGEABLE}
            await self._uow.execute(
                _UPDATE,
                {
                    "tenant": self._uow.tenant_id,
                    "ticket": ticket_id,
                    "for_episode": episode,
                    "for_metric": metric.value,
                    **changed,
                },
            )
        await self._uow.execute(
            pg_insert(sla_event).values(
                [
                    {
                        "tenant_id": self._uow.tenant_id,
                        "ticket_id": ticket_id,
                        "id": new_id(),
                        "episode": episode,
                        "metric": event.clock.metric.value,
                        "kind": event.kind,
                        "target_seconds": event.clock.target // timedelta(seconds=1),
                        "due_at": event.clock.due_at,
                        "at": event.at,
                    }
                    for event in clocks.events
                ]
            )
        )
        clocks.events.clear()


def clock_row(uow: UnitOfWork, ticket_id: UUID, episode: int, clock: Clock) -> dict[str, Any]:
    """The row of a clock."""
    return {
        "tenant_id": uow.tenant_id,
        "ticket_id": ticket_id,
        "episode": episode,
        "metric": clock.metric.value,
        "instance": 1,
        "state": clock.state.value,
        "target_seconds": clock.target // timedelta(seconds=1),
        "consumed_microseconds": clock.consumed // _MICROSECOND,
        "started_at": clock.started_at,
        "running_since": clock.running_since,
        "due_at": clock.due_at,
        "ended_at": clock.ended_at,
    }


def _clock(row: Row[*tuple[Any, ...]]) -> Clock:
    return Clock(
        metric=Metric(row.metric),
        state=ClockState(row.state),
        target=timedelta(seconds=row.target_seconds),
        consumed=row.consumed_microseconds * _MICROSECOND,
        started_at=row.started_at,
        running_since=row.running_since,
        due_at=row.due_at,
        ended_at=row.ended_at,
    )
