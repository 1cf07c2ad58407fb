"""SQL of inbound messages."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.messaging.inbound.models import inbound_message
from services.messaging.inbound.records import InboundMessage
from services.messaging.recipients.aliases import RECIPIENTS
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork

TENANT = bindparam("tenant", type_=Uuid)
_OWN = inbound_message.c.tenant_id == TENANT
_ORDER = (
    SortKey(inbound_message.c.received_at, "received_at", parse_instant, descending=True),
    SortKey(inbound_message.c.id, "id", parse_id, descending=True),
)
_OF_PERSON = Source(
    lambda record_id: inbound_message.c.customer_id == record_id,
    RECIPIENTS.members(bindparam("customer", type_=Uuid)),
)
_ADD = insert(inbound_message).on_conflict_do_nothing(
    index_elements=["tenant_id", "channel", "external_id"]
)
_FIND = select(inbound_message).where(
    _OWN,
    inbound_message.c.channel == bindparam("channel", type_=Text),
    inbound_message.c.external_id == bindparam("external_id", type_=Text),
)


class InboundRepository:
    """Inbound messages inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, new: InboundMessage) -> bool:
        """Keep a message; False when its channel brought it before."""
        row = {name: getattr(new, name) for name in InboundMessage.__slots__}
        return await self._uow.execute(_ADD, {"tenant_id": self._uow.tenant_id, **row}) == 1

    async def get(self, *, channel: str, external_id: str) -> InboundMessage:
        """The message that a channel knows by this id."""
        values = {"channel": channel, "external_id": external_id}
        return InboundMessage.of(await self._uow.one(_FIND, {**self._tenant, **values}))

    async def list_page(
        self, request: PageRequest, *, customer_id: UUID | None, channel: str | None
    ) -> tuple[Sequence[InboundMessage], str | None]:
        """A page of messages, received last first, and the cursor of the next.

        A customer's are those from any record of the person.
        """
        where = [_OWN]
        if channel is not None:
            where.append(inbound_message.c.channel == channel)
        asked: dict[str, UUID] = {**self._tenant}
        if customer_id is None:
            statement = page(select(inbound_message).where(*where), _ORDER, request)
        else:
            asked["customer"] = customer_id
            statement = merged_page(
                inbound_message,
                list(inbound_message.c),
                [_OF_PERSON],
                where=where,
                order=_ORDER,
                request=request,
            )
        rows = await self._uow.rows(statement, asked)
        kept, cursor = next_cursor(rows, _ORDER, request.limit)
        return [InboundMessage.of(row) for row in kept], cursor
