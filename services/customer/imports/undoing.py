"""Taking an import back, the last row first: field by field, and nothing that others did since."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from services.customer.addresses.repository import ADDRESSES, forget_addresses
from services.customer.consents.recording import Answer, ConsentRecorder
from services.customer.consents.repository import ConsentRepository
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.hearing import Hearing
from services.customer.customers.identity_repository import CONTACTS, IdentityRepository
from services.customer.customers.says import ATTRIBUTE
from services.customer.duplicates.weighing import Weighing
from services.customer.families.belongings import Belongings
from services.customer.families.family import Families
from services.customer.imports.busy_repository import BusyRepository
from services.customer.imports.earlier_words import EarlierWords, old_and_new, word_of
from services.customer.imports.key_repository import KeyRepository
from services.customer.imports.row_repository import ImportRowRepository, Told
from services.customer.notes.repository import NoteRepository
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.db.unit_of_work import UnitOfWork

_WHOLLY: Final = frozenset({"removed", "restored"})
_EMPTY: Final[Mapping[str, Any]] = {
    **dict.fromkeys(
        ("name", "email", "phone", "locale", "gender", "birth_date", "city", "province", "country")
    ),
    "tags": [],
    "attributes": {},
    "profile": {},
    "consents": [],
}


class ImportUndoing:
    """Takes back rows of one import, inside one unit of work."""

    def __init__(
        self, uow: UnitOfWork, *, import_id: UUID, source: str, weighing: Weighing
    ) -> None:
        self._uow = uow
        self._import_id = import_id
        self._source = source
        self._weighing = weighing
        self._rows = ImportRowRepository(uow)
        self._changes = CustomerChanges(uow)
        self._hearing = Hearing(uow, self._changes)
        self._earlier = EarlierWords(self._rows, self._hearing, source=source)
        self._identities = IdentityRepository(uow)
        self._addresses = Belongings(uow, ADDRESSES)
        self._notes: list[UUID] = []
        self._answered: dict[tuple[UUID, str, str], Told] = {}
        self._answers: list[Answer] = []
        self.kept_fields: dict[int, list[str]] = {}
        """What was not taken back, by row."""

    async def undo(self, rows: Sequence[Told]) -> dict[int, str]:
        """How far each of these rows was taken back."""
        # What an undoing that was stopped has taken back needs no more of it.
        undone = {row.row: row.undone for row in rows if row.undone in _WHOLLY}
        await self._undo([row for row in rows if row.row not in undone], undone)
        return undone

    async def _undo(self, rows: Sequence[Told], undone: dict[int, str]) -> None:
        ids = {row.customer_id for row in rows if row.customer_id is not None}
        await self._changes.lock(ids)
        await self._hearing.listen()
        found_at = {each: self._changes[each].version for each in ids if each in self._changes}
        left_at = await self._rows.left_at(self._import_id, ids)
        untouched = {each for each, version in found_at.items() if version == left_at.get(each)}
        alone = await self._alone(found_at)
        await self._look_up_answers(rows)
        await self._earlier.look(self._import_id, alone)
        for row in rows:
            if row.customer_id in found_at and row.outcome != "created":
                word = await self._take_back(row) if row.customer_id in alone else "kept"
                if row.changes and word is not None:
                    undone[row.row] = word
        created = {row.customer_id: row.row for row in rows if row.outcome == "created"}
        busy = await BusyRepository(self._uow).busy(
            created, import_id=self._import_id, source=self._source
        )
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
        await self._weighing.weigh_again(
            {row.customer_id for row in rows if row.customer_id in alone and row.row in undone}
        )
        versions = {each: self._changes[each].version for each in untouched}
        await self._rows.mark_undone(self._import_id, rows, undone, versions=versions)

    async def _alone(self, customer_ids: Collection[UUID]) -> set[UUID]:
        """Who is in no family: what was merged since is for people to take apart."""
        roots = await Families(self._uow).of_all(customer_ids)
        sizes = Counter(roots.values())
        return {each for each in customer_ids if sizes[roots.get(each, each)] <= 1}

    async def _take_back(self, row: Told) -> str | None:
        """Set back what a row has changed, as far as it is still so; None for nothing at all."""
        if not row.changes:
            return None
        contacts = self._contacts(row.customer_id)
        kept = [*self._take_words_back(row), *await self._forget_identities(row)]
        await self._forget_kept_identities(row, contacts)
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
            answer = self._answered.get((row.customer_id, purpose, channel))
            granted_by = None
            if answer is not None and answer.status == "granted":
                granted_by = answer.proof.get("import_id", "others")
            # Whoever has agreed again since has not done so by mistake.
            if status == "granted" and granted_by == str(self._import_id):
                self._withdraw(row, purpose, channel)
            elif status != "granted" or granted_by is not None:
                kept.append(f"consent.{purpose}.{channel}")
        return kept

    def _take_words_back(self, row: Told) -> Iterator[str]:
        """Let the source have said nothing; yields fields that somebody has changed since."""
        fields, said = row.changes.get("fields", {}), row.changes.get("said", {})
        customer_id = row.customer_id
        for name in said.get("before", {}):
            now = self._value(customer_id, name)
            old, new = old_and_new(row, name) or (now, now)
            word = word_of(row, name, source=self._source, now=now)
            word = self._earlier.left_out(customer_id, name, word)
            was_taken_back = self._hearing.take_back(customer_id, name, word)
            if old != new and (now != new or not was_taken_back):
                yield name
        if "tags" in fields:
            self._changes.apply(
                customer_id, {"tags": self._tags_before(customer_id, *fields["tags"])}
            )

    def _value(self, customer_id: UUID, name: str) -> Any:
        record = self._changes[customer_id]
        if name.startswith(ATTRIBUTE):
            return record.attributes.get(name.removeprefix(ATTRIBUTE))
        return record.fields().get(name)

    def _tags_before(
        self, customer_id: UUID, old: Sequence[str] | None, new: Sequence[str] | None
    ) -> list[str]:
        added = set(new or ()) - set(old or ())
        return [tag for tag in self._changes[customer_id].tags if tag not in added]

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

    async def _forget_kept_identities(self, row: Told, before: Collection[tuple[str, Any]]) -> None:
        """Take away, too, what an import that was taken back earlier has left for its field."""
        gone = set(before) - self._contacts(row.customer_id)
        for kind, value in gone.intersection(self._earlier.contacts(row.customer_id)):
            await self._identities.remove_claimed(row.customer_id, kind=kind, value=value)

    def _contacts(self, customer_id: UUID) -> set[tuple[str, Any]]:
        return {(kind, getattr(self._changes[customer_id], kind)) for kind in CONTACTS}

    async def _forget_address(self, customer_id: UUID, address_id: UUID) -> None:
        found = [
            one for one in await self._addresses.list_of([customer_id]) if one.id == address_id
        ]
        if found and found[0].version == 1:
            await self._addresses.delete(address_id)

    async def _look_up_answers(self, rows: Sequence[Told]) -> None:
        """What was said last by those who agreed to something in these rows."""
        ids = {row.customer_id for row in rows if row.changes.get("consents")}
        latest = await ConsentRepository(self._uow).latest(ids) if ids else ()
        self._answered = {(one.customer_id, one.purpose, one.channel): one for one in latest}

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
        nobody = {**_EMPTY, "removed_at": self._uow.clock.now()}
        for customer_id in customer_ids:
            self._changes.apply(customer_id, nobody)
            self._changes.remember(customer_id, None)
        await self._identities.remove_all(customer_ids)
        await forget_addresses(self._uow, customer_ids)
        await KeyRepository(self._uow).forget_keys(customer_ids)

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
