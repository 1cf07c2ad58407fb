"""Which customers a caller sees who does not see all of them, for every slice that names one.

*Own*: whom they own, and whom nobody owns. *Team* in addition: whom somebody of their teams owns.
What a caller does not see does not exist for them.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, Uuid, bindparam, column, exists, func, or_, table

from services.customer.colleagues.repository import COLLEAGUES

_TENANT: Final = bindparam("tenant", type_=Uuid)
_VIEWER: Final = bindparam("viewer", type_=Uuid)
# The customers' own slice stands on this one, so only what is asked of the table is known here.
_customer = table(
    "customer",
    column("tenant_id", Uuid),
    column("id", Uuid),
    column("owner_id", Uuid),
    schema="customer",
)


def owner_is_seen(owner: ColumnElement[Any], *, of_teams: bool) -> ColumnElement[bool]:
    """The condition on a customer's owner; its parameters are `Sight.parameters` and `tenant`."""
    return or_(owner.is_(None), owner == (func.any(COLLEAGUES) if of_teams else _VIEWER))


def customer_is_seen(customer_id: ColumnElement[Any], *, of_teams: bool) -> ColumnElement[bool]:
    """The condition on something that belongs to the customer of this id."""
    return exists().where(
        _customer.c.tenant_id == _TENANT,
        _customer.c.id == customer_id,
        owner_is_seen(_customer.c.owner_id, of_teams=of_teams),
    )
