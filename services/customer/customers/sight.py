"""The customers that a caller sees who does not see all; see `colleagues/sight.py`."""

from sqlalchemy import ColumnElement, Uuid, bindparam

from services.customer.colleagues.repository import COLLEAGUES
from services.customer.colleagues.sight import owner_is_seen
from services.customer.customers.models import customer
from shared.db.merged import Source

_VIEWER = bindparam("viewer", type_=Uuid)


def is_seen(*, of_teams: bool) -> ColumnElement[bool]:
    """The condition on a customer; its parameters are `Sight.parameters` and `tenant`."""
    return owner_is_seen(customer.c.owner_id, of_teams=of_teams)


def sources(*, of_teams: bool) -> list[Source]:
    """The same customers, each alternative as an index has it, for pages."""
    owner = customer.c.owner_id
    nobodys = Source(lambda _: owner.is_(None))
    if of_teams:
        return [Source(lambda staff_id: owner == staff_id, COLLEAGUES), nobodys]
    return [Source(lambda _: owner == _VIEWER), nobodys]
