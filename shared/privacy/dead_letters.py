"""Events that were set aside know of people, too, and nobody forgets them by the clock."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, Text, Update, Uuid, bindparam, cast, column, exists, func, update

from shared.contracts.privacy import TableErasure
from shared.db.tables import Instant, part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.part import Eraser
from shared.privacy.person import KnownPerson
from shared.privacy.registry import ERASED


def erase_dead_letters(part: str) -> Eraser:
    """Empties the events of a part that name a person; there is nothing in them to replay then."""

    async def erase(uow: UnitOfWork, person: KnownPerson) -> Sequence[TableErasure]:
        rows = await uow.execute(
            _statement(part),
            {
                "tenant": uow.tenant_id,
                "customer_ids": [str(each) for each in person.customer_ids],
                "now": uow.clock.now(),
            },
        )
        erased = TableErasure(table="dead_letter", rows=rows, how="anonymised")
        return [erased] if rows else []

    return erase


@lru_cache
def _statement(part: str) -> Update:
    letter = part_tables(part).dead_letter
    ids = bindparam("customer_ids", type_=ARRAY(Text))
    named = func.unnest(ids).table_valued(column("id", Text)).render_derived(name="named")
    names = func.strpos(cast(letter.c.event, Text), named.c.id) > 0
    event: Any = {}
    return (
        update(letter)
        .where(letter.c.tenant_id == bindparam("tenant", type_=Uuid), exists().where(names))
        .values(event=event, error=ERASED, replayed_at=bindparam("now", type_=Instant))
    )
