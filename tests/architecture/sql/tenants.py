"""Does a statement name the tenant of every table that it touches?

A table is tied to the tenant when a condition that must hold (of WHERE or of a join) says that its
`tenant_id` is a parameter, or that it is the `tenant_id` of something tied.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from tests.architecture.sql.tree import Node, words

TENANT = "tenant_id"
_QUERIES = ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt")
_GIVEN = ("ParamRef", "A_Const")


@dataclass
class Scope:
    """What one query can name: its tables, and what others have derived."""

    outer: "Scope | None" = None
    derived: frozenset[str] = frozenset()
    tables: dict[str, str] = field(default_factory=dict)
    others: dict[str, bool] = field(default_factory=dict)
    tied: set[str] = field(default_factory=set)

    def inside(self, derived: frozenset[str] | None = None) -> Self:
        """The scope of a query inside this one."""
        return type(self)(self, self.derived if derived is None else derived)

    def is_tied(self, alias: str) -> bool:
        """Whether the `tenant_id` of an alias is the tenant's, here or further out."""
        if alias in self.tables or alias in self.others:
            return alias in self.tied or self.others.get(alias, False)
        return self.outer is not None and self.outer.is_tied(alias)


def untied_tables(statement: Node) -> list[str]:
    """What a statement touches without naming the tenant, as sentences."""
    return [*_query(statement, Scope())] if statement.kind in _QUERIES else []


def _query(query: Node, scope: Scope) -> Iterator[str]:
    derived = scope.derived
    for cte in query.with_clause.many("ctes") if query.with_clause else ():
        if query.with_clause.recursive:
            derived |= {cte.ctename}
        yield from _query(cte.ctequery, scope.inside(derived))
        derived |= {cte.ctename}
    own = scope.inside(derived)
    if query.kind == "SelectStmt" and query.larg is not None:
        yield from _query(query.larg, own)
        yield from _query(query.rarg, own)
        return
    yield from _sources(query, own)
    _tie(own, list(_conditions(query)))
    yield from (
        f"{table} is touched without its tenant"
        for alias, table in own.tables.items()
        if alias not in own.tied
    )
    if query.kind == "InsertStmt":
        yield from _inserted(query, own)
    for inner in _inner_queries(query):
        yield from _query(inner, own)


def _sources(query: Node, scope: Scope) -> Iterator[str]:
    """Fill the scope with what the query names, and look into what it derives."""
    waiting = [*query.many("from_clause"), *query.many("using_clause")]
    if query.kind in ("UpdateStmt", "DeleteStmt"):
        waiting.append(query.relation)
    while waiting:
        source = waiting.pop()
        match source.kind:
            case "RangeVar":
                _add_table(source, scope)
            case "JoinExpr":
                waiting += [source.larg, source.rarg]
            case "RangeSubselect":
                scope.others[source.alias.aliasname] = True
                yield from _query(source.subquery, scope)
            case "RangeFunction":
                # What was given in arrays may be anybody's.
                scope.others[source.alias.aliasname if source.alias else ""] = False


def _add_table(source: Node, scope: Scope) -> None:
    alias = source.alias.aliasname if source.alias else source.relname
    if source.schemaname is None and source.relname in scope.derived:
        scope.others[alias] = True
    else:
        scope.tables[alias] = f"{source.schemaname or '?'}.{source.relname}"


def _conditions(query: Node) -> Iterator[Node]:
    """What must hold for every row."""
    if query.where_clause is not None:
        yield from _conjuncts(query.where_clause)
    waiting = [*query.many("from_clause"), *query.many("using_clause")]
    while waiting:
        source = waiting.pop()
        if source.kind == "JoinExpr":
            waiting += [source.larg, source.rarg]
            if source.quals is not None:
                yield from _conjuncts(source.quals)


def _conjuncts(condition: Node) -> Iterator[Node]:
    if condition.kind == "BoolExpr" and condition.boolop == "AND_EXPR":
        for part in condition.many("args"):
            yield from _conjuncts(part)
    else:
        yield condition


def _tie(scope: Scope, conditions: list[Node]) -> None:
    """Tie what the conditions tie, until nothing more follows from them."""
    equations = [
        (condition.lexpr, condition.rexpr)
        for condition in conditions
        if condition.kind == "A_Expr"
        and condition.fields.get("kind") == "AEXPR_OP"
        and words(condition.many("name")) == ["="]
    ]
    before = -1
    while before != len(scope.tied):
        before = len(scope.tied)
        for left, right in [*equations, *((right, left) for left, right in equations)]:
            alias = _tenant_of(left, scope)
            if alias in scope.tables and _is_tenant(right, scope):
                scope.tied.add(alias)


def _tenant_of(expression: Node, scope: Scope) -> str | None:
    """The alias whose `tenant_id` an expression is; a bare one is the only table's."""
    if expression.kind != "ColumnRef":
        return None
    named = words(expression.many("fields"))
    if named[-1:] != [TENANT]:
        return None
    if len(named) > 1:
        return named[-2]
    return next(iter(scope.tables)) if len(scope.tables) == 1 else None


def _is_tenant(expression: Node, scope: Scope) -> bool:
    """Whether an expression is a given value, or the `tenant_id` of something tied."""
    while expression.kind == "TypeCast":
        expression = expression.arg
    if expression.kind in _GIVEN:
        return True
    alias = _tenant_of(expression, scope)
    return alias is not None and scope.is_tied(alias)


def _inserted(insert: Node, scope: Scope) -> Iterator[str]:
    table = f"{insert.relation.schemaname}.{insert.relation.relname}"
    columns = [column.name for column in insert.many("cols")]
    if columns and TENANT not in columns:
        yield f"{table} gets rows without a tenant"
        return
    place = columns.index(TENANT) if columns else 0
    rows = insert.select_stmt
    if rows is None:
        yield f"{table} gets a row of defaults"
    elif rows.many("values_lists"):
        for row in rows.many("values_lists"):
            if not _is_tenant(row.many("items")[place], scope):
                yield f"{table} gets rows of a tenant that is not given"
    elif rows.larg is None:
        yield from _inserted_from(table, rows, place, scope)


def _inserted_from(table: str, rows: Node, place: int, scope: Scope) -> Iterator[str]:
    inner = scope.inside(scope.derived | {cte.ctename for cte in _ctes(rows)})
    for _ in _sources(rows, inner):
        pass  # What is wrong inside is told when the query itself is looked at.
    _tie(inner, list(_conditions(rows)))
    targets = rows.many("target_list")
    is_star = any(node.kind == "A_Star" for target in targets for node in target.walk())
    if not is_star and not _is_tenant(targets[place].val, inner):
        yield f"{table} gets rows of a tenant that is not given"


def _ctes(query: Node) -> list[Node]:
    return query.with_clause.many("ctes") if query.with_clause else []


def _inner_queries(query: Node) -> Iterator[Node]:
    """The queries in the expressions of a query, the outermost only."""
    derived = ("with_clause",)
    waiting = [
        child
        for name, value in query.fields.items()
        if name not in derived
        for child in (value if isinstance(value, list) else [value])
        if isinstance(child, Node)
    ]
    while waiting:
        node = waiting.pop()
        if node.kind == "RangeSubselect":
            continue  # Looked at as a source.
        if node.kind in _QUERIES:
            if not (node.kind == "SelectStmt" and node.many("values_lists")):
                yield node
        else:
            waiting += node.children()
