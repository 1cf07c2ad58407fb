"""What jobs write for their clients: bounded files, kept for some days as rows of the schema.

A step writes a part of a file in the transaction of its other effects; so the file of a job that
was interrupted goes on where its last committed step left off.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Delete, Select, Uuid, bindparam, delete, insert, select, update
from sqlalchemy.sql.dml import Insert, Update

from shared.db.tables import Instant, part_tables
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.jobs.errors import GivenUp
from shared.jobs.schemas import FileName
from shared.jobs.work import HeldJob

MAX_FILE_BYTES: Final = 256 * 2**20
MAX_PART_BYTES: Final = 4 * 2**20


@dataclass(frozen=True, slots=True)
class _Statements:
    add: Insert
    read: Select[Any]
    forget: Delete
    expire: tuple[Delete, Update]


class JobFiles:
    """The files of a part's jobs, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, schema: str) -> None:
        self._uow = uow
        self._sql = _statements(schema)

    async def write(
        self,
        job: HeldJob,
        name: FileName,
        content: bytes,
        *,
        rows: int,
        file_name: str,
        media_type: str,
    ) -> None:
        """Add to a file of a held job. Raises GivenUp when it grows too large."""
        if len(content) > MAX_PART_BYTES:
            raise ValueError(f"{len(content)} bytes at once, at most {MAX_PART_BYTES}")
        blank = {"parts": 0, "rows": 0, "bytes": 0}
        file = job.files.get(name) or blank
        if file["bytes"] + len(content) > MAX_FILE_BYTES:
            raise GivenUp(f"{name}_too_large")
        await self._uow.execute(
            self._sql.add,
            {
                "tenant_id": self._uow.tenant_id,
                "job_id": job.id,
                "name": name,
                "part": file["parts"],
                "content": content,
            },
        )
        job.files[name] = {
            "file_name": file_name,
            "media_type": media_type,
            "parts": file["parts"] + 1,
            "rows": file["rows"] + rows,
            "bytes": file["bytes"] + len(content),
        }

    async def read_part(self, job_id: UUID, name: FileName, part: int) -> bytes | None:
        """One part of a file; None after the last."""
        identity = {"tenant": self._uow.tenant_id, "job": job_id, "name": name, "part": part}
        content: bytes | None = await self._uow.scalar(self._sql.read, identity)
        return content

    async def forget(self, job_id: UUID) -> None:
        """Delete the files of a job."""
        await self._uow.execute(self._sql.forget, {"tenant": self._uow.tenant_id, "job": job_id})

    async def expire(self) -> None:
        """Delete the files whose time has come."""
        parameters = {"tenant": self._uow.tenant_id, "now": self._uow.clock.now()}
        for statement in self._sql.expire:
            await self._uow.execute(statement, parameters)


async def file_parts(
    units: UnitsOfWork, tenant_id: TenantId, job_id: UUID, name: FileName
) -> AsyncIterator[bytes]:
    """A file, part by part; no transaction is open between two parts."""
    part = 0
    while True:
        async with units.begin(tenant_id) as uow:
            content = await JobFiles(uow, schema=units.schema).read_part(job_id, name, part)
        if content is None:
            return
        yield content
        part += 1


@lru_cache
def _statements(schema: str) -> _Statements:
    tables = part_tables(schema)
    job, file = tables.job, tables.job_file
    tenant = bindparam("tenant", type_=Uuid)
    ours = (file.c.tenant_id == tenant, file.c.job_id == bindparam("job", type_=Uuid))
    now = bindparam("now", type_=Instant)
    expired = (job.c.tenant_id == tenant, job.c.files_expire_at < now)
    return _Statements(
        add=insert(file),
        read=select(file.c.content).where(
            *ours, file.c.name == bindparam("name"), file.c.part == bindparam("part")
        ),
        forget=delete(file).where(*ours),
        expire=(
            delete(file).where(file.c.tenant_id == tenant, file.c.job_id == job.c.id, *expired),
            update(job)
            .where(*expired)
            .values(files={}, files_expire_at=None, version=job.c.version + 1, updated_at=now),
        ),
    )
