"""SQL of the figures of this service."""

from uuid import UUID

from sqlalchemy import BindParameter, bindparam, func, select

from services.support_ticket.conversations.models import message
from services.support_ticket.surveys.models import survey, survey_response
from services.support_ticket.tickets.models import ticket, ticket_episode
from services.support_ticket.tickets.states import STATUSES
from shared.db.unit_of_work import UnitOfWork

_TENANT: BindParameter[UUID] = bindparam("tenant")
_BY_STATUS = (
    select(ticket.c.status, func.count())
    .where(ticket.c.tenant_id == _TENANT)
    .group_by(ticket.c.status)
)
_COUNTS = {
    "reopened": select(func.count()).where(
        ticket_episode.c.tenant_id == _TENANT, ticket_episode.c.reason == "reopened"
    ),
    "replies": select(func.count()).where(
        message.c.tenant_id == _TENANT, message.c.kind == "reply", message.c.kind != "customer"
    ),
    "notes": select(func.count()).where(
        message.c.tenant_id == _TENANT, message.c.kind == "note", message.c.kind != "customer"
    ),
    "inbound_messages": select(func.count()).where(
        message.c.tenant_id == _TENANT, message.c.external_id.is_not(None)
    ),
    "surveys_invited": select(func.count()).where(survey.c.tenant_id == _TENANT),
    "surveys_answered": select(func.count()).where(survey_response.c.tenant_id == _TENANT),
}
_ALL = select(*(count.scalar_subquery().label(name) for name, count in _COUNTS.items()))


class CareLoopCounts:
    """What this service contributes to the report of the care loop, of one tenant."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def read(self) -> dict[str, int]:
        """Counts by name; each is answered by an index."""
        tenant = {"tenant": self._uow.tenant_id}
        by_status = {row[0]: row[1] for row in await self._uow.rows(_BY_STATUS, tenant)}
        others = await self._uow.one(_ALL, tenant)
        return {
            "tickets": sum(by_status.values()),
            **{f"tickets_{status}": by_status.get(status, 0) for status in STATUSES},
            **{name: getattr(others, name) for name in _COUNTS},
        }
