"""What the support service tells of tickets is counted for those who worked on them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.customer.care_statistics.facts import TicketFactRepository
from services.customer.care_statistics.models import NOBODY
from shared.contracts.event import Event
from shared.contracts.support_ticket import (
    SurveyAnswered,
    TicketCreated,
    TicketReplied,
    TicketResolved,
    TicketState,
    TicketUpdated,
)
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope

_TOLD: Final[dict[str, type[Event]]] = {
    event.type: event
    for event in (TicketCreated, TicketUpdated, TicketReplied, TicketResolved, SurveyAnswered)
}
_OPEN: Final = frozenset({"new", "open", "pending_customer", "on_hold"})
_FIVE: Final = 500


async def count_tickets(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
    """Keep what is told of tickets, and pass over everything else. Told again it is the same."""
    facts: list[dict[str, Any]] = []
    owed: dict[UUID, dict[str, Any]] = {}
    for envelope in envelopes:
        if envelope.type not in _TOLD:
            continue
        event: Any = envelope.read(_TOLD[envelope.type])
        ticket: TicketState = event.ticket
        facts += _facts(ticket, envelope.occurred_at)
        if isinstance(event, SurveyAnswered):
            facts += _rated(event)
        before = owed.get(ticket.ticket_id)
        if before is None or before["version"] < ticket.version:
            owed[ticket.ticket_id] = _owed(ticket)
    repository = TicketFactRepository(uow)
    await repository.add(facts)
    await repository.owe(list(owed.values()))


def _facts(ticket: TicketState, told_at: datetime) -> Iterator[dict[str, Any]]:
    """What a state shows to have been done. Only the first answer of all is the first."""
    if ticket.assignee_id is not None:
        yield _fact(ticket, "given", str(ticket.assignee_id), told_at)
    if ticket.first_responded_at is not None:
        took = ticket.first_responded_at - ticket.opened_at
        yield {
            **_fact(ticket, "answered", "", ticket.first_responded_at),
            "seconds": max(0, int(took.total_seconds())),
            "is_late": _is_late(ticket.first_responded_at, ticket.first_response_due_at),
        }
    if ticket.resolved_at is not None:
        yield {
            **_fact(ticket, "resolved", ticket.resolved_at.isoformat(), ticket.resolved_at),
            "is_late": _is_late(ticket.resolved_at, ticket.resolution_due_at),
        }


def _rated(answer: SurveyAnswered) -> Iterator[dict[str, Any]]:
    if answer.ticket.assignee_id is not None:
        yield {
            **_fact(answer.ticket, "rated", str(answer.survey_id), answer.answered_at),
            "score": round(answer.score * _FIVE / answer.scale_max),
        }


def _fact(ticket: TicketState, kind: str, mark: str, at: datetime) -> dict[str, Any]:
    nothing = {"seconds": None, "is_late": None, "score": None}
    subject = {"ticket_id": ticket.ticket_id, "staff_id": ticket.assignee_id or NOBODY}
    return {**subject, "kind": kind, "mark": mark, "at": at, **nothing}


def _owed(ticket: TicketState) -> dict[str, Any]:
    return {
        "ticket_id": ticket.ticket_id,
        "version": ticket.version,
        "staff_id": ticket.assignee_id,
        "is_open": ticket.status in _OPEN,
        "due_at": ticket.resolution_due_at,
    }


def _is_late(at: datetime, due_at: datetime | None) -> bool:
    return due_at is not None and at > due_at
