"""What a rule depends on: facts, so that a change of others need not ask it again, and time."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from services.segmentation.rules.catalog import FIELDS, Collection, Field, Kind, Scope
from services.segmentation.rules.tree import (
    All,
    Anniversary,
    AnyOf,
    CollectionLeaf,
    Condition,
    FieldLeaf,
    Node,
    Not,
    OlderThan,
    Rule,
    Within,
)


@dataclass(frozen=True, slots=True)
class Ageing:
    """A person's age changes with the date of birth's return."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What was agreed to for a time stops counting."""


TimeCondition = Within | OlderThan | Anniversary | Ageing | Ending


@dataclass(frozen=True, slots=True)
class TimedValue:
    """A time in the facts whose distance from now the rule looks at.

    `field` belongs to the profile, or to each row of `collection`; `kind` is date or instant.
    """

    collection: Collection | None
    field: Field
    kind: Kind
    condition: TimeCondition


def facts_used(rule: Rule) -> frozenset[str]:
    """The facts the rule looks at.

    Fields by name (`profile.city`, `attributes.size`, `consent.email`), collections by theirs
    (`orders`, `tickets`, `messages`).
    """
    return frozenset(
        leaf.field.name if isinstance(leaf, FieldLeaf) else leaf.collection.name
        for leaf in _leaves(rule.root)
    )


def personal_leaves(rule: Rule, marked: Container[str]) -> Sequence[FieldLeaf]:
    """The leaves that ask about personal data; of its own fields the shop has `marked` some."""
    return [
        leaf
        for leaf in _leaves(rule.root)
        if isinstance(leaf, FieldLeaf) and leaf.field.is_personal(marked)
    ]


def timed_values(rule: Rule) -> frozenset[TimedValue]:
    """Everything in the rule that time alone can change; empty if nothing can."""
    return frozenset(timed for leaf in _leaves(rule.root) for timed in _timed(leaf))


def _leaves(node: Node) -> Iterator[FieldLeaf | CollectionLeaf]:
    """The leaves below `node`; the filter inside a collection is part of its leaf."""
    match node:
        case All() | AnyOf():
            for child in node.children:
                yield from _leaves(child)
        case Not():
            yield from _leaves(node.child)
        case FieldLeaf() | CollectionLeaf():
            yield node


def _timed(leaf: FieldLeaf | CollectionLeaf) -> Iterator[TimedValue]:
    if isinstance(leaf, FieldLeaf):
        yield from _timed_field(leaf, None)
        return
    happened_at = FIELDS[leaf.collection.scope][leaf.collection.at]
    for condition in (leaf.window, leaf.check.condition):
        yield from _timed_value(leaf.collection, happened_at, Kind.INSTANT, condition)
    if leaf.where is not None:
        for filtered in _leaves(leaf.where):
            if isinstance(filtered, FieldLeaf):
                yield from _timed_field(filtered, leaf.collection)


def _timed_field(leaf: FieldLeaf, collection: Collection | None) -> Iterator[TimedValue]:
    if (leaf.field.scope, leaf.field.key) == (Scope.PROFILE, "age"):
        birth_date = FIELDS[Scope.PROFILE]["birth_date"]
        yield TimedValue(collection, birth_date, Kind.DATE, Ageing())
    elif leaf.field.scope is Scope.CONSENT:
        yield TimedValue(collection, leaf.field, Kind.INSTANT, Ending())
    else:
        yield from _timed_value(collection, leaf.field, leaf.check.kind, leaf.check.condition)


def _timed_value(
    collection: Collection | None, field: Field, kind: Kind, condition: Condition | None
) -> Iterator[TimedValue]:
    if isinstance(condition, Within | OlderThan | Anniversary):
        yield TimedValue(collection, field, kind, condition)
