"""Surveys and answers as clients see them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field


class SurveyRead(BaseModel):
    """An invitation to say how an episode of a ticket went."""

    id: UUID
    object: Literal["survey"] = "survey"
    kind: Literal["csat"]
    ticket_id: UUID
    episode: int
    customer_id: UUID | None
    invited_at: datetime
    answered_at: datetime | None


class SurveyResponseRead(BaseModel):
    """What was answered; the first answer counts and stays."""

    survey_id: UUID
    object: Literal["survey_response"] = "survey_response"
    kind: Literal["csat"]
    ticket_id: UUID
    episode: int
    customer_id: UUID | None
    score: int = Field(ge=1, le=5, description="1 very unhappy, 5 very happy")
    scale_max: Literal[5] = 5
    comment: str | None
    answered_at: datetime
