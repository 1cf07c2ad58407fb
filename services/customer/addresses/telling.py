"""Taking in the addresses that platforms tell of: many customers, a handful of statements.

A source's address is known again by what the source calls it, so that telling it again doubles
nothing. What somebody has corrected here stays, unless the shop believes the source more: another
place under the same name is then one more address. One that was removed here comes back only when
the source tells something else under its name.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.customer.addresses.placing import AddressReader
from services.customer.addresses.repository import AddressNews, ToldAddresses
from services.customer.addresses.service import MOST_ADDRESSES
from services.customer.addresses.summary import summary_of
from services.customer.addresses.told import ToldAddress, place_key
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.hearing import Hearing
from services.customer.customers.says import Speaker
from services.customer.tenants.priorities import Priority, PriorityRepository
from shared.audit.trail import AuditEntry, differences
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

FIELD: Final = "address"
_NOBODYS: Final = {"source": None, "external_id": None, "told": None, "told_at": None}


@dataclass(frozen=True, slots=True)
class AddressesTold:
    """What one source says of where a customer is to be found.

    `in_passing` when it came with an order: places that are known already are then nothing new.
    """

    customer_id: UUID
    speaker: Speaker
    addresses: Sequence[ToldAddress]
    in_passing: bool


class AddressTelling:
    """Keeps what sources tell of addresses of locked customers, inside one unit of work."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        changes: CustomerChanges,
        hearing: Hearing,
        reader: AddressReader,
    ) -> None:
        self._uow = uow
        self._changes = changes
        self._hearing = hearing
        self._reader = reader
        self._told = ToldAddresses(uow)
        self._priority: Priority | None = None
        self._rows: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
        self._removed: dict[tuple[UUID, str, str], str] = {}
        self._news = AddressNews()
        self._moved: dict[UUID, Speaker] = {}
        self._were: dict[UUID, dict[str, Any]] = {}

    async def keep(self, told: Sequence[AddressesTold]) -> None:
        """Keep the addresses, in the order in which they were told."""
        told = [each for each in told if each.addresses]
        if not told:
            return
        ids = sorted({each.customer_id for each in told})
        for row in await self._told.list_of(ids):
            self._rows[row.customer_id].append(dict(row._mapping))
            if row.is_primary:
                before = summary_of(dict(row._mapping), self._reader.units)
                self._were[row.customer_id] = before
        self._removed = await self._told.removed(ids)
        for each in told:
            for address in each.addresses:
                await self._take(each, address)
        await self._told.write(self._news)
        for customer_id, speaker in self._moved.items():
            await self._summarise(customer_id, speaker)

    async def _take(self, said: AddressesTold, address: ToldAddress) -> None:
        scope, at = said.speaker.source, said.speaker.at
        rows = self._rows[said.customer_id]
        known = next(
            (r for r in rows if (r["source"], r["external_id"]) == (scope, address.external_id)),
            None,
        )
        digest = address.digest
        key = (said.customer_id, scope, address.external_id)
        if known is None:
            if self._removed.get(key) == digest:
                return
            if self._removed.pop(key, None) is not None:
                self._news.come_back.append(key)
            self._add(said, address, digest)
        elif known["told_at"] is not None and at < known["told_at"]:
            return
        elif known["told"] != digest:
            if await self._is_believed(known, said.speaker):
                self._change(said, known, address, digest)
            else:
                self._news.changed[known["id"]] = known
                known |= _NOBODYS
                self._add(said, address, digest)
        else:
            self._prefer(said, known, address)

    def _add(self, said: AddressesTold, address: ToldAddress, digest: str) -> None:
        rows = self._rows[said.customer_id]
        if len(rows) >= MOST_ADDRESSES:
            return
        columns = address.columns(self._reader)
        if said.in_passing and any(place_key(row) == place_key(columns) for row in rows):
            return
        now = self._uow.clock.now()
        row = {
            **columns,
            "id": new_id(),
            "customer_id": said.customer_id,
            "source": said.speaker.source,
            "external_id": address.external_id,
            "told": digest,
            "told_at": said.speaker.at,
            "corrected_by": None,
            "corrected_at": None,
            "is_primary": False,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        rows.append(row)
        self._news.added.append(row)
        self._prefer(said, row, address)

    def _change(
        self, said: AddressesTold, row: dict[str, Any], address: ToldAddress, digest: str
    ) -> None:
        before = dict(row)
        row |= address.columns(self._reader)
        row |= {"told": digest, "told_at": said.speaker.at, "corrected_by": None}
        row |= {"corrected_at": None, "updated_at": self._uow.clock.now()}
        differing = differences(before, row)
        self._uow.record(
            AuditEntry.of("address", row["id"], differing, customer_id=row["customer_id"])
        )
        if all(row["id"] != added["id"] for added in self._news.added):
            self._news.changed[row["id"]] = row
        if row["is_primary"]:
            self._moved[said.customer_id] = said.speaker
        self._prefer(said, row, address)

    def _prefer(self, said: AddressesTold, row: dict[str, Any], address: ToldAddress) -> None:
        """The first is the primary one; after that a source chooses among its own."""
        rows = self._rows[said.customer_id]
        primary = next((each for each in rows if each["is_primary"]), None)
        if primary is row:
            return
        if primary is not None:
            is_own = primary["source"] == row["source"] and primary["corrected_by"] is None
            if said.in_passing or not address.is_default or not is_own:
                return
            primary["is_primary"] = False
            self._news.demote(primary, now=self._uow.clock.now())
        row["is_primary"] = True
        self._news.promote(row, now=self._uow.clock.now())
        self._moved[said.customer_id] = said.speaker

    async def _is_believed(self, row: Mapping[str, Any], speaker: Speaker) -> bool:
        """Whether a source may change an address that somebody may have corrected."""
        corrected_by, corrected_at = row["corrected_by"], row["corrected_at"]
        if corrected_by is None:
            return True
        if self._priority is None:
            self._priority = await PriorityRepository(self._uow).current()
        ours = self._priority.rank(corrected_by, FIELD)
        theirs = self._priority.rank(speaker.source, FIELD)
        newest: datetime = corrected_at
        return theirs < ours or (theirs == ours and speaker.at > newest)

    async def _summarise(self, customer_id: UUID, speaker: Speaker) -> None:
        """Have the customer know of their primary address: others ask them."""
        before = self._changes[customer_id]
        was = self._were.get(customer_id)
        if before.id != customer_id and before.profile.get("address", was) != was:
            return  # Where a person is first of all is what the record says that stands for them.
        row = next(each for each in self._rows[customer_id] if each["is_primary"])
        told = {"profile": {"address": summary_of(row, self._reader.units)}}
        await self._hearing.hear(customer_id, told, speaker)
