"""SQL of surveys and their answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.support_ticket.surveys.models import survey, survey_response
from services.support_ticket.surveys.schemas import SurveyRead, SurveyResponseRead
from services.support_ticket.tickets.models import ticket
from services.support_ticket.tickets.sight import ticket_is_seen
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.tables import part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.languages import Language
from shared.security.sight import Sight

_tenant = part_tables("support_ticket").tenant
_ANSWERED = (survey_response.c.tenant_id == survey.c.tenant_id) & (
    survey_response.c.survey_id == survey.c.id
)
_SHOP = select(_tenant.c.name, _tenant.c.locale).where(_tenant.c.tenant_id == bindparam("tenant"))
_INVITE = (
    insert(survey)
    .on_conflict_do_nothing(index_elements=["tenant_id", "ticket_id", "episode", "kind"])
    .returning(survey.c.id)
)
_ANSWER = insert(survey_response).on_conflict_do_nothing(
    index_elements=list(survey_response.primary_key.columns)
)
_ASKED = (
    select(
        survey.c.id,
        survey.c.ticket_id,
        survey.c.episode,
        survey.c.customer_id,
        survey.c.locale,
        ticket.c.code,
        ticket.c.subject,
        _tenant.c.name.label("shop"),
        survey_response.c.answered_at,
    )
    .select_from(
        survey.join(
            ticket,
            (ticket.c.tenant_id == survey.c.tenant_id) & (ticket.c.id == survey.c.ticket_id),
        )
        .join(_tenant, _tenant.c.tenant_id == survey.c.tenant_id)
        .outerjoin(survey_response, _ANSWERED)
    )
    .where(survey.c.tenant_id == bindparam("tenant"), survey.c.id == bindparam("survey"))
)
_LIST = (
    select(survey, survey_response.c.answered_at)
    .select_from(survey.outerjoin(survey_response, _ANSWERED))
    .where(survey.c.tenant_id == bindparam("tenant"))
)
_NEWEST = (
    SortKey(survey.c.invited_at, "invited_at", parse_instant, descending=True),
    SortKey(survey.c.id, "id", parse_id, descending=True),
)
_LIST_RESPONSES = (
    select(survey_response, survey.c.kind, survey.c.episode)
    .select_from(survey_response.join(survey, _ANSWERED))
    .where(survey_response.c.tenant_id == bindparam("tenant"))
)
_NEWEST_RESPONSE = (
    SortKey(survey_response.c.answered_at, "answered_at", parse_instant, descending=True),
    SortKey(survey_response.c.survey_id, "survey_id", parse_id, descending=True),
)


@dataclass(frozen=True, slots=True)
class Shop:
    """What a page says of the shop."""

    name: str
    locale: Language


@dataclass(frozen=True, slots=True)
class AskedSurvey:
    """A survey with what its page shows."""

    id: UUID
    ticket_id: UUID
    episode: int
    customer_id: UUID | None
    locale: Language
    ticket_code: str
    ticket_subject: str
    shop: str
    answered_at: datetime | None


class SurveyRepository:
    """The surveys of one tenant, inside one unit of work; lists of what a caller sees."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight

    async def shop(self) -> Shop:
        """The shop itself; it is there as soon as there are tickets."""
        return Shop(*await self._uow.one(_SHOP, {"tenant": self._uow.tenant_id}))

    async def add(self, values: dict[str, Any]) -> UUID | None:
        """Invite once per episode; None when it has been done."""
        added: UUID | None = await self._uow.scalar(
            _INVITE, {"tenant_id": self._uow.tenant_id, **values}
        )
        return added

    async def find_asked(self, survey_id: UUID) -> AskedSurvey | None:
        """A survey as its page shows it."""
        row = await self._uow.one_or_none(
            _ASKED, {"tenant": self._uow.tenant_id, "survey": survey_id}
        )
        return None if row is None else AskedSurvey(*row)

    async def add_response(self, values: dict[str, Any]) -> bool:
        """Keep an answer; False when there is one. Whoever comes second waits and then knows."""
        return (await self._uow.execute(_ANSWER, {"tenant_id": self._uow.tenant_id, **values})) == 1

    async def list_page(
        self, request: PageRequest, *, ticket_id: UUID | None
    ) -> tuple[Sequence[SurveyRead], str | None]:
        """A page of invitations, newest first."""
        statement = _LIST if ticket_id is None else _LIST.where(survey.c.ticket_id == ticket_id)
        statement, parameters = self._seen(statement, survey.c.ticket_id)
        rows = await self._uow.rows(page(statement, _NEWEST, request), parameters)
        surveys = [SurveyRead.model_validate(row._mapping) for row in rows]
        return next_cursor(surveys, _NEWEST, request.limit)

    async def list_responses(
        self, request: PageRequest, *, ticket_id: UUID | None, max_score: int | None
    ) -> tuple[Sequence[SurveyResponseRead], str | None]:
        """A page of answers, newest first."""
        statement = _LIST_RESPONSES
        if ticket_id is not None:
            statement = statement.where(survey_response.c.ticket_id == ticket_id)
        if max_score is not None:
            statement = statement.where(survey_response.c.score <= max_score)
        statement, parameters = self._seen(statement, survey_response.c.ticket_id)
        rows: Sequence[Row[*tuple[Any, ...]]] = await self._uow.rows(
            page(statement, _NEWEST_RESPONSE, request), parameters
        )
        responses = [SurveyResponseRead.model_validate(row._mapping) for row in rows]
        return next_cursor(responses, _NEWEST_RESPONSE, request.limit)

    def _seen(
        self, statement: Select[Any], ticket_id: ColumnElement[Any]
    ) -> tuple[Select[Any], dict[str, Any]]:
        """The statement narrowed to tickets that the caller sees, and its parameters."""
        tenant = {"tenant": self._uow.tenant_id}
        if self._sight is None:
            return statement, tenant
        seen = ticket_is_seen(ticket_id, of_teams=self._sight.of_teams)
        return statement.where(seen), {**tenant, **self._sight.parameters()}
