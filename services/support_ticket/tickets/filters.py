"""The query parameters of a list of tickets."""

from dataclasses import replace
from typing import Annotated, Final, Literal, TypeVar, get_args
from uuid import UUID

from fastapi import Query

from services.support_ticket.tickets.priority import PRIORITIES
from services.support_ticket.tickets.repository import TicketFilter
from services.support_ticket.tickets.states import STATUSES
from shared.contracts.support_ticket import TicketType
from shared.errors import FieldError, Forbidden, Invalid

_TYPES: Final[tuple[TicketType, ...]] = get_args(TicketType)
_Value = TypeVar("_Value", bound=str)


async def ticket_filter(
    status: Annotated[
        str | None, Query(max_length=200, description="One or several, e.g. `new,open`")
    ] = None,
    priority: Annotated[str | None, Query(max_length=200, description="One or several")] = None,
    type: Annotated[str | None, Query(max_length=200, description="One or several")] = None,  # noqa: A002
    assignee: Annotated[
        UUID | Literal["none"] | None, Query(description="An agent's id, or `none`")
    ] = None,
    team_id: Annotated[UUID | None, Query(description="Meant for this team")] = None,
    customer_id: UUID | None = None,
    code: Annotated[str | None, Query(max_length=32, description="The human code")] = None,
) -> TicketFilter:
    """Which tickets to list. Raises Invalid for a value there is not."""
    return TicketFilter(
        statuses=_among("status", status, STATUSES),
        priorities=_among("priority", priority, PRIORITIES),
        types=_among("type", type, _TYPES),
        assignee_id=assignee if isinstance(assignee, UUID) else None,
        unassigned_only=assignee == "none",
        team_id=team_id,
        customer_id=customer_id,
        code=code,
    )


def _among(name: str, given: str | None, known: tuple[_Value, ...]) -> tuple[_Value, ...]:
    if given is None:
        return ()
    wanted = given.split(",")
    unknown = [value for value in wanted if value not in known]
    if unknown:
        fault = FieldError(f"/query/{name}", "unknown_value", f"One of {', '.join(known)}")
        raise Invalid(f"{name} cannot be {', '.join(unknown)}", errors=[fault])
    return tuple(value for value in known if value in wanted)


def of_shopper(wanted: TicketFilter, owner: UUID) -> TicketFilter:
    """The same of one shopper. Raises Forbidden where it would tell how the shop works inside."""
    if wanted.priorities or wanted.assignee_id or wanted.unassigned_only or wanted.team_id:
        raise Forbidden("Shoppers do not list tickets by priority, assignee or team")
    return replace(wanted, owner=owner)
