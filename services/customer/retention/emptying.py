"""Emptying what a rule names, of people who are locked, in every record of theirs.

What it was before is written nowhere: neither into the audit log, nor into who said it, nor into
the ledger of merges, from which it would come back.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Delete, Select, Update, Uuid, bindparam, delete, func, select
from sqlalchemy import update as update_of

from services.customer.customers.models import customer_identity
from services.customer.customers.record import CustomerRecord
from services.customer.customers.rewriting import rewrite, rewritten
from services.customer.duplicates.weighing import Weighing
from services.customer.merges.forgetting import without_fields
from services.customer.merges.repository import MergeRepository
from services.customer.retention.catalogue import (
    ATTRIBUTE,
    ATTRIBUTES,
    ENTRIES,
    FIELDS,
    RECORD,
    TAGS,
)
from services.customer.retention.judging import Person, RuleTerms
from shared.audit.trail import AuditEntry
from shared.contracts.audit import AuditSubject
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.registry import Personal, declared

_TENANT: Final = bindparam("tenant", type_=Uuid)
_IDS: Final = bindparam("customer_ids", type_=ARRAY(Uuid))
_ENTRY_IDS: Final = bindparam("entry_ids", type_=ARRAY(Uuid))
_REACHED_BY: Final = frozenset({"email", "phone"})
_THEIR_IDENTITIES: Final = (
    customer_identity.c.tenant_id == _TENANT,
    customer_identity.c.customer_id == func.any(_IDS),
    customer_identity.c.kind
    == func.any(bindparam("kinds", type_=ARRAY(customer_identity.c.kind.type))),
)
_IDENTITIES: Final[Select[Any]] = select(
    customer_identity.c.customer_id, customer_identity.c.kind
).where(*_THEIR_IDENTITIES)
_FORGET_IDENTITIES: Final = delete(customer_identity).where(*_THEIR_IDENTITIES)

Found = Mapping[UUID, Counter[str]]
"""How much there is of which data, by who stands for a person."""


class Emptying:
    """What people still have of a rule's data, and its end, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, rule: RuleTerms, *, weighing: Weighing) -> None:
        self._uow = uow
        self._rule = rule
        self._weighing = weighing
        self._fields = [name for name in rule.data if _is_field(name)]
        self._entries = [name for name in rule.data if name in ENTRIES]
        self._kinds = sorted(_REACHED_BY.intersection(self._fields))

    async def count(self, people: Collection[Person]) -> Found:
        """How many fields and entries these people still have."""
        found = {person.root.id: _fields_known(person, self._fields) for person in people}
        if self._rule.ends_the_person:
            found = {root_id: Counter({RECORD: 1}) for root_id in found}
        roots = {id_: person.root.id for person in people for id_ in person.member_ids}
        if not roots:
            return found
        asked = self._asked(roots)
        if self._kinds:
            for row in await self._uow.rows(_IDENTITIES, {**asked, "kinds": self._kinds}):
                # One datum, be it the number they are called at or an older one.
                found[roots[row.customer_id]][row.kind] = 1
        for name in self._entries:
            for row in await self._uow.rows(_statements(name).count, asked):
                found[roots[row.customer_id]][name] += row.found
        return found

    async def empty(self, people: Sequence[Person], found: Found, *, run_id: UUID) -> None:
        """Empty it, tell others of the people, and leave in the audit log that it was done."""
        roots = {id_: person.root.id for person in people for id_ in person.member_ids}
        if not roots:
            return
        asked = self._asked(roots)
        if self._kinds:
            await self._uow.execute(_FORGET_IDENTITIES, {**asked, "kinds": self._kinds})
        for name in self._entries:
            for statement in _statements(name).erase:
                await self._uow.execute(statement, asked)
        await self._empty_fields(people)
        await self._forget_merges(roots)
        await self._weighing.weigh_again(set(roots.values()))
        for person in people:
            detail = {"emptied": dict(found[person.root.id])}
            self._record(person.root.id, detail, run_id)

    async def empty_entries(
        self, name: str, entry_ids: Sequence[UUID], of: Mapping[UUID | None, int], *, run_id: UUID
    ) -> None:
        """Empty these very entries; `of` says how many of them each person has."""
        asked = {"tenant": self._uow.tenant_id, "entry_ids": list(entry_ids)}
        erase = _statements(name).erase_these
        assert erase is not None  # noqa: S101  (a rule by their age was refused otherwise)
        await self._uow.execute(erase, asked)
        for root_id, amount in of.items():
            self._record(root_id, {"emptied": {name: amount}}, run_id)

    async def _empty_fields(self, people: Iterable[Person]) -> None:
        names = set(self._fields)
        if "addresses" in self._entries:
            names.add("address")  # The primary one stands in the profile, too.
        if not names:
            return
        now = self._uow.clock.now()
        before = {record.id: record for person in people for record in person.members}
        after = {id_: _without(record, names, at=now) for id_, record in before.items()}
        await rewrite(self._uow, before, after.values())

    async def _forget_merges(self, customer_ids: Collection[UUID]) -> None:
        """What was taken at a merge is not to be given back when it is undone."""
        names = set(self._fields)
        if not names:
            return
        merges = MergeRepository(self._uow)
        left = [
            without_fields(row, partial(_names, names), keeps_tags=TAGS not in names)
            for row in await merges.involving(customer_ids)
        ]
        await merges.forget([each for each in left if each is not None])

    def _record(self, root_id: UUID | None, detail: Mapping[str, Any], run_id: UUID) -> None:
        rule_id = str(self._rule.id)
        subject = AuditSubject(object="customer", id=str(root_id))
        if root_id is None:
            subject = AuditSubject(object="retention_rule", id=rule_id)
        told = {**detail, "rule_id": rule_id, "run_id": str(run_id)}
        self._uow.record(AuditEntry([subject], action="retention.empty", detail=told))

    def _asked(self, customer_ids: Iterable[UUID]) -> dict[str, Any]:
        return {
            "tenant": self._uow.tenant_id,
            "customer_ids": list(customer_ids),
            "now": self._uow.clock.now(),
            "kept_since": self._rule.accounts_since,
        }


class _Statements:
    """What is done with the entries of one name."""

    def __init__(self, name: str) -> None:
        entries = ENTRIES[name]
        table = entries.table
        said = _said(table)
        # What is nobody's is looked for when the person asks; here it goes by its age.
        found = said.rows.condition if said.rows.own is None else said.rows.own
        theirs = (table.c.tenant_id == _TENANT, found, entries.remaining)
        self.count: Select[Any] = (
            select(table.c.customer_id, func.count().label("found"))
            .where(*theirs)
            .group_by(table.c.customer_id)
        )
        ids = select(table.c.id).where(*theirs)
        # What belongs to entries goes before them: afterwards nothing remains to find it by.
        self.erase: list[Update | Delete] = [
            _erasing(part, part.c.tenant_id == _TENANT, part.c.order_id.in_(ids))
            for part in entries.parts
        ]
        self.erase.append(_erasing(table, *theirs))
        self.erase_these: Update | Delete | None = None
        if entries.at is not None:
            these = table.c.id == func.any(_ENTRY_IDS)
            self.erase_these = _erasing(table, table.c.tenant_id == _TENANT, these)


@lru_cache
def _statements(name: str) -> _Statements:
    return _Statements(name)


def _erasing(table: Any, *where: Any) -> Update | Delete:
    said = _said(table)
    if said.erase == "row":
        return delete(table).where(*where)
    return update_of(table).where(*where).values(dict(said.erase))


def _said(table: Any) -> Personal:
    said = declared(table)
    assert isinstance(said, Personal)  # noqa: S101  (a test of the catalogue sees to it)
    return said


def _is_field(name: str) -> bool:
    return name in FIELDS or name.startswith(ATTRIBUTE)


def _names(names: Collection[str], field: str) -> bool:
    """Whether a field is one of these; all attributes are named at once by `attributes`."""
    return field in names or (ATTRIBUTES in names and field.startswith(ATTRIBUTE))


def _fields_known(person: Person, names: Iterable[str]) -> Counter[str]:
    return Counter(
        name
        for name in names
        if any(_value(record, name) not in (None, [], {}) for record in person.members)
    )


def _value(record: CustomerRecord, name: str) -> Any:
    if name.startswith(ATTRIBUTE):
        return record.attributes.get(name.removeprefix(ATTRIBUTE))
    return record.fields().get(name)


def _without(record: CustomerRecord, names: Collection[str], *, at: Any) -> CustomerRecord:
    """The record with these fields unknown, and nobody having said them; itself if it knew none."""
    columns = record.as_row()
    changes: dict[str, Any] = {
        name: None for name in names if name in columns and name not in (TAGS, ATTRIBUTES)
    }
    if TAGS in names:
        changes[TAGS] = []
    changes[ATTRIBUTES] = {
        name: value
        for name, value in record.attributes.items()
        if not _names(names, f"{ATTRIBUTE}{name}")
    }
    changes["profile"] = {n: value for n, value in record.profile.items() if n not in names}
    said = {
        name: entry for name, entry in (record.provenance or {}).items() if not _names(names, name)
    }
    return rewritten(record, changes, said, at=at)
