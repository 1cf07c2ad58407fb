"""What platforms delivered of a person who is erased."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, Table, Text, Uuid, bindparam, func, update

from gateway.deliveries.models import delivery
from shared.contracts.privacy import ErasedPersonDelivered, TableErasure
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.person import KnownPerson, PlatformObject
from shared.stream.envelope import Envelope

_TENANT: Final = bindparam("tenant", type_=Uuid)
_NOW: Final = bindparam("now", type_=Instant)
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
        (delivery.c.body != b"") | delivery.c.fetched.is_not(None),
    )
    .values(body=b"", fetched=None, forgotten_at=_NOW)
)

_EMPTY_THESE: Final = (
    update(delivery)
    .where(
        delivery.c.tenant_id == _TENANT,
        delivery.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
    )
    .values(body=b"", fetched=None, forgotten_at=_NOW)
)


async def erase_deliveries(uow: UnitOfWork, person: KnownPerson) -> Sequence[TableErasure]:
    """Empty the bodies of what was delivered of a person and of their orders."""
    rows = 0
    for kind, objects in (("customer", person.accounts), ("order", person.orders)):
        if objects:
            asked = {"tenant": uow.tenant_id, "kind": kind, "now": uow.clock.now()}
            rows += await uow.execute(_EMPTY, {**asked, **_named_by(objects)})
    return [TableErasure(table="delivery", rows=rows, how="anonymised")] if rows else []


async def forget_deliveries(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
    """Empty the bodies of what came of people after they were erased."""
    told = [envelope.read(ErasedPersonDelivered) for envelope in envelopes]
    ids = [delivery_id for event in told for delivery_id in event.delivery_ids]
    asked = {"tenant": uow.tenant_id, "ids": ids, "now": uow.clock.now()}
    await uow.execute(_EMPTY_THESE, asked)


def _named_by(objects: Sequence[PlatformObject]) -> dict[str, Any]:
    return _named.values(
        {"connection_id": each.connection_id, "object_id": each.external_id} for each in objects
    )
