"""Taking in a file portion by portion: what a dry run and the run have in common."""

import asyncio
from collections.abc import Sequence
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
from services.customer.imports.outcomes import MEDIA_TYPE, rendered
from services.customer.imports.plan import ImportPlan, RowOutcome
from services.customer.imports.repository import Import
from services.customer.imports.row_reader import Mapped, RowReader, Rules
from services.customer.imports.rows import RowRead
from services.customer.imports.taking_in import RowIntake
from services.customer.tenants.shops import Shop, Shops
from shared.db.codes import CodeAllocator
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
    ) -> tuple[list[RowOutcome], int] | None:
        """What became of the next portion, and how many pairs look alike; None after the last."""
        shop = await self._shops.of(uow)
        fields = await FieldRepository(uow).all()
        rows = await self._portion(uow, job, found, shop, fields)
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
        outcomes = await intake.take_in(rows)
        await JobFiles(uow, schema=self._schema).write(
            job,
            "result",
            rendered(outcomes, is_first="result" not in job.files),
            rows=len(outcomes),
            file_name="outcome.csv",
            media_type=MEDIA_TYPE,
        )
        return outcomes, intake.look_alikes

    async def _portion(
        self,
        uow: UnitOfWork,
        job: HeldJob,
        found: Import,
        shop: Shop,
        fields: Sequence[CustomField],
    ) -> list[RowRead] | None:
        """The rows of the portion, read while the one before it was taken in, where that was here.

        From now on the next one is read, in a thread: much of a step is waiting for the server.
        """
        at = job.state["chunk"]
        reader = await self._reader(uow, found, shop, fields)
        files = ImportFileRepository(uow)
        reading = self._ahead.pop((job.id, at), None)
        if reading is None:
            content = await files.chunk(found.id, at)
            if content is None:
                return None
            reading = asyncio.create_task(asyncio.to_thread(_read, reader, content))
        self._ahead.clear()
        following = await files.chunk(found.id, at + 1)
        if following is not None:
            self._ahead[job.id, at + 1] = asyncio.create_task(
                asyncio.to_thread(_read, reader, following)
            )
        return await reading

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
