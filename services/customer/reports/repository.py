"""SQL of this service's own counts."""

from sqlalchemy import ColumnElement, FromClause, Uuid, bindparam, func, select

from services.customer.consents.models import consent_record
from services.customer.customers.conditions import IS_SOMEBODY
from services.customer.customers.models import customer, customer_identity
from services.customer.duplicates.models import duplicate_candidate
from services.customer.orders.models import customer_order
from services.customer.tasks.models import task
from services.customer.timeline.models import timeline_entry
from shared.db.unit_of_work import UnitOfWork

_TENANT = bindparam("tenant", type_=Uuid)


def _count(table: FromClause, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(table)
        .where(table.c.tenant_id == _TENANT, *conditions)
        .scalar_subquery()
    )


_COUNTS = select(
    _count(customer, *IS_SOMEBODY).label("customers"),
    _count(customer, *IS_SOMEBODY, customer.c.stage == "lead").label("leads"),
    _count(customer_identity).label("identities"),
    _count(customer_order).label("orders"),
    _count(customer_order, customer_order.c.connection_id.is_not(None)).label(
        "orders_from_platforms"
    ),
    _count(task, task.c.status == "open").label("open_tasks"),
    _count(task, task.c.cause_id.is_not(None)).label("follow_up_tasks"),
    _count(duplicate_candidate, duplicate_candidate.c.status == "open").label("open_duplicates"),
    _count(consent_record).label("consent_records"),
    _count(timeline_entry).label("timeline_entries"),
)


class CountRepository:
    """Counts, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def counts(self) -> dict[str, int]:
        """How many of everything the tenant has, by name."""
        row = await self._uow.one(_COUNTS, {"tenant": self._uow.tenant_id})
        return {name: int(count) for name, count in row._mapping.items()}
