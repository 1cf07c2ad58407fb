"""Surveys that customers were invited to, and what they answered."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from services.support_ticket.models import metadata
from services.support_ticket.tickets.models import ticket
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import belonging_to, personal

survey = Table(
    "survey",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("ticket_id", Uuid, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("customer_id", Uuid),
    Column("locale", Text, nullable=False),
    instant("invited_at"),
    CheckConstraint("kind IN ('csat')", name="kind"),
    CheckConstraint("locale IN ('vi', 'en')", name="locale"),
    ForeignKeyConstraint(
        ["tenant_id", "ticket_id", "episode"],
        [
            "support_ticket.ticket_episode.tenant_id",
            "support_ticket.ticket_episode.ticket_id",
            "support_ticket.ticket_episode.number",
        ],
        name="fk_survey_episode",
    ),
)
# One question per round, however often its end is told.
Index(
    "uq_survey_episode",
    survey.c.tenant_id,
    survey.c.ticket_id,
    survey.c.episode,
    survey.c.kind,
    unique=True,
)
Index("ix_survey_newest", survey.c.tenant_id, survey.c.invited_at, survey.c.id)

# The primary key is what makes a survey answerable once.
survey_response = Table(
    "survey_response",
    metadata,
    tenant_column(),
    Column("survey_id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, nullable=False),
    Column("customer_id", Uuid),
    Column("score", SmallInteger, nullable=False),
    Column("comment", Text),
    Column("locale", Text, nullable=False),
    instant("answered_at"),
    CheckConstraint("score BETWEEN 1 AND 5", name="score"),
    ForeignKeyConstraint(
        ["tenant_id", "survey_id"],
        ["support_ticket.survey.tenant_id", "support_ticket.survey.id"],
        name="fk_survey_response_survey",
    ),
)
Index(
    "ix_survey_response_newest",
    survey_response.c.tenant_id,
    survey_response.c.answered_at,
    survey_response.c.survey_id,
)
Index("ix_survey_response_ticket", survey_response.c.tenant_id, survey_response.c.ticket_id)

personal(survey, of=belonging_to(ticket, "ticket_id"), erase={})
personal(survey_response, of=belonging_to(ticket, "ticket_id"), erase={"comment": None})
