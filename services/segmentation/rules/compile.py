"""From a rule to a SQL predicate over `profile`.

Every value is a bound parameter and every relative time is worked out here, so the text of the
statement depends on the rule alone. Fact tables are asked through correlated sub-selects that name
the tenant and the customer: the same predicate runs over a whole tenant or, beside
`customer_id = ANY(:ids)`, over a few customers by index.
"""

from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Numeric,
    Select,
    Text,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)

from services.segmentation.facts import models
from services.segmentation.facts.records import records_of
from services.segmentation.rules.catalog import Reduction
from services.segmentation.rules.columns import Column, key_column, value_column
from services.segmentation.rules.moments import Moment
from services.segmentation.rules.predicates import holds, negation, settled, time_holds
from services.segmentation.rules.tree import (
    All,
    AnyOf,
    CollectionLeaf,
    Contains,
    Equals,
    FieldLeaf,
    Node,
    Not,
    Range,
    Rule,
    StartsWith,
)


def compile_rule(
    rule: Rule,
    *,
    tenant_id_param: Column,
    as_of: datetime,
    timezone: tzinfo,
    profile: FromClause = models.profile,
) -> Column:
    """The predicate of `rule` over `profile` (or an alias of it), as seen at `as_of`.

    It is NULL where the rule is unknown, which a WHERE takes for no; as a column of a result ask
    `IS TRUE`. The caller restricts `profile` itself to the tenant.
    """
    return _Compiler(tenant_id_param, Moment(as_of, timezone), profile).node(rule.root, profile)


class _Compiler:
    def __init__(self, tenant_id: Column, moment: Moment, profile: FromClause) -> None:
        self._tenant_id = tenant_id
        self._moment = moment
        self._profile = profile

    def node(self, node: Node, source: FromClause) -> Column:
        match node:
            case All():
                return and_(*(self.node(child, source) for child in node.children))
            case AnyOf():
                return or_(*(self.node(child, source) for child in node.children))
            case Not():
                return negation(self.node(node.child, source), require_known=node.require_known)
            case FieldLeaf():
                return self._field(node, source)
            case CollectionLeaf():
                return self._collection(node)

    def _field(self, leaf: FieldLeaf, source: FromClause) -> Column:
        check = leaf.check
        if isinstance(check.condition, Contains | StartsWith):
            column = key_column(leaf.field, source)
        else:
            column = value_column(leaf.field, source, check, self._moment)
        return settled(holds(check, column, self._moment, leaf.field), check)

    def _collection(self, leaf: CollectionLeaf) -> Column:
        rows = self._rows(leaf)
        wanted = _existence(leaf)
        if wanted is not None:
            found = exists(select(literal(1, Integer)).where(*rows).correlate(self._profile))
            return found if wanted else ~found
        answer = _reduced(leaf, self._moment).where(*rows).correlate(self._profile)
        return settled(answer.scalar_subquery(), leaf.check)

    def _rows(self, leaf: CollectionLeaf) -> list[Column]:
        table = leaf.collection.table
        rows: list[Column] = [
            table.c.tenant_id == self._tenant_id,
            table.c.customer_id == func.any(records_of(self._profile)),
        ]
        if leaf.check.currency is not None:
            rows.append(table.c.currency == literal(leaf.check.currency, Text))
        if leaf.window is not None:
            rows.append(time_holds(leaf.window, table.c[leaf.collection.at], self._moment))
        if leaf.where is not None:
            rows.append(self.node(leaf.where, table))
        return rows


def _reduced(leaf: CollectionLeaf, moment: Moment) -> Select[Any]:
    """Selects whether the measure of the leaf's rows passes its check; NULL if it is unknown."""
    table, measure, check = leaf.collection.table, leaf.measure, leaf.check
    column: ColumnElement[Any] = table.c[measure.column]
    if measure.less is not None:
        column = func.greatest(column - table.c[measure.less], 0, type_=BigInteger)
    match measure.reduction:
        case Reduction.COUNT:
            return select(holds(check, func.count(), moment))
        case Reduction.SUM:
            return select(holds(check, func.coalesce(func.sum(column), 0), moment))
        case Reduction.AVERAGE:
            # sum >= n * value: exact, where a quotient would be rounded.
            return select(
                holds(
                    check,
                    func.sum(column),
                    moment,
                    scale=lambda value: cast(value, Numeric) * func.count(column),
                )
            )
        case Reduction.MIN:
            return select(holds(check, func.min(column), moment))
        case Reduction.MAX:
            return select(holds(check, func.max(column), moment))
        case Reduction.LATEST:
            by = table.c[measure.by or leaf.collection.at]
            newest = (by.desc(), table.c[leaf.collection.key].desc())
            known = (column.is_not(None), by.is_not(None))
            return select(holds(check, column, moment)).where(*known).order_by(*newest).limit(1)


def _existence(leaf: CollectionLeaf) -> bool | None:
    """True or False when the leaf only asks whether there are rows or none; else None."""
    if leaf.measure.reduction is not Reduction.COUNT or leaf.check.negated:
        return None
    match leaf.check.condition:
        case Range(low=low, high=None, low_included=included) if low == (1 if included else 0):
            return True
        case Range(low=None, high=high, high_included=included) if high == (0 if included else 1):
            return False
        case Equals(value) if value == 0:
            return False
        case _:
            return None
