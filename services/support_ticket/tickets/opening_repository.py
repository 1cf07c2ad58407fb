"""SQL of opening a ticket: one statement that reads everything, one that writes everything.

Opening is the hot path of this service, and each round trip to the database costs as much as the
insert itself.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Executable, Table, bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Uuid

from services.support_ticket.calendars.models import business_calendar
from services.support_ticket.calendars.opening_hours import CalendarVersion
from services.support_ticket.conversations.models import conversation, message
from services.support_ticket.conversations.record import COLUMNS as MESSAGE_COLUMNS
from services.support_ticket.conversations.record import Message
from services.support_ticket.customers.aliases import CUSTOMERS
from services.support_ticket.customers.models import customer
from services.support_ticket.customers.repository import CustomerProfile
from services.support_ticket.queues.models import queue, queue_member
from services.support_ticket.sla.clock_repository import clock_row
from services.support_ticket.sla.clocks import Metric
from services.support_ticket.sla.episodes import EpisodeClocks, SlaTerms
from services.support_ticket.sla.models import sla_clock, sla_policy
from services.support_ticket.sla.schemas import SlaTargets
from services.support_ticket.tickets.models import priority_policy, ticket, ticket_episode
from services.support_ticket.tickets.priority import DEFAULT_POLICY, PriorityPolicy
from services.support_ticket.tickets.record import COLUMNS as TICKET_COLUMNS
from services.support_ticket.tickets.record import Ticket
from shared.db.outbox import outbox_rows
from shared.db.unit_of_work import UnitOfWork

_MEMBERS = (
    select(queue_member.c.agent_id)
    .where(queue_member.c.tenant_id == queue.c.tenant_id, queue_member.c.queue_id == queue.c.id)
    .order_by(queue_member.c.agent_id)
    .scalar_subquery()
)
_CUSTOMER = CUSTOMERS.root(bindparam("customer", type_=Uuid))
_READ = (
    select(
        queue.c.id.label("queue_id"),
        queue.c.team_id,
        func.array(_MEMBERS, type_=ARRAY(Uuid)).label("members"),
        sla_policy.c.id.label("policy_id"),
        sla_policy.c.version.label("policy_version"),
        sla_policy.c.targets,
        business_calendar.c.id.label("calendar_id"),
        business_calendar.c.version.label("calendar_version"),
        business_calendar.c.definition,
        priority_policy.c.policy.label("priority_policy"),
        customer.c.id.label("customer_id"),
        customer.c.code,
        customer.c.name,
        customer.c.email,
        customer.c.phone,
        customer.c.locale,
        customer.c.value_tier,
    )
    .select_from(
        queue.join(
            sla_policy,
            (sla_policy.c.tenant_id == queue.c.tenant_id) & sla_policy.c.is_default.is_(True),
        )
        .join(
            business_calendar,
            (business_calendar.c.tenant_id == sla_policy.c.tenant_id)
            & (business_calendar.c.id == sla_policy.c.calendar_id),
        )
        .outerjoin(priority_policy, priority_policy.c.tenant_id == queue.c.tenant_id)
        .outerjoin(
            customer,
            (customer.c.tenant_id == queue.c.tenant_id) & (customer.c.id == _CUSTOMER),
        )
    )
    .where(queue.c.tenant_id == bindparam("tenant"), queue.c.is_default.is_(True))
)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What decides how a new ticket is ranked, promised and assigned."""

    queue_id: UUID
    team_id: UUID | None
    members: list[UUID]
    terms: SlaTerms
    priorities: PriorityPolicy
    customer: CustomerProfile | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A new ticket with its first message and its clocks."""

    ticket: Ticket
    message: Message
    clocks: EpisodeClocks
    terms: SlaTerms
    thread_key: str | None
    in_known_conversation: bool


def _parameters(prefix: str, table: Table, columns: tuple[str, ...]) -> dict[str, Any]:
    """Each column's value as a parameter of its own; every row is of the same tenant."""
    named = {name: bindparam(f"{prefix}_{name}", type_=table.c[name].type) for name in columns}
    return {"tenant_id": bindparam("tenant", type_=table.c.tenant_id.type), **named}


# What is unknown when a ticket opens is left to be null.
_LATER: Final = {"plan", "resolution", "csat", "first_responded_at", "resolved_at", "closed_at"}
_TICKET: Final = tuple(name for name in TICKET_COLUMNS if name not in _LATER)
_CONVERSATION: Final = ("id", "channel", "thread_key", "created_at")
_EPISODE: Final = (
    "ticket_id",
    "number",
    "reason",
    "priority",
    "policy_id",
    "policy_version",
    "calendar_id",
    "calendar_version",
    "opened_at",
    "assignee_id",
)
_CLOCK: Final = (
    "ticket_id",
    "episode",
    "metric",
    "instance",
    "state",
    "target_seconds",
    "consumed_microseconds",
    "started_at",
    "running_since",
    "due_at",
)


def _write(*, with_conversation: bool) -> Executable:
    events = outbox_rows("support_ticket")
    first = insert(ticket).values(_parameters("ticket", ticket, _TICKET)).cte("new_ticket")
    episode = insert(ticket_episode).values(_parameters("episode", ticket_episode, _EPISODE))
    parts = [events, first, episode.cte("new_episode")]
    for metric in Metric:
        # One insert each: SQLAlchemy compiles an insert of several rows anew every time.
        clock = insert(sla_clock).values(_parameters(metric.value, sla_clock, _CLOCK))
        parts.append(clock.cte(f"new_{metric.value}_clock"))
    if with_conversation:
        thread = insert(conversation).values(
            _parameters("conversation", conversation, _CONVERSATION)
        )
        parts.insert(0, thread.cte("new_conversation"))
    return insert(message).values(_parameters("message", message, MESSAGE_COLUMNS)).add_cte(*parts)


_WRITE = _write(with_conversation=True)
_WRITE_INTO_CONVERSATION = _write(with_conversation=False)


class OpeningRepository:
    """What opening a ticket reads and writes, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def read_circumstances(self, customer_id: UUID | None) -> Circumstances | None:
        """How things stand for a ticket of this customer; None before the shop is provisioned."""
        tenant = self._uow.tenant_id
        row = await self._uow.one_or_none(_READ, {"tenant": tenant, "customer": customer_id})
        if row is None:
            return None
        known = row.customer_id is not None
        return Circumstances(
            queue_id=row.queue_id,
            team_id=row.team_id,
            members=row.members,
            terms=SlaTerms(
                policy_id=row.policy_id,
                policy_version=row.policy_version,
                targets=SlaTargets.model_validate(row.targets),
                calendar=CalendarVersion(
                    tenant, row.calendar_id, row.calendar_version, row.definition
                ),
            ),
            priorities=(
                DEFAULT_POLICY
                if row.priority_policy is None
                else PriorityPolicy.model_validate(row.priority_policy)
            ),
            customer=CustomerProfile(*row[-7:]) if known else None,
        )

    async def add(self, opened: Opened) -> None:
        """Keep a new ticket, its first episode with its clocks, its conversation and message.

        The events appended so far are written along.
        """
        new, terms = opened.ticket, opened.terms
        parameters: dict[str, Any] = {"tenant": self._uow.tenant_id}
        parameters |= _named("ticket", {name: getattr(new, name) for name in _TICKET})
        parameters |= _named("message", {n: getattr(opened.message, n) for n in MESSAGE_COLUMNS})
        parameters |= _named(
            "episode",
            {
                "ticket_id": new.id,
                "number": new.episode,
                "reason": "created",
                "priority": new.priority,
                "policy_id": terms.policy_id,
                "policy_version": terms.policy_version,
                "calendar_id": terms.calendar.calendar_id,
                "calendar_version": terms.calendar.version,
                "opened_at": new.created_at,
                "assignee_id": new.assignee_id,
            },
        )
        for clock in opened.clocks.all():
            row = clock_row(self._uow, new.id, new.episode, clock)
            parameters |= _named(clock.metric.value, {name: row[name] for name in _CLOCK})
        if opened.in_known_conversation:
            await self._uow.execute_with_events(_WRITE_INTO_CONVERSATION, parameters)
            return
        parameters |= _named(
            "conversation",
            {
                "id": new.conversation_id,
                "channel": new.channel,
                "thread_key": opened.thread_key,
                "created_at": new.created_at,
            },
        )
        await self._uow.execute_with_events(_WRITE, parameters)


def _named(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}_{name}": value for name, value in values.items()}
