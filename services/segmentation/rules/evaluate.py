"""The rule of one customer in memory: the plain reading of the language, and the reasons.

It is the oracle that the SQL is tested against, and what `explain` shows.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from uuid import UUID

from services.segmentation.facts.customer_facts import CustomerFacts, Fact
from services.segmentation.rules.catalog import Op
from services.segmentation.rules.conditions import (
    Truth,
    all_of,
    any_of,
    negation,
    satisfies,
    truth_of,
)
from services.segmentation.rules.measures import measured, newest_keys, rows_of
from services.segmentation.rules.moments import Moment
from services.segmentation.rules.reading import Record, get, read_value
from services.segmentation.rules.tree import All, AnyOf, CollectionLeaf, FieldLeaf, Node, Not, Rule

EVIDENCE_LIMIT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a node is true, false or unknown (None) for one customer.

    `asks` is the field or measure of a leaf, `actual` its value (money in minor units), `evidence`
    the newest rows that it was made of.
    """

    pointer: str
    kind: str
    truth: Truth
    asks: str | None = None
    op: Op | None = None
    expected: object = None
    actual: object = None
    currency: str | None = None
    evidence: tuple[UUID, ...] = ()
    children: tuple["Explanation", ...] = ()


def evaluate(rule: Rule, facts: CustomerFacts, *, as_of: datetime, timezone: tzinfo) -> bool:
    """Whether the customer matches the rule at `as_of`."""
    return holds_at(rule, facts, Moment(as_of, timezone))


def explain(rule: Rule, facts: CustomerFacts, *, as_of: datetime, timezone: tzinfo) -> Explanation:
    """The truth of every node of the rule at `as_of`, with the values it was made of."""
    return _Evaluator(facts, Moment(as_of, timezone)).node(rule.root, facts.profile)


def holds_at(rule: Rule, facts: CustomerFacts, moment: Moment) -> bool:
    """Whether the customer matches the rule at `moment`."""
    return _Evaluator(facts, moment).node(rule.root, facts.profile).truth is True


class _Evaluator:
    def __init__(self, facts: CustomerFacts, moment: Moment) -> None:
        self._facts = facts
        self._moment = moment

    def node(self, node: Node, record: Record) -> Explanation:
        match node:
            case All(pointer, children):
                parts = tuple(self.node(child, record) for child in children)
                truth = all_of(part.truth for part in parts)
                return Explanation(pointer=pointer, kind="all", truth=truth, children=parts)
            case AnyOf(pointer, children):
                parts = tuple(self.node(child, record) for child in children)
                truth = any_of(part.truth for part in parts)
                return Explanation(pointer=pointer, kind="any", truth=truth, children=parts)
            case Not(pointer, child, require_known):
                part = self.node(child, record)
                truth = negation(part.truth, require_known=require_known)
                return Explanation(pointer=pointer, kind="not", truth=truth, children=(part,))
            case FieldLeaf():
                return self._field(node, record)
            case CollectionLeaf():
                return self._collection(node)

    def _field(self, leaf: FieldLeaf, record: Record) -> Explanation:
        value = read_value(leaf.field, record, leaf.check, self._moment)
        return Explanation(
            pointer=leaf.pointer,
            kind="field",
            truth=truth_of(leaf.check, value, self._moment),
            asks=leaf.field.name,
            op=leaf.check.op,
            expected=leaf.check.expected,
            actual=value,
            currency=leaf.check.currency,
        )

    def _collection(self, leaf: CollectionLeaf) -> Explanation:
        rows = [row for row in rows_of(leaf.collection, self._facts) if self._counts(leaf, row)]
        value = measured(leaf, rows)
        return Explanation(
            pointer=leaf.pointer,
            kind=leaf.collection.name,
            truth=truth_of(leaf.check, value, self._moment),
            asks=leaf.measure.name,
            op=leaf.check.op,
            expected=leaf.check.expected,
            actual=value,
            currency=leaf.check.currency,
            evidence=newest_keys(leaf, rows, limit=EVIDENCE_LIMIT),
        )

    def _counts(self, leaf: CollectionLeaf, row: Fact) -> bool:
        if leaf.check.currency is not None and get(row, "currency") != leaf.check.currency:
            return False
        at = get(row, leaf.collection.at)
        if leaf.window is not None and not (
            isinstance(at, datetime) and satisfies(leaf.window, at, self._moment)
        ):
            return False
        return leaf.where is None or self.node(leaf.where, row).truth is True
