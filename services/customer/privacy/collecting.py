"""Asking every part what it has of a person, and putting together what they tell."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    Integer,
    Row,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.customer.privacy.erasing import PARTS
from services.customer.privacy.models import data_collection, data_piece
from shared.contracts.privacy import (
    PersonalDataRequested,
    PersonalDataTold,
    PersonalDataUse,
)
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.person import KnownPerson
from shared.security.keys import SecretBox

_TENANT: Final = bindparam("tenant", type_=Uuid)
_ID: Final = bindparam("id", type_=Uuid)
_OURS: Final = data_collection.c.tenant_id == _TENANT
_BY_ID: Final = select(data_collection).where(_OURS, data_collection.c.id == _ID)
_LOCK: Final = _BY_ID.with_for_update()
_NEWEST: Final = (
    select(data_collection)
    .where(
        _OURS,
        data_collection.c.request_id == bindparam("request_id", type_=Uuid),
        data_collection.c.use == bindparam("use", type_=Text),
    )
    .order_by(data_collection.c.started_at.desc())
    .limit(1)
)
_ADD: Final = insert(data_collection)
_KEEP: Final = insert(data_piece).on_conflict_do_nothing(
    index_elements=["tenant_id", "collection_id", "part", "number"]
)
_THEIRS: Final = (data_piece.c.tenant_id == _TENANT, data_piece.c.collection_id == _ID)
_READY: Final = select(data_piece.c.part).where(*_THEIRS, data_piece.c.last)
_PIECES: Final = select(data_piece).where(*_THEIRS).order_by(data_piece.c.part, data_piece.c.number)
_FORGET: Final = delete(data_piece).where(*_THEIRS)
# What is asked for a file waits for the part that is away longest.
_OLD: Final = (
    select(data_collection.c.id)
    .where(
        _OURS,
        data_collection.c.started_at < bindparam("before", type_=Instant),
        or_(data_collection.c.use == "preview", data_collection.c.finished_at.is_not(None)),
    )
    .order_by(data_collection.c.started_at, data_collection.c.id)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_THESE: Final = func.any(bindparam("ids", type_=ARRAY(Uuid)))
_FORGET_PIECES: Final = delete(data_piece).where(
    data_piece.c.tenant_id == _TENANT, data_piece.c.collection_id == _THESE
)
_FORGET_COLLECTIONS: Final = delete(data_collection).where(_OURS, data_collection.c.id == _THESE)
_OF_PEOPLE: Final = (_OURS, data_collection.c.customer_id == _THESE)
_END: Final = (
    update(data_collection)
    .where(*_OF_PEOPLE, data_collection.c.finished_at.is_(None))
    .values(finished_at=bindparam("now", type_=Instant))
)
_FORGET_TOLD: Final = delete(data_piece).where(
    data_piece.c.tenant_id == _TENANT,
    data_piece.c.collection_id.in_(select(data_collection.c.id).where(*_OF_PEOPLE)),
)
_FORGET_PREVIEWS: Final = delete(data_collection).where(
    *_OF_PEOPLE, data_collection.c.use == "preview"
)


class Collecting:
    """Collections of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def ask(
        self,
        use: PersonalDataUse,
        person: KnownPerson,
        *,
        collection_id: UUID,
        request_id: UUID,
        customer_id: UUID,
        secrets: SecretBox,
        job_id: UUID | None = None,
    ) -> None:
        """Ask every part, this one too; whoever is away answers when they are back."""
        await self._uow.execute(
            _ADD,
            {
                "tenant_id": self._uow.tenant_id,
                "id": collection_id,
                "request_id": request_id,
                "customer_id": customer_id,
                "use": use,
                "job_id": job_id,
                "started_at": self._uow.clock.now(),
            },
        )
        asked = PersonalDataRequested(
            collection_id=collection_id,
            use=use,
            customer_ids=person.customer_ids,
            sealed=person.sealed(secrets),
        )
        self._uow.append(asked, key=customer_id)

    async def keep(self, told: PersonalDataTold) -> UUID | None:
        """Keep a piece; the job that waits for the collection, once all parts have told all."""
        row = await self._uow.one_or_none(_LOCK, {**self._tenant, "id": told.collection_id})
        if row is None or row.finished_at is not None:
            return None
        await self._uow.execute(
            _KEEP,
            {
                "tenant_id": self._uow.tenant_id,
                "collection_id": told.collection_id,
                "part": told.part,
                "number": told.number,
                "last": told.last,
                "tables": [table.model_dump(mode="json") for table in told.tables],
            },
        )
        if not told.last or not await self._is_complete(told.collection_id):
            return None
        await self._finish(told.collection_id)
        job_id: UUID | None = row.job_id
        return job_id

    async def newest(self, request_id: UUID, use: PersonalDataUse) -> Row[*tuple[Any, ...]] | None:
        """What was asked for a request last, if anything."""
        asked = {**self._tenant, "request_id": request_id, "use": use}
        return await self._uow.one_or_none(_NEWEST, asked)

    async def get(self, collection_id: UUID) -> Row[*tuple[Any, ...]]:
        """The collection; it is there."""
        return await self._uow.one(_BY_ID, {**self._tenant, "id": collection_id})

    async def pieces(self, collection_id: UUID) -> Sequence[Row[*tuple[Any, ...]]]:
        """What was told so far, part by part."""
        return await self._uow.rows(_PIECES, {**self._tenant, "id": collection_id})

    async def forget(self, collection_id: UUID) -> None:
        """Keep nothing of what was told: the file has it."""
        await self._uow.execute(_FORGET, {**self._tenant, "id": collection_id})

    async def _finish(self, collection_id: UUID) -> None:
        await self._uow.execute(
            update(data_collection)
            .where(
                data_collection.c.tenant_id == self._uow.tenant_id,
                data_collection.c.id == collection_id,
            )
            .values(finished_at=self._uow.clock.now())
        )

    async def give_up(self, collection_id: UUID) -> None:
        """Keep nothing of it, nor of what parts have yet to tell."""
        await self._finish(collection_id)
        await self.forget(collection_id)

    async def end(self, customer_ids: Sequence[UUID]) -> int:
        """Wait for nothing more of these people, and forget what was told; how many pieces.

        The note of a file stays: it says by which jobs there may be one.
        """
        asked = {**self._tenant, "ids": list(customer_ids)}
        await self._uow.execute(_END, {**asked, "now": self._uow.clock.now()})
        pieces = await self._uow.execute(_FORGET_TOLD, asked)
        await self._uow.execute(_FORGET_PREVIEWS, asked)
        return pieces

    async def forget_old(self, *, before: datetime, at_most: int) -> int:
        """Forget the oldest that were begun before then, with what was told; how many."""
        asked = {**self._tenant, "before": before, "at_most": at_most}
        ids = await self._uow.scalars(_OLD, asked)
        if ids:
            for forget in (_FORGET_PIECES, _FORGET_COLLECTIONS):
                await self._uow.execute(forget, {**self._tenant, "ids": list(ids)})
        return len(ids)

    async def _is_complete(self, collection_id: UUID) -> bool:
        ready = await self._uow.scalars(_READY, {**self._tenant, "id": collection_id})
        return set(ready) >= set(PARTS)


def tables_of(pieces: Iterable[Row[*tuple[Any, ...]]]) -> dict[str, dict[str, dict[str, Any]]]:
    """What was told, by part and table; a table that was told in pieces is whole again."""
    parts: dict[str, dict[str, dict[str, Any]]] = {}
    for piece in pieces:
        tables = parts.setdefault(piece.part, {})
        for table in piece.tables:
            known = tables.setdefault(table["table"], {**table, "rows": []})
            known["rows"] += table["rows"]
    return parts


def archive(
    parts: Mapping[str, Mapping[str, Mapping[str, Any]]],
    *,
    customer_ids: Sequence[UUID],
    at: datetime,
    file_number: int,
) -> bytes:
    """A zip file: `index.json`, a JSON file per part and table, and a summary for people."""
    content = io.BytesIO()
    index: list[dict[str, Any]] = []
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archived:
        for part, tables in sorted(parts.items()):
            for name, table in sorted(tables.items()):
                path = f"data/{part}/{name}.json"
                rows = table["rows"]
                index.append({"part": part, "table": name, "rows": len(rows), "file": path})
                archived.writestr(path, orjson.dumps(rows, option=orjson.OPT_INDENT_2))
        told = {
            "generated_at": at.isoformat(),
            "file_number": file_number,
            "customer_ids": [str(customer_id) for customer_id in customer_ids],
            "files": index,
        }
        archived.writestr("index.json", orjson.dumps(told, option=orjson.OPT_INDENT_2))
        archived.writestr("summary.txt", _summary(index, at))
    return content.getvalue()


def _summary(index: Sequence[Mapping[str, Any]], at: datetime) -> str:
    lines = [
        "Dữ liệu cá nhân của bạn / Your personal data",
        f"Ngày lập / Made on: {at.date().isoformat()}",
        "",
        *(f"{each['part']} / {each['table']}: {each['rows']}" for each in index),
        "",
        "Chi tiết nằm trong các tệp JSON / The details are in the JSON files.",
    ]
    return "\n".join(lines) + "\n"
