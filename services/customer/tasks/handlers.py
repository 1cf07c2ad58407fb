"""An unhappy answer to a survey gives the lead something to do."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from services.customer.tasks.entries import new_task, task_entries
from services.customer.tasks.repository import TaskRepository
from services.customer.timeline.handlers import tell_timeline
from services.customer.timeline.repository import TimelineRepository
from shared.contracts.support_ticket import SurveyAnswered
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope

FOLLOW_UP_WITHIN = timedelta(days=1)
# On a scale of five, 1 and 2 are unhappy; on another scale as much of it.
_UNHAPPY_SHARE = 2 / 5


async def follow_up_surveys(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
    """Tell the timelines of the answers, and have a manager call whoever is unhappy."""
    await tell_timeline(uow, envelopes)
    answers = [envelope.read(SurveyAnswered) for envelope in envelopes]
    tasks = [_follow_up(uow, answer) for answer in answers if _is_unhappy(answer)]
    added = await TaskRepository(uow).add_caused(tasks)
    await TimelineRepository(uow).add(task_entries(added, "task.created"))


def _is_unhappy(answer: SurveyAnswered) -> bool:
    return answer.score <= answer.scale_max * _UNHAPPY_SHARE


def _follow_up(uow: UnitOfWork, answer: SurveyAnswered) -> Mapping[str, Any]:
    ticket = answer.ticket
    return {
        **new_task(uow, due_in=FOLLOW_UP_WITHIN),
        "customer_id": ticket.customer_id,
        "kind": "follow_up",
        "title": f"{ticket.code}: {answer.score}/{answer.scale_max}, {ticket.subject}"[:255],
        "note": answer.comment,
        "assignee_id": None,
        "assignee_role": "manager",
        "created_by": None,
        "ticket_id": ticket.ticket_id,
        "cause_id": answer.survey_id,
    }
