"""SQL of conversations and messages."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, insert, select, tuple_

from services.support_ticket.conversations.models import conversation, message
from services.support_ticket.conversations.record import COLUMNS, Message
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork

_COLUMNS = tuple(message.c[name] for name in COLUMNS)
_ORDER = (
    SortKey(message.c.created_at, "created_at", parse_instant),
    SortKey(message.c.id, "id", parse_id),
)
_OF_TICKET = select(*_COLUMNS).where(
    message.c.tenant_id == bindparam("tenant"), message.c.ticket_id == bindparam("ticket")
)
_WITHOUT_NOTES = _OF_TICKET.where(message.c.kind != "note")
_ADD = insert(message)
_KNOWN = select(message.c.channel, message.c.external_id).where(
    message.c.tenant_id == bindparam("tenant"),
    tuple_(message.c.channel, message.c.external_id).in_(bindparam("external_ids", expanding=True)),
)
_THREADS = select(conversation.c.channel, conversation.c.thread_key, conversation.c.id).where(
    conversation.c.tenant_id == bindparam("tenant"),
    tuple_(conversation.c.channel, conversation.c.thread_key).in_(
        bindparam("threads", expanding=True)
    ),
)


class ConversationRepository:
    """The conversations of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def add(self, new: Message) -> None:
        """Keep a message."""
        values = {name: getattr(new, name) for name in COLUMNS}
        await self._uow.execute(_ADD, {"tenant_id": self._uow.tenant_id, **values})

    async def list_page(
        self, ticket_id: UUID, request: PageRequest, *, notes: bool
    ) -> tuple[Sequence[Message], str | None]:
        """A page of what was said on a ticket, oldest first, with or without notes."""
        statement = page(_OF_TICKET if notes else _WITHOUT_NOTES, _ORDER, request)
        rows = await self._uow.rows(statement, {"tenant": self._uow.tenant_id, "ticket": ticket_id})
        return next_cursor([Message.of(row) for row in rows], _ORDER, request.limit)

    async def known_external_ids(
        self, external_ids: Sequence[tuple[str, str]]
    ) -> set[tuple[str, str]]:
        """Which of these messages, named by channel and the channel's id, are kept already."""
        rows = await self._uow.rows(
            _KNOWN, {"tenant": self._uow.tenant_id, "external_ids": list(external_ids)}
        )
        return {(row.channel, row.external_id) for row in rows}

    async def find_threads(self, threads: Sequence[tuple[str, str]]) -> dict[tuple[str, str], UUID]:
        """The conversations of these threads, named by channel and the channel's key."""
        if not threads:
            return {}
        rows = await self._uow.rows(
            _THREADS, {"tenant": self._uow.tenant_id, "threads": list(threads)}
        )
        return {(row.channel, row.thread_key): row.id for row in rows}
