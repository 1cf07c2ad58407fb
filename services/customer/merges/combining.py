"""What is known of one person who was several records. Pure functions.

A field is named as in the API; one attribute is `attributes.<name>`. Values are as JSON has them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final, Self
from uuid import UUID

from services.customer.customers.profile import PROFILE_FIELDS
from services.customer.customers.record import CustomerRecord
from services.customer.customers.says import Said

MOST_TAGS: Final = 50
MOST_ATTRIBUTES: Final = 50
MOST_OTHERS: Final = 20
ATTRIBUTE: Final = "attributes."
"""What the name of an attribute's field begins with."""

_COLUMNS: Final = (
    *("name", "email", "phone", "locale", "gender", "birth_date", "city", "province", "country"),
    *("owner_id", "kind", "relation", "stage", "restricted_at"),
)
FIELDS: Final = frozenset({*_COLUMNS, *PROFILE_FIELDS} - {"stage", "restricted_at"})
"""What a client may choose of which record, besides attributes."""

# A lead is who has not bought so far: whoever has bought knows more.
_BLANKS: Final[Mapping[str, Any]] = {"stage": "lead"}


@dataclass(frozen=True, slots=True)
class Taken:
    """A field that the record which stays took from another."""

    field: str
    record_id: UUID
    before: Any
    after: Any
    said_before: Said = None
    """Who had said it."""

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """The same from the ledger."""
        record_id, said_before = UUID(kept["record_id"]), kept.get("said_before")
        return cls(kept["field"], record_id, kept["before"], kept["after"], said_before)

    def as_json(self) -> dict[str, Any]:
        """The same for the ledger."""
        return {**asdict(self), "record_id": str(self.record_id)}


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field of which the records say different things: what counts, and what does not."""

    field: str
    record_id: UUID
    value: Any
    others: tuple[tuple[UUID, Any], ...]


@dataclass(frozen=True, slots=True)
class Combination:
    """What follows from several records being one person's."""

    taken: tuple[Taken, ...]
    conflicts: tuple[Conflict, ...]
    tags_added: tuple[str, ...]


def known_fields(record: CustomerRecord) -> dict[str, Any]:
    """All that is known of a record, field by field."""
    columns = {name: _as_json(getattr(record, name)) for name in _COLUMNS}
    attributes = {f"{ATTRIBUTE}{name}": value for name, value in record.attributes.items()}
    fields = {**columns, **record.profile, **attributes}
    return {name: value for name, value in fields.items() if value is not None}


def is_blank(field: str, value: Any) -> bool:
    """Whether a value says nothing."""
    return bool(value is None or value == _BLANKS.get(field))


def combine(
    root: CustomerRecord, others: Sequence[CustomerRecord], choices: Mapping[str, UUID]
) -> Combination:
    """The root's fields, its blanks filled from the others in their order.

    `choices` say of which record a field is taken instead, also where that knows nothing.
    """
    own = known_fields(root)
    known = {record.id: known_fields(record) for record in others}
    taken, conflicts = [], []
    attributes = sum(field.startswith(ATTRIBUTE) for field in own)
    for field in dict.fromkeys([*own, *(name for each in known.values() for name in each)]):
        said = {id_: each[field] for id_, each in known.items() if field in each}
        before = own.get(field)
        source = choices.get(field, root.id)
        if field not in choices and is_blank(field, before):
            telling = (id_ for id_, value in said.items() if not is_blank(field, value))
            source = next(telling, root.id)
        after = before if source == root.id else said.get(source)
        if field.startswith(ATTRIBUTE) and before is None and after is not None:
            if attributes == MOST_ATTRIBUTES:
                continue
            attributes += 1
        if after != before:
            said_before = (root.provenance or {}).get(field)
            taken.append(Taken(field, source, before, after, said_before))
        differing = [
            (id_, value)
            for id_, value in {root.id: before, **said}.items()
            if id_ != source and value != after and not is_blank(field, value)
        ]
        if differing:
            conflicts.append(Conflict(field, source, after, tuple(differing[:MOST_OTHERS])))
    tags = dict.fromkeys(tag for record in (root, *others) for tag in record.tags)
    kept = [*root.tags, *(tag for tag in tags if tag not in root.tags)]
    added = kept[len(root.tags) : max(MOST_TAGS, len(root.tags))]
    return Combination(tuple(taken), tuple(conflicts), tuple(added))


def columns_with(record: CustomerRecord, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a record with these fields changed; None clears."""
    columns: dict[str, Any] = {}
    profile, attributes = dict(record.profile), dict(record.attributes)
    for field, value in fields.items():
        if field.startswith(ATTRIBUTE):
            _put(attributes, field.removeprefix(ATTRIBUTE), value)
        elif field in _COLUMNS:
            columns[field] = _from_json(field, value)
        else:
            _put(profile, field, value)
    return {**columns, "profile": profile, "attributes": attributes}


def _put(known: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        known.pop(name, None)
    else:
        known[name] = value


def _as_json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _from_json(field: str, value: Any) -> Any:
    if value is None:
        return None
    if field == "birth_date":
        return date.fromisoformat(value)
    if field == "restricted_at":
        return datetime.fromisoformat(value)
    return UUID(value) if field == "owner_id" else value
