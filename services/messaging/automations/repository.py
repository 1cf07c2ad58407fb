"""SQL of automations."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.messaging.automations.errors import AutomationNotFound
from services.messaging.automations.models import automation
from services.messaging.automations.records import Automation
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

TENANT = bindparam("tenant", type_=Uuid)
_OWN = automation.c.tenant_id == TENANT
_ORDER = (SortKey(automation.c.id, "id", parse_id),)
_COLUMNS = Automation.__slots__
_rows = RowsParameter("new", automation, _COLUMNS)
_ADD = (
    insert(automation)
    .from_select(["tenant_id", *_COLUMNS], select(TENANT, *_rows.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "key"])
    .returning(automation.c.id)
)
_FIND: Select[tuple[object, ...]] = select(automation).where(
    _OWN, automation.c.id == bindparam("id", type_=Uuid)
)
_LOCK = _FIND.with_for_update()
_SAVE = (
    update(automation)
    .values({name: _rows.source.c[name] for name in _COLUMNS if name not in ("id", "created_at")})
    .where(_OWN, automation.c.id == _rows.source.c.id)
)
# Shared locks: whoever pauses an automation waits for what is being planned by it, and then
# holds that back too.
_TRIGGERED = (
    select(automation)
    .where(
        _OWN,
        automation.c.segment_key == func.any(bindparam("keys", type_=ARRAY(Text))),
        automation.c.trigger == "segment_entered",
    )
    .order_by(automation.c.id)
    .with_for_update(read=True)
)


class AutomationRepository:
    """Automations inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, automations: Iterable[Automation]) -> Sequence[UUID]:
        """Keep new automations whose keys are free; the ids of those that were kept."""
        values = _rows.values(_row(each) for each in automations)
        return await self._uow.scalars(_ADD, {**self._tenant, **values})

    async def get(self, automation_id: UUID) -> Automation:
        """Raises AutomationNotFound."""
        row = await self._uow.one_or_none(_FIND, {**self._tenant, "id": automation_id})
        if row is None:
            raise AutomationNotFound
        return Automation.of(row)

    async def lock(self, automation_id: UUID) -> Automation:
        """The automation, nobody else changing it until the commit. Raises AutomationNotFound."""
        row = await self._uow.one_or_none(_LOCK, {**self._tenant, "id": automation_id})
        if row is None:
            raise AutomationNotFound
        return Automation.of(row)

    async def save(self, changed: Automation) -> None:
        """Write back an automation that was locked and changed."""
        await self._uow.execute(_SAVE, {**self._tenant, **_rows.values([_row(changed)])})

    async def list_page(self, request: PageRequest) -> tuple[Sequence[Automation], str | None]:
        """A page of automations, oldest first, and the cursor of the next."""
        statement = page(select(automation).where(_OWN), _ORDER, request)
        rows = await self._uow.rows(statement, self._tenant)
        kept, cursor = next_cursor(rows, _ORDER, request.limit)
        return [Automation.of(row) for row in kept], cursor

    async def of_segments(self, segment_keys: Collection[str]) -> list[Automation]:
        """The automations, active or not, that listen to any of these segments."""
        rows = await self._uow.rows(_TRIGGERED, {**self._tenant, "keys": list(segment_keys)})
        return [Automation.of(row) for row in rows]


def _row(of: Automation) -> dict[str, object]:
    return {name: getattr(of, name) for name in _COLUMNS}
