"""Taking in a file portion by portion: what a dry run and the run have in common."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.customer.addresses.placing import AddressReader
from services.customer.addresses.units import units
from services.customer.customers.says import ATTRIBUTE
from services.customer.erased.identities import ErasedIdentities, IdentityDigests
from services.customer.fields.record import CustomField
from services.customer.fields.repository import FieldRepository
from services.customer.following import pair_weighing
from services.customer.imports.chunks import unpacked
from services.customer.imports.file_repository import ImportFileRepository
from services.customer.imports.outcomes import no_counts
from services.customer.imports.plan import ImportPlan
from services.customer.imports.report import Report
from services.customer.imports.repository import Import
from services.customer.imports.row_reader import Mapped, RowReader, Rules
from services.customer.imports.rows import RowRead
from services.customer.imports.taking_in import RowIntake
from services.customer.tenants.shops import Shop, Shops
from shared.db.codes import CodeAllocator
from shared.db.turns import Turn
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.files import JobFiles
from shared.jobs.work import HeldJob


class Portions:
    """What a dry run and the run have in common: a portion of the file, and what becomes of it."""

    def __init__(
        self, *, schema: str, codes: CodeAllocator, shops: Shops, digests: IdentityDigests
    ) -> None:
        self._schema = schema
        self._codes = codes
        self._shops = shops
        self._digests = digests
        self._units = units()
        self._addresses = AddressReader(self._units)
        self._ahead: dict[tuple[UUID, int], asyncio.Task[list[RowRead]]] = {}

    async def take_in(
        self, uow: UnitOfWork, job: HeldJob, found: Import, *, is_dry: bool
    ) -> Mapping[str, Any] | None:
        """The counts with those of the next portion; None after the last."""
        shop = await self._shops.of(uow)
        fields = await FieldRepository(uow).all()
        reader = await self._reader(uow, found, shop, fields)
        rows = await self._portion(uow, job, found, reader)
        if rows is None:
            return None
        intake = RowIntake(
            uow=uow,
            codes=self._codes,
            shop=shop,
            units=self._units,
            erased=ErasedIdentities(uow, digests=self._digests),
            plan=_plan(found, fields, is_dry=is_dry),
            weighing=pair_weighing(uow),
        )
        outcomes = await intake.decide(rows)
        following = await ImportFileRepository(uow).chunk(found.id, job.state["chunk"] + 1)
        counts = (found.dry_run if is_dry else found.run) or no_counts()
        report = Report(JobFiles(uow, schema=self._schema), job, counts, intake, outcomes)
        await intake.take_in(
            outcomes,
            last=Turn(report.sum_up, report.write),
            meanwhile=partial(self._read_ahead, job, reader, following),
        )
        return report.counts

    async def _portion(
        self, uow: UnitOfWork, job: HeldJob, found: Import, reader: RowReader
    ) -> list[RowRead] | None:
        """The rows of the portion, read while the one before it was written, if that was here."""
        at = job.state["chunk"]
        reading = self._ahead.pop((job.id, at), None)
        self._ahead.clear()
        if reading is not None:
            return await reading
        content = await ImportFileRepository(uow).chunk(found.id, at)
        return None if content is None else await asyncio.to_thread(_read, reader, content)

    def _read_ahead(self, job: HeldJob, reader: RowReader, content: bytes | None) -> None:
        if content is not None:
            reading = asyncio.to_thread(_read, reader, content)
            self._ahead[job.id, job.state["chunk"] + 1] = asyncio.create_task(reading)

    async def _reader(
        self, uow: UnitOfWork, found: Import, shop: Shop, fields: Sequence[CustomField]
    ) -> RowReader:
        places = {column["name"]: place for place, column in enumerate(found.columns)}
        mapping = [
            Mapped(places[one["column"]], one["column"], one["target"], one["strict"])
            for one in found.mapping
        ]
        policy = await FieldRepository(uow).policy() if fields else None
        now = uow.clock.now()
        zone = ZoneInfo(shop.timezone)
        rules = Rules(
            source=found.source,
            region=shop.country,
            zone=zone,
            date_order=found.options["date_order"],
            today=now.astimezone(zone).date(),
            now=now,
            is_strict=found.options["strict"],
            fields={field.key: field for field in fields},
            only_fields=policy is not None and policy.strict,
        )
        return RowReader(mapping, rules, width=len(places), addresses=self._addresses)


def _plan(found: Import, fields: Sequence[CustomField], *, is_dry: bool) -> ImportPlan:
    columns: dict[str, str] = {}
    for one in found.mapping:
        columns.setdefault(one["target"], one["column"])
    options = found.options
    used = [field for field in fields if field.archived_at is None]
    return ImportPlan(
        import_id=found.id,
        file_name=found.file_name,
        source=found.source,
        match_by=tuple(options["match_by"]),
        existing=options["existing"],
        stage=options["stage"],
        is_dry=is_dry,
        columns=columns,
        required=tuple(field.key for field in used if field.required),
        unique=tuple(
            field for field in used if field.is_unique and f"{ATTRIBUTE}{field.key}" in columns
        ),
    )


def _read(reader: RowReader, content: bytes) -> list[RowRead]:
    return [reader.read(row, cells) for row, cells in unpacked(content)]
