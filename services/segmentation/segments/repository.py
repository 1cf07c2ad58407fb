"""SQL of segments and their rules."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, Uuid, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.segmentation.runs.models import run
from services.segmentation.segments.errors import SegmentKeyTaken, SegmentNotFound
from services.segmentation.segments.models import segment, segment_version
from services.segmentation.segments.schemas import SegmentRead, SegmentVersionRead
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork
from shared.web.resources import Page

_TENANT: Final = bindparam("tenant", type_=Uuid)
_SEGMENT: Final = bindparam("segment", type_=Uuid)
_THERE: Final = (segment.c.tenant_id == _TENANT, segment.c.deleted_at.is_(None))
_ORDER: Final = (
    SortKey(segment.c.created_at, "created_at", parse_instant),
    SortKey(segment.c.id, "id", parse_id),
)
_VERSION_ORDER: Final = (
    SortKey(segment_version.c.rule_version, "rule_version", int, descending=True),
)

_job: Final = (
    select(run.c.job_id)
    .where(
        run.c.tenant_id == segment.c.tenant_id,
        run.c.tenant_id == _TENANT,
        run.c.segment_id == segment.c.id,
    )
    .order_by(run.c.created_at.desc())
    .limit(1)
    .scalar_subquery()
)
_READ: Final[Select[Any]] = select(segment, _job.label("evaluation_job_id")).where(*_THERE)
_BY_ID: Final = _READ.where(segment.c.id == _SEGMENT)
_LOCKED: Final = _BY_ID.with_for_update(of=segment)
_ACTIVE: Final = (
    select(segment)
    .where(*_THERE, segment.c.status == "active")
    .order_by(segment.c.created_at, segment.c.id)
)
_EVEN_DELETED: Final = select(segment).where(
    segment.c.tenant_id == _TENANT, segment.c.id == _SEGMENT
)
_NOT_TIMED: Final = select(segment.c.id, segment.c.rule).where(*_THERE, ~segment.c.timed)
_NOTE_TIMED: Final = (
    update(segment)
    .values(timed=True)
    .where(*_THERE, segment.c.id == func.any(bindparam("segments", type_=ARRAY(Uuid))))
)
_COUNT: Final = select(func.count()).select_from(segment).where(*_THERE)
_ADD: Final = (
    insert(segment)
    .on_conflict_do_nothing(
        index_elements=["tenant_id", "key"], index_where=segment.c.deleted_at.is_(None)
    )
    .returning(segment.c.id)
)
_ADD_VERSION: Final = insert(segment_version)
_READ_FIELDS: Final = SegmentRead.model_fields.keys()


class SegmentRepository:
    """The segments of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def get(self, segment_id: UUID) -> SegmentRead:
        """Raises SegmentNotFound."""
        return await self._one(_BY_ID, segment_id)

    async def lock(self, segment_id: UUID) -> SegmentRead:
        """The segment, which nobody else can change now. Raises SegmentNotFound."""
        return await self._one(_LOCKED, segment_id)

    async def list_page(
        self, request: PageRequest, *, key: str | None = None, status: str | None = None
    ) -> Page[SegmentRead]:
        """The segments, oldest first."""
        statement = _READ
        if key is not None:
            statement = statement.where(segment.c.key == key)
        if status is not None:
            statement = statement.where(segment.c.status == status)
        rows = await self._uow.rows(page(statement, _ORDER, request), self._tenant)
        kept, cursor = next_cursor(rows, _ORDER, request.limit)
        return Page(data=[_read(row) for row in kept], next_cursor=cursor)

    async def active(self) -> Sequence[Row[*tuple[Any, ...]]]:
        """The rows of the active segments."""
        return await self._uow.rows(_ACTIVE, self._tenant)

    async def even_deleted(self, segment_id: UUID) -> Row[*tuple[Any, ...]]:
        """The row of a segment that may have been deleted since."""
        return await self._uow.one(_EVEN_DELETED, {**self._tenant, "segment": segment_id})

    async def not_timed(self) -> Sequence[Row[*tuple[Any, ...]]]:
        """The ids and rules of segments that are not noted as changing with time."""
        return await self._uow.rows(_NOT_TIMED, self._tenant)

    async def note_timed(self, segment_ids: Sequence[UUID]) -> None:
        """Note that time alone can change who belongs to these."""
        await self._uow.execute(_NOTE_TIMED, {**self._tenant, "segments": list(segment_ids)})

    async def count(self) -> int:
        """How many segments there are."""
        return int(await self._uow.scalar(_COUNT, self._tenant))

    async def add(self, values: Mapping[str, Any]) -> None:
        """A new segment of these columns. Raises SegmentKeyTaken."""
        now = self._uow.clock.now()
        row = {
            "tenant_id": self._uow.tenant_id,
            "version": 1,
            "rule_version": 1,
            "created_at": now,
            "updated_at": now,
            **values,
        }
        if await self._uow.scalar(_ADD, row) is None:
            raise SegmentKeyTaken(values["key"])

    async def change(self, segment_id: UUID, values: Mapping[str, Any]) -> None:
        """Write these columns of a locked segment; its version grows."""
        await self._uow.execute(
            update(segment)
            .where(*_THERE, segment.c.id == segment_id)
            .values(
                {**values, "version": segment.c.version + 1, "updated_at": self._uow.clock.now()}
            ),
            self._tenant,
        )

    async def delete(self, segment_id: UUID) -> None:
        """Mark a locked segment as deleted; its history stays."""
        await self.change(segment_id, {"deleted_at": self._uow.clock.now()})

    async def add_version(
        self,
        segment_id: UUID,
        *,
        rule_version: int,
        rule: Mapping[str, Any],
        template: Mapping[str, Any] | None,
        created_by: str,
    ) -> None:
        """Keep a rule for ever."""
        await self._uow.execute(
            _ADD_VERSION,
            {
                "tenant_id": self._uow.tenant_id,
                "segment_id": segment_id,
                "rule_version": rule_version,
                "rule": rule,
                "template": template,
                "created_by": created_by,
                "created_at": self._uow.clock.now(),
            },
        )

    async def versions(self, segment_id: UUID, request: PageRequest) -> Page[SegmentVersionRead]:
        """The rules of a segment, newest first."""
        statement = select(segment_version).where(
            segment_version.c.tenant_id == _TENANT, segment_version.c.segment_id == _SEGMENT
        )
        rows = await self._uow.rows(
            page(statement, _VERSION_ORDER, request), {**self._tenant, "segment": segment_id}
        )
        kept, cursor = next_cursor(rows, _VERSION_ORDER, request.limit)
        data = [SegmentVersionRead.model_validate(dict(row._mapping)) for row in kept]
        return Page(data=data, next_cursor=cursor)

    async def _one(self, statement: Select[Any], segment_id: UUID) -> SegmentRead:
        row = await self._uow.one_or_none(statement, {**self._tenant, "segment": segment_id})
        if row is None:
            raise SegmentNotFound
        return _read(row)


def _read(row: Row[*tuple[Any, ...]]) -> SegmentRead:
    columns = row._mapping
    return SegmentRead.model_validate({n: columns[n] for n in columns if n in _READ_FIELDS})
