"""Taking an import back, the last row first: field by field, and nothing that others did since."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from services.customer.addresses.repository import ADDRESSES, forget_addresses
from services.customer.consents.recording import Answer, ConsentRecorder
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.identity_repository import IdentityRepository
from services.customer.customers.profile import split_profile
from services.customer.customers.record import CustomerRecord
from services.customer.families.belongings import Belongings
from services.customer.families.family import Families
from services.customer.imports.plan import as_kept, field_columns
from services.customer.imports.repository import ImportRepository
from services.customer.notes.repository import NoteRepository
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.db.unit_of_work import UnitOfWork

Told = Row[*tuple[Any, ...]]
_EMPTY: Final[Mapping[str, Any]] = {
    **dict.fromkeys(
        ("name", "email", "phone", "locale", "gender", "birth_date", "city", "province", "country")
    ),
    "tags": [],
    "attributes": {},
    "profile": {},
    "consents": [],
}
_LISTS: Final = frozenset({"tags"})
_BY_NAME: Final = frozenset({"attributes"})


class ImportUndoing:
    """Takes back rows of one import, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, import_id: UUID, source: str) -> None:
        self._uow = uow
        self._import_id = import_id
        self._source = source
        self._imports = ImportRepository(uow)
        self._changes = CustomerChanges(uow)
        self._identities = IdentityRepository(uow)
        self._addresses = Belongings(uow, ADDRESSES)
        self._notes: list[UUID] = []
        self._answers: list[Answer] = []
        self.kept_fields: dict[int, list[str]] = {}
        """What was not taken back, by row."""

    async def undo(self, rows: Sequence[Told]) -> dict[int, str]:
        """How far each of these rows was taken back."""
        ids = {row.customer_id for row in rows if row.customer_id is not None}
        await self._changes.lock(ids)
        found_at = {each: self._changes[each].version for each in ids if each in self._changes}
        left_at = await self._imports.left_at(self._import_id, ids)
        untouched = {each for each, version in found_at.items() if version == left_at.get(each)}
        alone = await self._alone(found_at)
        undone: dict[int, str] = {}
        for row in rows:
            if row.customer_id in found_at and row.outcome != "created":
                word = await self._take_back(row) if row.customer_id in alone else "kept"
                if row.changes and word is not None:
                    undone[row.row] = word
        created = {row.customer_id: row.row for row in rows if row.outcome == "created"}
        busy = await self._imports.busy(created)
        removed = untouched & alone & created.keys() - busy
        for customer_id, at in created.items():
            undone[at] = "removed" if customer_id in removed else "kept"
            if customer_id not in removed:
                self.kept_fields[at] = ["customer"]
        for row in rows:
            if row.outcome == "created" and row.customer_id in removed:
                self._forget_words(row)
        await self._remove(sorted(removed))
        await self._finish()
        versions = {each: self._changes[each].version for each in untouched}
        await self._imports.mark_undone(self._import_id, rows, undone, versions=versions)
        return undone

    async def _alone(self, customer_ids: Collection[UUID]) -> set[UUID]:
        """Who is in no family: what was merged since is for people to take apart."""
        roots = await Families(self._uow).of_all(customer_ids)
        sizes = Counter(roots.values())
        return {each for each in customer_ids if sizes[roots.get(each, each)] <= 1}

    async def _take_back(self, row: Told) -> str | None:
        """Set back what a row has changed, as far as it is still so; None for nothing at all."""
        if not row.changes:
            return None
        kept = [*self._set_fields_back(row), *await self._forget_identities(row)]
        if "address" in row.changes:
            await self._forget_address(row.customer_id, UUID(row.changes["address"]))
        kept += self._forget_words(row)
        if kept:
            self.kept_fields[row.row] = kept
        return "partly" if kept else "restored"

    def _forget_words(self, row: Told) -> list[str]:
        """Take back the note of a row and what it agreed to; tells what is kept."""
        kept: list[str] = []
        if "note" in row.changes:
            self._notes.append(UUID(row.changes["note"]))
        for purpose, channel, status in row.changes.get("consents", ()):
            if status == "granted":
                self._withdraw(row, purpose, channel)
            else:
                kept.append(f"consent.{purpose}.{channel}")
        return kept

    def _set_fields_back(self, row: Told) -> Iterator[str]:
        """Set back fields; yields those that somebody has changed since."""
        for name, (old, new) in row.changes.get("fields", {}).items():
            changed = _set_back(self._changes[row.customer_id], name, old, new)
            if changed is None:
                yield name
            else:
                self._changes.apply(row.customer_id, changed)

    async def _forget_identities(self, row: Told) -> list[str]:
        """Take away what they were recognised by since; tells what has become theirs."""
        kept: list[str] = []
        for kind, scope, value in row.changes.get("identities", ()):
            if getattr(self._changes[row.customer_id], kind, None) == value:
                kept.append(kind)
            elif kind == "platform_id":
                await self._identities.remove_platform_id(row.customer_id, scope=scope, value=value)
            else:
                await self._identities.remove_claimed(row.customer_id, kind=kind, value=value)
        return kept

    async def _forget_address(self, customer_id: UUID, address_id: UUID) -> None:
        found = [
            one for one in await self._addresses.list_of([customer_id]) if one.id == address_id
        ]
        if found and found[0].version == 1:
            await self._addresses.delete(address_id)

    def _withdraw(self, row: Told, purpose: Any, channel: Any) -> None:
        """A consent that came by mistake must not stay; what was said is never deleted."""
        self._answers.append(
            Answer(
                customer_id=row.customer_id,
                purpose=purpose,
                channel=channel,
                status="withdrawn",
                at=self._uow.clock.now(),
                source=self._source,
                proof={"undone_import_id": str(self._import_id)},
            )
        )

    async def _remove(self, customer_ids: Sequence[UUID]) -> None:
        """Leave nothing of customers whom this import has brought but that they were there."""
        if not customer_ids:
            return
        for customer_id in customer_ids:
            self._changes.apply(customer_id, _EMPTY)
        await self._identities.remove_all(customer_ids)
        await forget_addresses(self._uow, customer_ids)
        await self._imports.forget_keys(customer_ids)

    async def _finish(self) -> None:
        await NoteRepository(self._uow).remove_untouched(self._notes)
        if self._answers:
            recorder = ConsentRecorder(uow=self._uow, changes=self._changes)
            await recorder.record(self._answers)
        saved = await self._changes.save()
        now = self._uow.clock.now()
        entries = [
            Entry(
                customer_id=record.id,
                type="customer.import_undone",
                occurred_at=now,
                data={"source": self._source, "import_id": str(self._import_id)},
            )
            for record in saved
        ]
        await TimelineRepository(self._uow).add(entries)


def _set_back(record: CustomerRecord, name: str, old: Any, new: Any) -> dict[str, Any] | None:
    """The columns that take one change back; None when somebody has changed the field since."""
    now = as_kept(record).get(name)
    if name in _LISTS:
        added = [item for item in new or () if item not in (old or ())]
        kept = [item for item in now or () if item not in added]
        return {name: kept}
    if name in _BY_NAME:
        return _attributes_set_back(now or {}, old or {}, new or {})
    if now != new:
        return None
    columns, profile = split_profile(field_columns({name: old}))
    if name in profile:
        known = {key: value for key, value in record.profile.items() if key != name}
        return {"profile": known if old is None else {**known, name: old}}
    return columns


def _attributes_set_back(
    now: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, Any] | None:
    after = dict(now)
    for name in new:
        if old.get(name) == new[name]:
            continue
        if now.get(name) != new[name]:
            return None
        if name in old:
            after[name] = old[name]
        else:
            del after[name]
    return {"attributes": after}
