"""Answering a survey from its link."""

from services.support_ticket.surveys.repository import AskedSurvey, SurveyRepository
from services.support_ticket.tickets.repository import TicketRepository
from shared.contracts.support_ticket import SurveyAnswered, TicketUpdated
from shared.db.unit_of_work import UnitOfWork
from shared.errors import NotFound
from shared.security.link_tokens import LinkTokens


class SurveyLinkNotValid(NotFound):
    """Nothing this installation has sent, or not to a customer of this shop."""

    code = "survey_link_not_valid"
    title = "This link is not valid"


class SurveyAnswering:
    """What the holder of a survey's link can do."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        surveys: SurveyRepository,
        tickets: TicketRepository,
        links: LinkTokens,
    ) -> None:
        self._uow = uow
        self._surveys = surveys
        self._tickets = tickets
        self._links = links

    async def open(self, token: str) -> AskedSurvey:
        """The survey of a link; changes nothing. Raises SurveyLinkNotValid."""
        try:
            target = self._links.verify(token)
        except NotFound as error:
            raise SurveyLinkNotValid from error
        asked = None
        if target.tenant_id == self._uow.tenant_id:
            asked = await self._surveys.find_asked(target.subject_id)
        if asked is None:
            raise SurveyLinkNotValid
        return asked

    async def answer(self, asked: AskedSurvey, *, score: int, comment: str | None) -> bool:
        """Keep the answer and tell of it; False, and nothing changed, when there was one before."""
        now = self._uow.clock.now()
        first = await self._surveys.add_response(
            {
                "survey_id": asked.id,
                "ticket_id": asked.ticket_id,
                "customer_id": asked.customer_id,
                "score": score,
                "comment": comment,
                "locale": asked.locale,
                "answered_at": now,
            }
        )
        if not first:
            return False
        current = await self._tickets.lock(asked.ticket_id)
        await self._tickets.update_episode(asked.ticket_id, asked.episode, {"csat": score})
        scored = await self._tickets.update(current, {"csat": score})
        self._uow.append(TicketUpdated(ticket=scored.state()), key=scored.id)
        answered = SurveyAnswered(
            survey_id=asked.id,
            ticket=scored.state(),
            score=score,
            comment=comment,
            answered_at=now,
        )
        self._uow.append(answered, key=scored.id)
        return True
