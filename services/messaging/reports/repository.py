"""SQL of the counts that this service adds to the care-loop report."""

from typing import Any

from sqlalchemy import Row, Uuid, bindparam, func, select

from services.messaging.inbound.models import inbound_message
from services.messaging.messages.models import message
from services.messaging.preferences.models import suppression
from shared.db.unit_of_work import UnitOfWork

TENANT = bindparam("tenant", type_=Uuid)
_MESSAGES = (
    select(message.c.origin, message.c.status, func.count().label("messages"))
    .where(message.c.tenant_id == TENANT)
    .group_by(message.c.origin, message.c.status)
)
_OTHERS = select(
    select(func.count())
    .select_from(inbound_message)
    .where(inbound_message.c.tenant_id == TENANT)
    .scalar_subquery()
    .label("inbound_messages"),
    select(func.count())
    .select_from(suppression)
    .where(suppression.c.tenant_id == TENANT, suppression.c.reason == "unsubscribed")
    .scalar_subquery()
    .label("unsubscribed"),
)


class ReportRepository:
    """Counts inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def messages(self) -> list[tuple[str, str, int]]:
        """Origin, status, and how many messages."""
        rows = await self._uow.rows(_MESSAGES, self._tenant)
        return [(row.origin, row.status, row.messages) for row in rows]

    async def others(self) -> Row[*tuple[Any, ...]]:
        """How many inbound messages and unsubscribed addresses."""
        return await self._uow.one(_OTHERS, self._tenant)
