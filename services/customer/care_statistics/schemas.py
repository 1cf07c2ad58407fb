"""Statistics of care as clients read them."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class OutcomeCount(BaseModel):
    """How often something ended so."""

    of: Literal["interaction", "task", "appointment"]
    kind: str | None = Field(description="Which kind of it; null for appointments")
    outcome: str = Field(examples=["call_again"])
    count: int


class CareFigures(BaseModel):
    """What somebody, or a team, did for customers on one day, on the shop's clocks."""

    staff_id: UUID | None = Field(description="Null in a report by team")
    team_id: UUID | None = Field(description="Null in a report by member of staff")
    day: date | None = Field(description="Null in a report of the whole period")
    skills: list[str] = Field(description="What they can do; empty for a team")
    shift_minutes: int = Field(
        description="How long their shifts were, or those of who works in the team now, as far as "
        "the report is about them"
    )
    contacts: int = Field(description="Interactions that began on the day")
    contact_seconds: int = Field(description="How long those took whose duration is known")
    tasks_done: int
    tasks_done_late: int = Field(description="Of these, after they were due")
    tasks_overdue: int = Field(description="Tasks that were due on the day and are still open")
    appointments_kept: int
    appointments_missed: int
    outcomes: list[OutcomeCount] = Field(
        description="What came of interactions, of tasks done, of appointments kept or missed"
    )
    customers_given: int = Field(description="Customers given to them by rules and reassignments")
    customers_contacted: int = Field(description="Of these, whom they were in touch with since")
    response_seconds: int | None = Field(
        description="How long that took on average: from being given to the first interaction"
    )
    tickets_given: int = Field(description="Tickets that became theirs")
    tickets_answered: int = Field(description="Tickets that were answered for the first time")
    tickets_answered_late: int = Field(description="Of these, later than was promised")
    first_answer_seconds: int | None = Field(
        description="How long that took on average: from the request to the first answer"
    )
    tickets_resolved: int = Field(description="Counted again when they had been reopened")
    tickets_resolved_late: int = Field(description="Of these, later than was promised")
    tickets_overdue: int = Field(
        description="Tickets that were to be resolved on the day and are still open"
    )
    ratings: int = Field(description="Answers to surveys about their tickets")
    csat_percent: int | None = Field(
        description="How many of 100 answers were a four or a five, of five"
    )
    rating_average: float | None = Field(description="On a scale of five", examples=[4.25])


class CareStatistics(BaseModel):
    """What staff did for customers; where there is nothing to tell, there is no row."""

    model_config = ConfigDict(populate_by_name=True)

    object: Literal["care_statistics"] = "care_statistics"
    from_: date = Field(alias="from")
    to: date
    timezone: str
    data: list[CareFigures]
