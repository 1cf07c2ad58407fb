"""SQL of tickets and their episodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text, Uuid

from services.support_ticket.customers.aliases import CUSTOMERS
from services.support_ticket.sla.episodes import SlaTerms
from services.support_ticket.tickets.errors import TicketNotFound
from services.support_ticket.tickets.models import ticket, ticket_episode
from services.support_ticket.tickets.priority import Priority
from services.support_ticket.tickets.record import COLUMNS, Ticket
from services.support_ticket.tickets.schemas import EpisodeRead
from services.support_ticket.tickets.sight import is_seen, sources
from services.support_ticket.tickets.states import UNFINISHED
from shared.contracts.support_ticket import TicketStatus, TicketType
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.sighted import Sighted
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

_COLUMNS = tuple(ticket.c[name] for name in COLUMNS)
_NEWEST_FIRST = (
    SortKey(ticket.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(ticket.c.id, "id", parse_id, descending=True),
)
_OF_TENANT = ticket.c.tenant_id == bindparam("tenant")
_by_id = select(*_COLUMNS).where(_OF_TENANT, ticket.c.id == bindparam("ticket"))
_BY_ID = Sighted(_by_id, is_seen)
_LOCK = Sighted(_by_id.with_for_update(), is_seen)
_OWN_BY_ID = _by_id.where(
    ticket.c.customer_id == func.any(CUSTOMERS.members(bindparam("owner", type_=Uuid))),
    ticket.c.customer_link == "given",
)
_LOCK_OWN = _OWN_BY_ID.with_for_update()
_OF_PERSON = ticket.c.customer_id == func.any(CUSTOMERS.members(bindparam("customer", type_=Uuid)))
_OPEN_OF_CUSTOMER = Sighted(
    select(func.count()).where(_OF_TENANT, _OF_PERSON, ticket.c.status.in_(UNFINISHED)), is_seen
)
_NEWEST = (ticket.c.created_at.desc(), ticket.c.id.desc())
# An ended ticket goes on when its customer writes again soon enough.
_CONTINUABLE = or_(
    ticket.c.status.in_(UNFINISHED),
    func.coalesce(ticket.c.closed_at, ticket.c.resolved_at) >= bindparam("ended_since"),
)
_OF_CONVERSATION = (
    select(*_COLUMNS)
    .where(_OF_TENANT, ticket.c.conversation_id == bindparam("conversation"), _CONTINUABLE)
    .order_by(ticket.c.status.in_(UNFINISHED).desc(), *_NEWEST)
    .limit(1)
    .with_for_update()
)
_ON_CHANNEL = or_(
    ticket.c.channel == bindparam("channel"), ticket.c.reply_channel == bindparam("channel")
)
_OF_CUSTOMER = (
    select(*_COLUMNS)
    .where(_OF_TENANT, _OF_PERSON, _ON_CHANNEL, _CONTINUABLE)
    .order_by(
        ticket.c.status.in_(UNFINISHED).desc(),
        (ticket.c.channel == bindparam("channel")).desc(),
        *_NEWEST,
    )
    .limit(1)
    .with_for_update()
)
_OF_STRANGER = (
    select(*_COLUMNS)
    .where(
        _OF_TENANT,
        ticket.c.customer_id.is_(None),
        or_(
            ticket.c.contact_email == bindparam("email"),
            ticket.c.contact_phone == bindparam("phone"),
        ),
        _ON_CHANNEL,
        _CONTINUABLE,
    )
    .order_by(ticket.c.status.in_(UNFINISHED).desc(), *_NEWEST)
    .limit(1)
    .with_for_update()
)
_UNLINKED = (
    select(*_COLUMNS)
    .where(
        _OF_TENANT,
        ticket.c.customer_id.is_(None),
        or_(
            ticket.c.contact_email == bindparam("emails", type_=ARRAY(Text)).any_(),
            ticket.c.contact_phone == bindparam("phones", type_=ARRAY(Text)).any_(),
        ),
    )
    .order_by(ticket.c.id)
    .limit(1000)
    .with_for_update()
)
_EPISODES = (
    select(ticket_episode)
    .where(
        ticket_episode.c.tenant_id == bindparam("tenant"),
        ticket_episode.c.ticket_id == bindparam("ticket"),
    )
    .order_by(ticket_episode.c.number)
)
_EPISODE = _EPISODES.where(ticket_episode.c.number == bindparam("number"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """Which tickets a list shows; what is empty or None does not matter."""

    statuses: Sequence[TicketStatus] = ()
    priorities: Sequence[Priority] = ()
    types: Sequence[TicketType] = ()
    assignee_id: UUID | None = None
    unassigned_only: bool = False
    team_id: UUID | None = None
    customer_id: UUID | None = None
    code: str | None = None
    owner: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who wrote to the shop, and since when an ended ticket of theirs may go on."""

    channel: str
    customer_id: UUID | None
    email: str | None
    phone: str | None
    ended_since: datetime


class TicketRepository:
    """The tickets of one tenant, inside one unit of work.

    What a caller asks for (`get`, `lock`, `list_page`, `count_open`) is narrowed to their `sight`;
    an `owner` narrows it to what that customer may see of their own.
    """

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight

    async def get(self, ticket_id: UUID, *, owner: UUID | None = None) -> Ticket:
        """Raises TicketNotFound."""
        return await self._one(_BY_ID, _OWN_BY_ID, ticket_id, owner)

    async def lock(self, ticket_id: UUID, *, owner: UUID | None = None) -> Ticket:
        """The ticket, which nobody else can change now. Raises TicketNotFound."""
        return await self._one(_LOCK, _LOCK_OWN, ticket_id, owner)

    async def list_page(
        self, wanted: TicketFilter, request: PageRequest
    ) -> tuple[Sequence[Ticket], str | None]:
        """A page of tickets, newest first."""
        rows = await self._uow.rows(self._page(wanted, request), self._asked())
        return next_cursor([Ticket.of(row) for row in rows], _NEWEST_FIRST, request.limit)

    async def count_open(self, customer_id: UUID) -> int:
        """How many tickets of a customer, of all their records, are not resolved yet."""
        statement, seen = _OPEN_OF_CUSTOMER.seen_by(self._sight)
        asked = {"tenant": self._uow.tenant_id, **seen, "customer": customer_id}
        counted: int = await self._uow.scalar(statement, asked)
        return counted

    async def update(self, current: Ticket, changes: dict[str, Any]) -> Ticket:
        """Change a locked ticket; its next version."""
        row = await self._uow.one(
            update(ticket)
            .where(ticket.c.tenant_id == self._uow.tenant_id, ticket.c.id == current.id)
            .values(
                {**changes, "version": current.version + 1, "updated_at": self._uow.clock.now()}
            )
            .returning(*_COLUMNS)
        )
        return Ticket.of(row)

    async def lock_continuable_in(
        self, conversation_id: UUID, *, ended_since: datetime
    ) -> Ticket | None:
        """The ticket that a message in this conversation belongs to."""
        return await self._first(
            _OF_CONVERSATION, {"conversation": conversation_id, "ended_since": ended_since}
        )

    async def lock_continuable_of(self, writer: Writer) -> Ticket | None:
        """The ticket that the words of somebody who wrote outside of any thread belong to."""
        known = {"channel": writer.channel, "ended_since": writer.ended_since}
        if writer.customer_id is not None:
            return await self._first(_OF_CUSTOMER, {"customer": writer.customer_id, **known})
        if writer.email is None and writer.phone is None:
            return None
        return await self._first(
            _OF_STRANGER, {"email": writer.email, "phone": writer.phone, **known}
        )

    async def lock_unlinked(self, *, emails: Sequence[str], phones: Sequence[str]) -> list[Ticket]:
        """Tickets of people nobody knew when they wrote, by their addresses."""
        rows = await self._uow.rows(
            _UNLINKED,
            {"tenant": self._uow.tenant_id, "emails": list(emails), "phones": list(phones)},
        )
        return [Ticket.of(row) for row in rows]

    async def list_episodes(self, ticket_id: UUID) -> list[EpisodeRead]:
        """The rounds of a ticket, first to last."""
        rows = await self._uow.rows(_EPISODES, {"tenant": self._uow.tenant_id, "ticket": ticket_id})
        return [EpisodeRead.model_validate(row._mapping) for row in rows]

    async def get_episode(self, ticket_id: UUID, number: int) -> Any:
        """One round of a ticket as a row; a ticket has every round up to its current one."""
        return await self._uow.one(
            _EPISODE, {"tenant": self._uow.tenant_id, "ticket": ticket_id, "number": number}
        )

    async def add_episode(self, reopened: Ticket, terms: SlaTerms, at: datetime) -> None:
        """Keep the round that begins with a reopening."""
        await self._uow.execute(
            insert(ticket_episode).values(
                tenant_id=self._uow.tenant_id,
                ticket_id=reopened.id,
                number=reopened.episode,
                reason="reopened",
                priority=reopened.priority,
                policy_id=terms.policy_id,
                policy_version=terms.policy_version,
                calendar_id=terms.calendar.calendar_id,
                calendar_version=terms.calendar.version,
                opened_at=at,
                assignee_id=reopened.assignee_id,
            )
        )

    async def update_episode(self, ticket_id: UUID, number: int, changes: dict[str, Any]) -> None:
        """Change the figures of one round."""
        await self._uow.execute(
            update(ticket_episode)
            .where(
                ticket_episode.c.tenant_id == self._uow.tenant_id,
                ticket_episode.c.ticket_id == ticket_id,
                ticket_episode.c.number == number,
            )
            .values(changes)
        )

    async def _first(self, statement: Select[Any], parameters: dict[str, Any]) -> Ticket | None:
        row = await self._uow.one_or_none(statement, {"tenant": self._uow.tenant_id, **parameters})
        return None if row is None else Ticket.of(row)

    async def _one(
        self, sighted: Sighted, own: Select[Any], ticket_id: UUID, owner: UUID | None
    ) -> Ticket:
        """A ticket that the caller sees, or one of a person's own."""
        if owner is None:
            statement, more = sighted.seen_by(self._sight)
        else:
            statement, more = own, {"owner": owner}
        asked = {"tenant": self._uow.tenant_id, "ticket": ticket_id, **more}
        row = await self._uow.one_or_none(statement, asked)
        if row is None:
            raise TicketNotFound
        return Ticket.of(row)

    def _page(self, wanted: TicketFilter, request: PageRequest) -> Select[Any]:
        where = [_OF_TENANT, *_conditions(wanted)]
        people = [person for person in (wanted.owner, wanted.customer_id) if person is not None]
        if self._sight is not None:
            found = sources(of_teams=self._sight.of_teams)
        elif people:
            # An index has the tickets of each record in the order of the page.
            records = _records(people.pop())
            found = [Source(lambda record_id: ticket.c.customer_id == record_id, records)]
        else:
            return page(select(*_COLUMNS).where(*where), _NEWEST_FIRST, request)
        where += [ticket.c.customer_id == func.any(_records(person)) for person in people]
        return merged_page(
            ticket,
            _COLUMNS,
            found,
            where=where,
            order=_NEWEST_FIRST,
            request=request,
        )

    def _asked(self) -> dict[str, Any]:
        """The tenant, and who looks."""
        tenant = {"tenant": self._uow.tenant_id}
        return tenant if self._sight is None else {**tenant, **self._sight.parameters()}


def _records(person: UUID) -> ColumnElement[Any]:
    return CUSTOMERS.members(literal(person, Uuid))


def _conditions(wanted: TicketFilter) -> list[ColumnElement[bool]]:
    """All but whose they are."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.owner is not None:
        conditions.append(ticket.c.customer_link == "given")
    if wanted.unassigned_only:
        conditions.append(ticket.c.assignee_id.is_(None))
    elif wanted.assignee_id is not None:
        conditions.append(ticket.c.assignee_id == wanted.assignee_id)
    if wanted.team_id is not None:
        conditions.append(ticket.c.team_id == wanted.team_id)
    if wanted.code is not None:
        conditions.append(ticket.c.code == wanted.code)
    among = (
        (ticket.c.status, wanted.statuses),
        (ticket.c.priority, wanted.priorities),
        (ticket.c.type, wanted.types),
    )
    return conditions + [column.in_(values) for column, values in among if values]
