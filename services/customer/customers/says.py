"""Who said what of a customer's fields, and whom to believe. Pure functions.

A *say* is what one source holds a field to be, and since when. The strongest counts: by the shop's
order of sources first, then the newest. The others are remembered, and count once the stronger one
has nothing to say any more.

Kept as one JSON object: of each field `[[source, at], [source, at, value, overruled], ...]`, the
say that counts first and without its value, which is the field itself. A field that is not there
was said by whom `*` names; without it, by the record's source when it was created.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Final

from services.customer.customers.profile import PROFILE_FIELDS
from services.customer.customers.record import CustomerRecord
from services.customer.tenants.priorities import STAFF, Priority
from shared.audit.trail import Actor

ATTRIBUTE: Final = "attributes."
FIELD_COLUMNS: Final = (
    *("kind", "relation", "name", "email", "phone", "locale", "gender", "birth_date"),
    *("city", "province", "country"),
)
Said = list[list[Any]] | None
"""The says of a field as they are kept; None when the record's own source said it, or nobody."""

_BASE: Final = "*"
_MOST_OTHERS: Final = 10
_DEFAULTS: Final = {"kind": "person", "relation": "customer"}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says something now, and when it was so: by the source's own clock, if it has told.

    Who `decides` names the customer and the field and means to change it: that counts, whoever was
    believed before. Others only deliver what they know.
    """

    source: str
    at: datetime
    decides: bool = False

    @classmethod
    def deciding(cls, actor: Actor, *, at: datetime) -> "Speaker":
        """Somebody who changes a customer directly."""
        return cls(source_of(actor), at, decides=True)


@dataclass(frozen=True, slots=True)
class Say:
    """What a source holds a field to be; `overruled` when somebody has decided otherwise since."""

    source: str
    at: datetime
    value: Any
    overruled: bool = False

    @property
    def by_hand(self) -> bool:
        """Whether a person said it, who means it also when it is nothing."""
        return self.source.partition(":")[0] == STAFF


@dataclass(frozen=True, slots=True)
class Word:
    """What a source said at a moment, and how the field stood before: who said it, its value."""

    source: str
    at: datetime
    before: Said
    value: Any


@dataclass(frozen=True, slots=True)
class Heard:
    """What of a customer is to change, and what is remembered of who said it."""

    changes: Mapping[str, Any]
    provenance: Mapping[str, Any] | None


def source_of(actor: Actor) -> str:
    """The name by which somebody who changes a customer directly is remembered."""
    if actor.kind == "staff":
        return f"{STAFF}:{actor.id}"
    return "api" if actor.kind == "api_key" else actor.kind


def first_said(record: CustomerRecord, speaker: Speaker) -> CustomerRecord:
    """A new customer, all of whom this speaker has told."""
    if (speaker.source, speaker.at) == (record.source, record.created_at):
        return record
    return replace(record, provenance={_BASE: [speaker.source, speaker.at.isoformat()]})


def told_fields(record: CustomerRecord, said: Mapping[str, Any]) -> dict[str, Any]:
    """Each field that is told, by itself; `attributes: null` tells of all that there are."""
    told = {name: said[name] for name in FIELD_COLUMNS if name in said}
    told |= said.get("profile", {})
    if "attributes" in said:
        attributes = said["attributes"]
        attributes = dict.fromkeys(record.attributes) if attributes is None else attributes
        told |= {f"{ATTRIBUTE}{name}": value for name, value in attributes.items()}
    return told


def says_of(record: CustomerRecord, name: str) -> list[Say]:
    """All says of a field, the one that counts first. Nobody has said what is not known."""
    return _says_in(record, name, (record.provenance or {}).get(name), _value(record, name))


def _says_in(record: CustomerRecord, name: str, entry: Said, value: Any) -> list[Say]:
    if entry is None:
        source, at = _base(record)
        return [] if value is None else [Say(source, at, value)]
    (source, at), *others = entry
    counting = Say(source, datetime.fromisoformat(at), value)
    return [counting, *(_read(name, *other) for other in others)]


def all_says(record: CustomerRecord) -> Iterator[tuple[str, list[Say]]]:
    """The says of every field of which anything was ever said."""
    attributes = [f"{ATTRIBUTE}{name}" for name in record.attributes]
    entries = (name for name in record.provenance or {} if name != _BASE)
    for name in dict.fromkeys((*FIELD_COLUMNS, *PROFILE_FIELDS, *sorted(attributes), *entries)):
        says = says_of(record, name)
        was_told = name in (record.provenance or {})
        if says and (was_told or _DEFAULTS.get(name) != says[0].value):
            yield name, says


def said_of(record: CustomerRecord, name: str) -> Said:
    """What is kept of who said a field, as another record takes it over."""
    says = says_of(record, name) if _is_told(name) else []
    return _written(says) if says else None


def with_said(record: CustomerRecord, said: Mapping[str, Said]) -> Mapping[str, Any] | None:
    """What is kept of a record once these fields were said by others, or by nobody."""
    kept = {**(record.provenance or {}), **said}
    return {name: entry for name, entry in kept.items() if entry is not None} or None


def is_contested(record: CustomerRecord, told: Iterable[str], source: str) -> bool:
    """Whether anybody else has said anything of these fields, so that priorities decide."""
    return any(
        say.source != source and not say.overruled for name in told for say in says_of(record, name)
    )


def hear(
    record: CustomerRecord, told: Mapping[str, Any], speaker: Speaker, priority: Priority
) -> Heard:
    """What becomes of a customer when `speaker` says what is `told`, field by field."""
    provenance = dict(record.provenance or {})
    decided: dict[str, Any] = {}
    for name, value in told.items():
        before = says_of(record, name)
        after = _after(name, before, Say(speaker.source, speaker.at, value), speaker, priority)
        if after == before:
            continue
        provenance[name] = _written(after)
        if after[0].value != _value(record, name):
            decided[name] = after[0].value
    return Heard(_changes(record, decided), provenance or None)


def decide_again(record: CustomerRecord, priority: Priority) -> Heard:
    """What becomes of a customer when a shop believes others than before."""
    provenance = dict(record.provenance or {})
    decided: dict[str, Any] = {}
    for name in provenance.keys() - {_BASE}:
        before = says_of(record, name)
        after = _strongest_first(name, before, priority)
        if after[0] != before[0]:
            provenance[name] = _written(after)
            decided[name] = after[0].value
    return Heard(_changes(record, decided), provenance or None)


def take_back_all(record: CustomerRecord, source: str, priority: Priority) -> Heard:
    """What becomes of a customer when a source has never said anything: what others say counts.

    What they are (`kind`, `relation`) is nobody's secret and stays.
    """
    provenance = dict(record.provenance or {})
    decided: dict[str, Any] = {}
    for name, says in list(all_says(record)):
        if name in _DEFAULTS or all(say.source != source for say in says):
            continue
        entry, value = provenance.pop(name, None), _value(record, name)
        decided[name], left = unsaid(record, name, entry, value, source, priority)
        if left is not None:
            provenance[name] = left
    return Heard(_changes(record, decided), provenance or None)


def unsaid(
    record: CustomerRecord, name: str, entry: Said, value: Any, source: str, priority: Priority
) -> tuple[Any, Said]:
    """A field of a record as it was once kept, the source never having said anything of it."""
    says = _says_in(record, name, entry, value)
    others = [say for say in says if say.source != source]
    if all(say.overruled for say in others):
        return None, None
    after = _strongest_first(name, others, priority)
    return after[0].value, _written(after)


def values_said(record: CustomerRecord, name: str) -> list[Any]:
    """What anybody holds a field to be."""
    return [say.value for say in says_of(record, name)]


def values_then(record: CustomerRecord, name: str, entry: Said, value: Any) -> list[Any]:
    """The same of a field as it was once kept."""
    return [say.value for say in _says_in(record, name, entry, value)]


def sources_of_field(record: CustomerRecord, name: str) -> set[str]:
    """Who has said something of a field."""
    return sources_then(record, name, (record.provenance or {}).get(name), _value(record, name))


def sources_then(record: CustomerRecord, name: str, entry: Said, value: Any) -> set[str]:
    """The same of a field as it was once kept.

    Nobody of what no source tells, and of what they are, which is nobody's secret.
    """
    if name in _DEFAULTS or not _is_told(name):
        return set()
    return {say.source for say in _says_in(record, name, entry, value)}


def sources_of(record: CustomerRecord) -> set[str]:
    """Everybody who has said something of a customer, or decided it."""
    return {s.source for name, says in all_says(record) if name not in _DEFAULTS for s in says}


def take_back(record: CustomerRecord, name: str, word: Word, priority: Priority) -> Heard | None:
    """What becomes of a customer when a source has never said `word` of a field.

    Where nobody else has spoken since, all is as before; else whoever is to be believed of those
    that are left. None when the source has said something else meanwhile.
    """
    left = _without(record, name, says_of(record, name), word, priority)
    if left is None:
        return None
    value, entry = left
    changed = {} if value == _value(record, name) else {name: value}
    return Heard(_changes(record, changed), with_said(record, {name: entry}))


def without_earlier(
    record: CustomerRecord, name: str, word: Word, earlier: Word, priority: Priority
) -> Word:
    """A word of a field as it would be, had its source never said an `earlier` one.

    The same word where the earlier one was not among what was said before it.
    """
    former = _says_in(record, name, word.before, word.value)
    left = _without(record, name, former, earlier, priority)
    if left is None:
        return word
    value, entry = left
    return replace(word, before=entry, value=value)


def _without(
    record: CustomerRecord, name: str, says: Sequence[Say], word: Word, priority: Priority
) -> tuple[Any, Said] | None:
    """A field and what is kept of who said it, without a word; None if it is not among `says`."""
    said = next((say for say in says if (say.source, say.at) == (word.source, word.at)), None)
    if said is None:
        return None
    others = [say for say in says if say is not said]
    former = _says_in(record, name, word.before, word.value)
    if _moments(others) == _moments(say for say in former if say.source != word.source):
        after, entry = former, word.before
    else:
        own = (say for say in former if say.source == word.source)
        after = _strongest_left(name, [*others, *own], priority)
        entry = _written(after) if after else None
    return (after[0].value if after else None), entry


def _moments(says: Iterable[Say]) -> set[tuple[str, datetime]]:
    return {(say.source, say.at) for say in says}


def _strongest_left(name: str, says: Sequence[Say], priority: Priority) -> list[Say]:
    """The says without one that is gone: it overrules nobody any more."""
    if says and all(say.overruled for say in says):
        says = [replace(say, overruled=False) for say in says]
    return _strongest_first(name, says, priority) if says else []


def _after(
    name: str, before: Sequence[Say], say: Say, speaker: Speaker, priority: Priority
) -> Sequence[Say]:
    """All says of a field once one more was heard; the very same if it tells nothing new."""
    known = before[0].value if before else None
    own = next((one for one in before if one.source == say.source), None)
    others = [one for one in before if one.source != say.source]
    if speaker.decides:
        # Who sends a whole form back has not said what was in it before.
        if say.value == known:
            return before
        return [say, *(replace(other, overruled=True) for other in others)]
    if own is None and say.value is None and known is None:
        return before
    if own is not None and say.at < own.at:
        return before
    if own is None or own.value != say.value or own.overruled:
        return _strongest_first(name, [say, *others], priority)
    # Who repeats themselves says nothing newer than they have; whom to believe may be decided anew.
    after = _strongest_first(name, [own, *others], priority)
    return before if after[0] == before[0] else after


def _strongest_first(name: str, says: Sequence[Say], priority: Priority) -> list[Say]:
    """The say that counts, then the others, the newest first.

    A system that says nothing has taken back what it said, and the next below it counts; of several
    in one place only the newest says anything. What a person has cleared stays so.
    """
    standing = [say for say in says if not say.overruled]
    newest = sorted(standing, key=attrgetter("at"), reverse=True)
    in_places = sorted(newest, key=lambda say: priority.rank(say.source, name))
    heads: dict[int, Say] = {}
    for say in in_places:
        heads.setdefault(priority.rank(say.source, name), say)
    speaking = (say for say in heads.values() if say.value is not None or say.by_hand)
    counting = next(speaking, in_places[0])
    others = [say for say in says if say is not counting]
    return [counting, *sorted(others, key=attrgetter("at"), reverse=True)[:_MOST_OTHERS]]


def _changes(record: CustomerRecord, decided: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that make these the fields of a customer."""
    changes = {name: value for name, value in decided.items() if name in FIELD_COLUMNS}
    attributes = {
        name.removeprefix(ATTRIBUTE): value
        for name, value in decided.items()
        if name.startswith(ATTRIBUTE)
    }
    profile = {
        name: value
        for name, value in decided.items()
        if name not in changes and not name.startswith(ATTRIBUTE)
    }
    if attributes:
        changes["attributes"] = _known({**record.attributes, **attributes})
    if profile:
        changes["profile"] = _known({**record.profile, **profile})
    return changes


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _value(record: CustomerRecord, name: str) -> Any:
    if name in FIELD_COLUMNS:
        return getattr(record, name)
    if name.startswith(ATTRIBUTE):
        return record.attributes.get(name.removeprefix(ATTRIBUTE))
    return record.profile.get(name)


def _is_told(name: str) -> bool:
    return name in FIELD_COLUMNS or name in PROFILE_FIELDS or name.startswith(ATTRIBUTE)


def _base(record: CustomerRecord) -> tuple[str, datetime]:
    base = (record.provenance or {}).get(_BASE)
    if base is None:
        return record.source, record.created_at
    return base[0], datetime.fromisoformat(base[1])


def _written(says: Sequence[Say]) -> list[list[Any]]:
    counting, *others = says
    return [
        [counting.source, counting.at.isoformat()],
        *([o.source, o.at.isoformat(), _as_json(o.value), *([1] * o.overruled)] for o in others),
    ]


def _read(name: str, source: str, at: str, value: Any, overruled: int = 0) -> Say:
    if name == "birth_date" and value is not None:
        value = date.fromisoformat(value)
    return Say(source, datetime.fromisoformat(at), value, overruled == 1)


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
