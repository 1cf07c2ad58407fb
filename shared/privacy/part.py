"""What a part does when a person's data are asked for, or are to end. The same in every part."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final, Protocol
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, MetaData, Select, Uuid, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from shared.contracts.privacy import (
    CustomerErased,
    ErasureConfirmed,
    PersonalDataRequested,
    PersonalDataTold,
    TableErasure,
    TableShare,
)
from shared.db.sweeps import in_every_tenant
from shared.db.tables import part_tables
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.privacy.data import PersonalData
from shared.privacy.person import KnownPerson
from shared.queue.worker import Periodic
from shared.security.keys import SecretBox
from shared.stream.envelope import Envelope
from shared.stream.handlers import EventHandlers

LISTING: Final = "tenants_with_erasures_to_repeat"
SWEEP_SECONDS: Final = 300.0
# Longer than anything that has a person's data in its hands may hold them: a mail being sent.
AGAIN_AFTER: Final = timedelta(minutes=15)
_MOST_BYTES: Final = 200_000
_BATCH: Final = 50

Eraser = Callable[[UnitOfWork, KnownPerson], Awaitable[Sequence[TableErasure]]]
"""Erases what no declaration can say, before the rest. Called again, it finds nothing to do."""


class Teller(Protocol):
    """Tells what no declaration can say of a person; only how much there is, without rows."""

    async def __call__(
        self, uow: UnitOfWork, person: KnownPerson, *, with_rows: bool
    ) -> Sequence[TableShare]:
        """The shares of the person's that are nobody else's to see."""


class PartPrivacy:
    """One part's answers to requests of people."""

    def __init__(
        self,
        *,
        part: str,
        metadata: MetaData,
        secrets: SecretBox,
        erasers: Sequence[Eraser] = (),
        tellers: Sequence[Teller] = (),
    ) -> None:
        self._part = part
        self._metadata = metadata
        self._secrets = secrets
        self._erasers = erasers
        self._tellers = tellers
        self._erased = part_tables(part).erased_customer

    def attach(self, handlers: EventHandlers) -> EventHandlers:
        """Have a part's handlers see to it, also for events that come late."""
        handlers.on(PersonalDataRequested, apply=self.tell).on(CustomerErased, apply=self.erase)
        return handlers.afterwards(self.erase_latecomers)

    async def tell(self, uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        """Tell what this part has of a person, in pieces that fit into events."""
        for envelope in envelopes:
            asked = envelope.read(PersonalDataRequested)
            person = KnownPerson.opened(asked.customer_ids, asked.sealed, self._secrets)
            data = PersonalData(uow, self._metadata)
            is_export = asked.use == "export"
            shares = await (data.read(person) if is_export else data.count(person))
            for tell in self._tellers:
                shares += await tell(uow, person, with_rows=is_export)
            pieces = list(_pieces(shares))
            for number, tables in enumerate(pieces):
                told = PersonalDataTold(
                    collection_id=asked.collection_id,
                    part=self._part,
                    number=number,
                    last=number == len(pieces) - 1,
                    tables=tables,
                )
                uow.append(told, key=asked.collection_id)

    async def erase(self, uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        """Erase people, remember who they were by id, and say that it is done."""
        for envelope in envelopes:
            event = envelope.read(CustomerErased)
            person = KnownPerson.opened(event.customer_ids, event.sealed, self._secrets)
            tables = await self.erase_person(uow, person)
            if envelope.source == self._part:
                tables = _together(event.at_once, tables)
            await self._remember(uow, event)
            confirmed = ErasureConfirmed(
                erasure_id=event.erasure_id,
                part=self._part,
                confirmed_at=uow.clock.now(),
                tables=tuple(tables),
            )
            uow.append(confirmed, key=event.erasure_id)

    async def erase_person(self, uow: UnitOfWork, person: KnownPerson) -> list[TableErasure]:
        """Erase what this part has of a person; what was erased in which table."""
        done: list[TableErasure] = []
        for eraser in self._erasers:
            done += await eraser(uow, person)
        return [*done, *await PersonalData(uow, self._metadata).erase(person)]

    async def erase_latecomers(self, uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        """Events that were on their way when somebody was erased bring nothing of them back."""
        named = {found for envelope in envelopes for found in _customers_of(envelope)}
        if named:
            await self.erase_again(uow, named)

    async def erase_again(self, uow: UnitOfWork, named: Collection[UUID]) -> None:
        """Erase whoever of these was erased before: something has just been kept of them.

        What names one record of a person may have come to be of another, so all are looked at.
        """
        statements, tenant = _erased(self._part), {"tenant": uow.tenant_id}
        erasures = await uow.scalars(statements.named, {**tenant, "ids": list(named)})
        if erasures:
            ids = await uow.scalars(statements.records, {**tenant, "ids": list(set(erasures))})
            await self.erase_person(uow, KnownPerson(customer_ids=tuple(ids)))

    async def repeat(self, uow: UnitOfWork) -> bool:
        """Erase once more whoever was erased a while ago; whether there may be more of them."""
        known = self._erased
        due = (
            select(known.c.customer_id)
            .where(known.c.tenant_id == uow.tenant_id, known.c.again_at <= uow.clock.now())
            .order_by(known.c.again_at)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
        ids = await uow.scalars(due)
        if ids:
            await self.erase_person(uow, KnownPerson(customer_ids=tuple(ids)))
            await uow.execute(
                update(known)
                .where(known.c.tenant_id == uow.tenant_id, known.c.customer_id.in_(ids))
                .values(again_at=None)
            )
        return len(ids) == _BATCH

    def sweep(self, units: UnitsOfWork) -> Periodic:
        """The net under whatever held a person's data in its hands while they were erased."""

        async def in_tenant(tenant_id: TenantId) -> None:
            more = True
            while more:
                async with units.begin(tenant_id) as uow:
                    more = await self.repeat(uow)
                    await uow.commit()

        async def look() -> None:
            await in_every_tenant(units, LISTING, in_tenant)

        return Periodic("privacy.repeat", SWEEP_SECONDS, look)

    async def _remember(self, uow: UnitOfWork, event: CustomerErased) -> None:
        now = uow.clock.now()
        rows = [
            {
                "tenant_id": uow.tenant_id,
                "customer_id": customer_id,
                "erasure_id": event.erasure_id,
                "erased_at": event.erased_at,
                "again_at": now + AGAIN_AFTER,
            }
            for customer_id in event.customer_ids
        ]
        for row in rows:
            statement = insert(self._erased).on_conflict_do_nothing(
                index_elements=["tenant_id", "customer_id"]
            )
            await uow.execute(statement, row)


def _together(before: Sequence[TableErasure], after: Sequence[TableErasure]) -> list[TableErasure]:
    """What was erased in two goes. What was made anonymous is found again, and counts once."""
    done = {(each.table, each.how): each for each in before}
    for each in after:
        rows, key = each.rows, (each.table, each.how)
        known = done[key].rows if key in done else 0
        together = known + rows if each.how == "deleted" else max(known, rows)
        done[key] = each.model_copy(update={"rows": together})
    return list(done.values())


@dataclass(frozen=True, slots=True)
class _Erased:
    named: Select[Any]
    """Who of these was erased, by which erasure; it runs with every batch."""
    records: Select[Any]
    """All records of whom these erasures were."""


@lru_cache
def _erased(part: str) -> _Erased:
    table = part_tables(part).erased_customer
    ours = table.c.tenant_id == bindparam("tenant", type_=Uuid)
    these = func.any(bindparam("ids", type_=ARRAY(Uuid)))
    return _Erased(
        named=select(table.c.erasure_id).where(ours, table.c.customer_id == these),
        records=select(table.c.customer_id).where(ours, table.c.erasure_id == these),
    )


def _customers_of(envelope: Envelope) -> Iterator[UUID]:
    """The customers that an event names, at its top or in what it is about."""
    for name, value in envelope.data.items():
        if name == "customer_id":
            found = value
        elif isinstance(value, dict):
            found = value.get("customer_id")
        else:
            continue
        if found is not None:
            yield found if isinstance(found, UUID) else UUID(str(found))


def _pieces(shares: Sequence[TableShare]) -> Iterator[tuple[TableShare, ...]]:
    """The shares, cut so that each piece fits into an event; one that is empty for nothing."""
    piece: list[TableShare] = []
    size = 0
    for share in shares:
        rows: list[dict[str, Any]] = []
        for row in share.rows:
            weight = len(orjson.dumps(row, default=str))
            if size + weight > _MOST_BYTES and (rows or piece):
                yield (*piece, share.model_copy(update={"rows": tuple(rows)}))
                piece, rows, size = [], [], 0
            rows.append(row)
            size += weight
        piece.append(share.model_copy(update={"rows": tuple(rows)}))
    yield tuple(piece)
