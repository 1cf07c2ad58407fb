"""`/v1/interactions/care-statistics`."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from services.customer.assignment.schemas import Skill
from services.customer.care_statistics.deps import CareStatisticsDep
from services.customer.care_statistics.repository import Wanted
from services.customer.care_statistics.schemas import CareStatistics
from shared.moments import Day
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/interactions/care-statistics", tag="interactions")


@router.get("", operation_id="interactions.careStatistics", dependencies=[requires("reports:read")])
async def care_statistics(
    statistics: CareStatisticsDep,
    first: Annotated[
        Day | None, Query(alias="from", description="A day on the shop's clocks")
    ] = None,
    last: Annotated[Day | None, Query(alias="to", description="The last day, included")] = None,
    staff_id: UUID | None = None,
    team_id: Annotated[UUID | None, Query(description="Of who is in this team")] = None,
    skill: Annotated[Skill | None, Query(description="Of who can do this")] = None,
    by: Annotated[
        Literal["staff", "team"], Query(description="Who is in two teams counts for both")
    ] = "staff",
    per: Literal["day", "period"] = "day",
) -> CareStatistics:
    """Count what staff did for customers and their tickets, per member (or team) and day.

    Of at most 31 days; of the last seven, unless it is said. Staff who see their own work see their
    own figures; staff who see their teams' work also those of their teammates.
    """
    wanted = Wanted(by=by, per=per, staff_id=staff_id, team_id=team_id, skill=skill)
    return await statistics.report(first, last, wanted)
