"""What platforms delivered of a person who is erased."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Table, Text, Uuid, bindparam, update

from gateway.deliveries.models import delivery
from shared.contracts.privacy import TableErasure
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.person import KnownPerson, PlatformObject

_TENANT: Final = bindparam("tenant", type_=Uuid)
_TABLE: Final[Table] = delivery
_named = RowsParameter("named", delivery, ("connection_id", "object_id"))
_EMPTY: Final = (
    update(delivery)
    .where(
        delivery.c.tenant_id == _TENANT,
        delivery.c.object_kind == bindparam("kind", type_=Text),
        delivery.c.connection_id == _named.source.c.connection_id,
        delivery.c.object_id == _named.source.c.object_id,
        delivery.c.status == "processed",
        delivery.c.body != b"",
    )
    .values(body=b"")
)


async def erase_deliveries(uow: UnitOfWork, person: KnownPerson) -> Sequence[TableErasure]:
    """Empty the bodies of what was delivered of a person and of their orders."""
    rows = 0
    for kind, objects in (("customer", person.accounts), ("order", person.orders)):
        if objects:
            rows += await uow.execute(
                _EMPTY, {"tenant": uow.tenant_id, "kind": kind, **_named_by(objects)}
            )
    return [TableErasure(table="delivery", rows=rows, how="anonymised")] if rows else []


def _named_by(objects: Sequence[PlatformObject]) -> dict[str, Any]:
    return _named.values(
        {"connection_id": each.connection_id, "object_id": each.external_id} for each in objects
    )
