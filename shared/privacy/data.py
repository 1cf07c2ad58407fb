"""The personal data of one part: told, counted and erased by what its tables declare."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Delete, MetaData, Select, Update, Uuid, bindparam, delete, func, select
from sqlalchemy import update as update_of

from shared.contracts.privacy import TableErasure, TableShare
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.person import KnownPerson
from shared.privacy.registry import Personal, personal_tables

_TENANT = bindparam("tenant", type_=Uuid)


@dataclass(frozen=True, slots=True)
class _Statements:
    declared: Personal
    count: Select[Any]
    read: Select[Any]
    erase: Update | Delete | None


class PersonalData:
    """What one part's tables hold of people, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, metadata: MetaData) -> None:
        self._uow = uow
        self._statements = _statements_of(metadata)

    async def count(self, person: KnownPerson) -> list[TableShare]:
        """How many rows each table has of a person, and what an erasure would do to them."""
        shares = []
        for each in self._statements:
            found: int = await self._uow.scalar(each.count, self._asked(each, person))
            shares.append(_share(each.declared, found))
        return [share for share in shares if share.rows_found]

    async def read(self, person: KnownPerson) -> list[TableShare]:
        """Every row of a person that is theirs to see, but for what is hidden."""
        shares = []
        for each in self._statements:
            rows = await self._uow.rows(each.read, self._asked(each, person))
            told = tuple(dict(row._mapping) for row in rows)
            shares.append(_share(each.declared, len(told), told))
        return [share for share in shares if share.rows_found]

    async def erase(self, person: KnownPerson) -> list[TableErasure]:
        """Delete or make anonymous what each table has of a person; again changes nothing more."""
        done = []
        for each in self._statements:
            how = each.declared.how
            if each.erase is None or how == "kept":
                continue
            rows = await self._uow.execute(each.erase, self._asked(each, person))
            done.append(TableErasure(table=each.declared.table.name, rows=rows, how=how))
        return [erasure for erasure in done if erasure.rows]

    def _asked(self, each: _Statements, person: KnownPerson) -> dict[str, Any]:
        by_address = each.declared.rows.by_address
        return person.parameters(self._uow.tenant_id, by_address=by_address)


def _share(declared: Personal, found: int, rows: Sequence[dict[str, Any]] = ()) -> TableShare:
    return TableShare(
        table=declared.table.name,
        rows_found=found,
        rows=tuple(rows),
        on_erasure=declared.how,
        kept=dict(declared.kept),
    )


@lru_cache
def _statements_of(metadata: MetaData) -> tuple[_Statements, ...]:
    return tuple(_statements(declared) for declared in personal_tables(metadata))


def _statements(declared: Personal) -> _Statements:
    table = declared.table
    theirs = (table.c.tenant_id == _TENANT, declared.rows.condition)
    told = [c for c in table.c if c.name != "tenant_id" and c.name not in declared.hidden]
    erase: Update | Delete | None = None
    if declared.erase == "row":
        erase = delete(table).where(*theirs)
    elif declared.erase:
        erase = update_of(table).where(*theirs).values(dict(declared.erase))
    return _Statements(
        declared=declared,
        count=select(func.count()).select_from(table).where(*theirs),
        read=select(*told)
        .where(*theirs, *([] if declared.told is None else [declared.told]))
        .order_by(*table.primary_key.columns),
        erase=erase,
    )
