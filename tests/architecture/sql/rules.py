"""The rules by which SQL also runs on several machines; `docs/scaling.md` says why.

Each rule is a function of a statement's tree that tells what is wrong, in sentences. The numbers
are those of the table in `docs/scaling.md`.
"""

from collections.abc import Callable, Container, Iterator
from typing import Final

from tests.architecture.sql.tenants import TENANT, untied_tables
from tests.architecture.sql.tree import Node, statements, words

_WRITES: Final = ("UpdateStmt", "DeleteStmt")
_DML: Final = ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
_DAY_AND_LARGER: Final = frozenset({"interval", "timetz"})
# What an application runs besides queries: the borders of its transactions.
_ALLOWED_COMMANDS: Final = ("TransactionStmt",)

Mutable = Container[str]
"""The names of functions that are not IMMUTABLE, or not in all of their forms."""


def faults_of(sql: str, *, mutable: Mutable) -> list[str]:
    """What is wrong with a statement that a part runs. Raises NotSql."""
    found = statements(sql)
    if len(found) != 1:
        return [f"2: {len(found)} statements in one text"]
    [statement] = found
    if statement.kind not in _DML:
        return [*_command(statement), *_everywhere(statement)]
    faults = [*_everywhere(statement)]
    faults += [f"3: {fault}" for fault in untied_tables(statement)]
    for node in statement.walk():
        for rule in _RULES_OF_QUERIES:
            faults += rule(node)
        faults += _volatile(node, mutable)
    return faults


def faults_of_migration(sql: str) -> list[str]:
    """What is wrong with a statement that changes a schema."""
    found = statements(sql)
    if len(found) != 1:
        return [f"2: {len(found)} statements in one text"]
    faults = [*_everywhere(found[0])]
    for node in found[0].walk():
        for rule in _RULES_OF_SCHEMAS:
            faults += rule(node)
    return faults


def _command(statement: Node) -> Iterator[str]:
    match statement.kind:
        # Changes no answer, wherever it holds.
        case "VariableSetStmt" if statement.name == "plan_cache_mode" and statement.is_local:
            return
        case "VariableSetStmt":
            yield "1: settings are made by calling set_tenant()"
        case "CopyStmt" if statement.is_from:
            yield "6: a part loads rows with unnest, not with COPY FROM"
        case "CopyStmt":
            return
        case "ListenStmt" | "NotifyStmt":
            yield "11: LISTEN and NOTIFY do not reach other nodes"
        case kind if kind not in _ALLOWED_COMMANDS:
            yield f"0: a part runs queries, no {kind}"


def _everywhere(statement: Node) -> Iterator[str]:
    for node in statement.walk():
        name = _function(node)
        if name == "set_config":
            yield "1: set_config() does not reach other nodes: call set_tenant()"
        elif name == "pg_notify":
            yield "11: NOTIFY does not reach other nodes"
        if node.kind == "MergeStmt":
            yield "8: MERGE: INSERT ... ON CONFLICT"


def _insert_select(node: Node) -> Iterator[str]:
    if node.kind != "InsertStmt" or node.select_stmt is None:
        return
    rows = node.select_stmt
    if rows.many("values_lists"):
        if _subqueries(rows):
            yield "8: a sub-select in VALUES"
        return
    if not node.many("returning_list") and node.on_conflict_clause is None:
        yield "5: INSERT ... SELECT ends in RETURNING or ON CONFLICT"
    if any(source.kind == "RangeVar" and source.schemaname for source in _from(rows)):
        yield "7: rows of a table come through WITH ... AS MATERIALIZED"
    for cte in _ctes(node) + _ctes(rows):
        reads = cte.ctequery.kind == "SelectStmt" and any(
            inner.kind == "RangeVar" and inner.schemaname for inner in cte.ctequery.walk()
        )
        if reads and cte.ctematerialized != "CTEMaterializeAlways":
            yield f"7: WITH {cte.ctename} AS MATERIALIZED, when rows are inserted from it"


def _on_conflict(node: Node) -> Iterator[str]:
    if node.kind != "OnConflictClause":
        return
    if node.infer is not None and node.infer.conname:
        yield "14: ON CONFLICT (columns), not a constraint's name"
    if node.infer is not None and node.infer.many("index_elems"):
        first = node.infer.many("index_elems")[0].name
        if first != TENANT:
            yield f"16: ON CONFLICT begins with {first}, not with the tenant"
    if node.action == "ONCONFLICT_UPDATE" and _subqueries(node):
        yield "8: a sub-select in DO UPDATE"


def _row_in_subselect(node: Node) -> Iterator[str]:
    if node.kind not in _WRITES:
        return
    for inner in node.walk():
        tested = inner.testexpr if inner.kind == "SubLink" else None
        if tested is not None and tested.kind == "RowExpr":
            yield "9: (a, b) IN (SELECT ...) in a write: join with FROM (...)"


def _lock(node: Node) -> Iterator[str]:
    if node.kind == "SelectStmt" and node.many("locking_clause") and untied_tables(node):
        # A query may be tied from outside; the rule asks for the tenant beside the lock.
        yield "10: FOR UPDATE without tenant_id = :tenant"


def _locked_page(node: Node) -> Iterator[str]:
    """A sub-select may be run again for each row; it then skips what the write has changed."""
    if node.kind not in _WRITES:
        return
    for inner in _beside_ctes(node):
        if inner.kind == "SelectStmt" and inner.many("locking_clause") and inner.limit_count:
            yield "10: a locked page that a write takes is a WITH, which is run once"


def _beside_ctes(node: Node) -> Iterator[Node]:
    """This node and everything below it but common table expressions."""
    yield node
    for child in node.children():
        if child.kind != "WithClause":
            yield from _beside_ctes(child)


def _volatile(node: Node, mutable: Mutable) -> Iterator[str]:
    """In what changes rows that are there, every node must come to the same values."""
    for expression in _changing(node):
        for inner in _own_nodes(expression):
            name = _function(inner)
            if name is not None and name in mutable:
                yield f"8: {name}() in a write: it is not IMMUTABLE; hand in the value"
            elif inner.kind == "SQLValueFunction":
                yield f"8: {inner.op} in a write: times come from the application"
            elif _is_interval_arithmetic(inner):
                yield "8: column + interval in a write: compute the time in the application"


def _changing(node: Node) -> list[Node]:
    if node.kind in _WRITES:
        where = [] if node.where_clause is None else [node.where_clause]
        return [*node.many("target_list"), *where]
    if node.kind == "OnConflictClause" and node.action == "ONCONFLICT_UPDATE":
        where = [] if node.where_clause is None else [node.where_clause]
        return [*node.many("target_list"), *where]
    return []


def _own_nodes(expression: Node) -> Iterator[Node]:
    """The nodes of an expression, without those of queries inside it."""
    yield expression
    for child in expression.children():
        if child.kind != "SelectStmt":
            yield from _own_nodes(child)


def _is_interval_arithmetic(node: Node) -> bool:
    if node.kind != "A_Expr" or words(node.many("name")) not in (["+"], ["-"]):
        return False
    sides = [side for side in (node.lexpr, node.rexpr) if side is not None]
    typed = any(
        side.kind == "TypeCast" and words(side.type_name.many("names"))[-1] in _DAY_AND_LARGER
        for side in sides
    )
    return typed or any(_function(side) == "make_interval" for side in sides)


def _types(node: Node) -> Iterator[str]:
    if node.kind in ("CreateEnumStmt", "CreateDomainStmt", "CompositeTypeStmt", "DefineStmt"):
        yield "13: no types of our own: text with a CHECK"


def _keys(node: Node) -> Iterator[str]:
    if node.kind != "Constraint":
        return
    if node.fk_del_action == "n":
        yield "16: ON DELETE SET NULL would empty the tenant too"
    keys = {"CONSTR_PRIMARY": "keys", "CONSTR_UNIQUE": "keys", "CONSTR_FOREIGN": "fk_attrs"}
    columns = words(node.many(keys.get(node.contype, "")))
    if columns and columns[0] != TENANT:
        yield f"16: a key begins with {columns[0]}, not with the tenant"


def _triggers(node: Node) -> Iterator[str]:
    if node.kind in ("CreateTrigStmt", "CreateEventTrigStmt", "RuleStmt"):
        yield "17: no triggers and no rules"


def _identities(node: Node) -> Iterator[str]:
    if node.kind == "AlterTableCmd":
        added = [inner for inner in node.walk() if inner.contype == "CONSTR_IDENTITY"]
        if node.subtype == "AT_AddIdentity" or added:
            yield "18: an identity column exists from the creation of its table"


_RULES_OF_QUERIES: Final[tuple[Callable[[Node], Iterator[str]], ...]] = (
    _insert_select,
    _on_conflict,
    _row_in_subselect,
    _lock,
    _locked_page,
)
_RULES_OF_SCHEMAS: Final[tuple[Callable[[Node], Iterator[str]], ...]] = (
    _types,
    _keys,
    _triggers,
    _identities,
)


def _function(node: Node) -> str | None:
    return words(node.many("funcname"))[-1] if node.kind == "FuncCall" else None


def _subqueries(node: Node) -> bool:
    return any(inner.kind == "SubLink" for inner in node.walk())


def _from(query: Node) -> Iterator[Node]:
    waiting = query.many("from_clause")[:]
    while waiting:
        source = waiting.pop()
        if source.kind == "JoinExpr":
            waiting += [source.larg, source.rarg]
        yield source


def _ctes(query: Node) -> list[Node]:
    return query.with_clause.many("ctes") if query.with_clause else []
