"""Moving many customers to other staff, as clients ask for it."""

from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from services.customer.customers.record import Stage
from services.customer.customers.schemas import Source, Tag
from services.customer.reassignments.moving import Belonging
from shared.bodies import Body

KIND: Final = "customer_reassignment"
"""What the jobs are called that give many customers to other staff."""

UNDO_KIND: Final = "customer_reassignment_undo"
"""What the jobs are called that give them back."""

StaffInTurn = Annotated[list[UUID], Field(min_length=1, max_length=100)]


class ReassignmentFilter(Body):
    """Which of somebody's customers; all that are given must hold."""

    stage: Stage | None = None
    source: Source | None = None
    tag: Tag | None = None


class ReassignmentCreate(Body):
    """Whose customers go to whom."""

    from_owner_id: UUID
    to_staff_ids: StaffInTurn = Field(description="In turn, in this order")
    filter: ReassignmentFilter = Field(default_factory=ReassignmentFilter)
    hand_over: Annotated[list[Belonging], Field(max_length=2)] = Field(
        default=["tasks"],
        description="What goes along of what they have to do for these customers: open tasks, "
        "planned appointments that are not over",
    )


class HandoverCreate(Body):
    """Who leaves, and who takes over."""

    from_staff_id: UUID
    to_staff_ids: StaffInTurn = Field(description="In turn, in this order")
