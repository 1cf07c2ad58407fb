"""Reads a rule: bounds first, then the form, then the meaning of every name and value."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from services.segmentation.rules import schema
from services.segmentation.rules.catalog import (
    COLLECTIONS,
    CUSTOMER_SCOPES,
    OPERATORS,
    Collection,
    Measure,
    Op,
    Reduction,
    Scope,
    find_field,
)
from services.segmentation.rules.errors import FaultError, Faults
from services.segmentation.rules.operands import read_check, read_window
from services.segmentation.rules.tree import (
    All,
    AnyOf,
    CollectionLeaf,
    FieldLeaf,
    Node,
    Not,
    Rule,
    Window,
    Within,
)
from services.segmentation.rules.values import LIST_LIMIT, TEXT_LIMIT, duration

DEPTH_LIMIT = 8
NODE_LIMIT = 200
JSON_DEPTH_LIMIT = 4 * DEPTH_LIMIT
JSON_SIZE_LIMIT = 20_000

_ADAPTER: TypeAdapter[schema.RuleNode] = TypeAdapter(schema.RuleNode)
_SHAPE_CODES = {"enum": "unknown_operator", "literal_error": "unknown_measure"}


def parse_rule(source: object, *, pointer: str = "/rule") -> Rule:
    """The checked form of a rule given as JSON.

    Raises RuleInvalid with every fault; their pointers begin with `pointer`.
    """
    faults = Faults()
    _check_bounds(source, pointer, faults)
    faults.raise_if_any()
    try:
        node = _ADAPTER.validate_python(source)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False):
            faults.add(*_shape_fault(detail, pointer))
        faults.raise_if_any()
        raise
    root = _Reader(faults).node(node, pointer, depth=1, scopes=CUSTOMER_SCOPES)
    faults.raise_if_any()
    if root is None or not isinstance(source, Mapping):
        raise AssertionError("a rule without faults has a root")
    return Rule(root=root, source=dict(source))


def _checked(source: Any) -> Any:
    parse_rule(source)
    return source


RuleJson = Annotated[schema.RuleNode, BeforeValidator(_checked)]
"""A rule in a request body: documented in full, refused with RuleInvalid when it is wrong."""


def _check_bounds(source: object, pointer: str, faults: Faults) -> None:
    """Bound what is read at all, without recursion: the input is a stranger's."""
    pending: list[tuple[object, str, int]] = [(source, pointer, 1)]
    size = 0
    while pending:
        value, at, depth = pending.pop()
        size += 1
        if depth > JSON_DEPTH_LIMIT:
            faults.add(at, "rule_too_deep", f"at most {DEPTH_LIMIT} levels")
            return
        if size > JSON_SIZE_LIMIT:
            faults.add(pointer, "rule_too_large", f"at most {JSON_SIZE_LIMIT} values")
            return
        if isinstance(value, str) and len(value) > TEXT_LIMIT:
            faults.add(at, "value_range", f"at most {TEXT_LIMIT} characters")
        elif isinstance(value, list):
            if len(value) > LIST_LIMIT:
                faults.add(at, "value_range", f"at most {LIST_LIMIT} values")
                return
            pending += [(item, f"{at}/{index}", depth + 1) for index, item in enumerate(value)]
        elif isinstance(value, dict):
            pending += [(item, f"{at}/{_escape(key)}", depth + 1) for key, item in value.items()]


def _escape(key: object) -> str:
    return str(key)[:100].replace("~", "~0").replace("/", "~1")


def _shape_fault(detail: ErrorDetails, pointer: str) -> tuple[str, str, str]:
    location = [part for part in detail["loc"] if not str(part).startswith(schema.TAG_PREFIX)]
    at = pointer + "".join(f"/{_escape(part)}" for part in location)
    return at, _SHAPE_CODES.get(detail["type"], "node_shape"), detail["msg"]


class _Reader:
    """Turns the nodes of the wire into nodes of the tree, noting faults and reading on."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._nodes = 0

    def node(
        self, node: schema.RuleNode, pointer: str, *, depth: int, scopes: frozenset[Scope]
    ) -> Node | None:
        """The tree below `node`, or None when a fault was noted in it."""
        self._nodes += 1
        try:
            if depth > DEPTH_LIMIT:
                raise FaultError("", "rule_too_deep", f"at most {DEPTH_LIMIT} levels")
            if self._nodes > NODE_LIMIT:
                raise FaultError("", "rule_too_large", f"at most {NODE_LIMIT} nodes")
            return self._read(node, pointer, depth, scopes)
        except FaultError as fault:
            at = f"{pointer}/{fault.at}" if fault.at else pointer
            self._faults.add(at, fault.code, fault.detail)
            return None

    def _read(  # noqa: PLR0911  (a table of cases)
        self, node: schema.RuleNode, pointer: str, depth: int, scopes: frozenset[Scope]
    ) -> Node | None:
        match node:
            case schema.AllNode():
                children = self._children(node.all, f"{pointer}/all", depth, scopes)
                return All(pointer, children)
            case schema.AnyNode():
                children = self._children(node.any, f"{pointer}/any", depth, scopes)
                return AnyOf(pointer, children)
            case schema.NotNode():
                child = self.node(node.not_, f"{pointer}/not", depth=depth + 1, scopes=scopes)
                return Not(pointer, child, node.require_known) if child else None
            case schema.FieldNode():
                return _field_leaf(node, pointer, scopes)
            case schema.OrdersNode():
                return self._collection("orders", node.orders, pointer, depth, scopes)
            case schema.TicketsNode():
                return self._collection("tickets", node.tickets, pointer, depth, scopes)
            case schema.MessagesNode():
                return self._collection("messages", node.messages, pointer, depth, scopes)

    def _children(
        self,
        nodes: list[schema.RuleNode],
        pointer: str,
        depth: int,
        scopes: frozenset[Scope],
    ) -> tuple[Node, ...]:
        children = (
            self.node(child, f"{pointer}/{index}", depth=depth + 1, scopes=scopes)
            for index, child in enumerate(nodes)
        )
        return tuple(child for child in children if child is not None)

    def _collection(
        self,
        name: str,
        aggregate: schema.OrdersAggregate | schema.TicketsAggregate | schema.MessagesAggregate,
        pointer: str,
        depth: int,
        scopes: frozenset[Scope],
    ) -> CollectionLeaf | None:
        if scopes is not CUSTOMER_SCOPES:
            raise FaultError(
                "", "field_not_here", "a filter of rows cannot hold another collection"
            )
        collection = COLLECTIONS[name]
        where = None
        if aggregate.where is not None:
            where = self.node(
                aggregate.where,
                f"{pointer}/{name}/where",
                depth=depth + 1,
                scopes=frozenset({collection.scope}),
            )
        try:
            return _collection_leaf(collection, aggregate, pointer, where)
        except FaultError as fault:
            raise FaultError(f"{name}/{fault.at}", fault.code, fault.detail) from fault


def _field_leaf(node: schema.FieldNode, pointer: str, scopes: frozenset[Scope]) -> FieldLeaf:
    field = find_field(node.field)
    if field is None:
        raise FaultError("field", "unknown_field", f"there is no field {node.field}")
    if field.scope not in scopes:
        raise FaultError("field", "field_not_here", f"{node.field} cannot be asked about here")
    if node.op not in OPERATORS[field.kind]:
        raise FaultError("op", "operator_not_allowed", _allowed(OPERATORS[field.kind]))
    check = read_check(field.kind, node.op, node.value, require_known=node.require_known)
    return FieldLeaf(pointer, field, check)


def _collection_leaf(
    collection: Collection,
    aggregate: schema.OrdersAggregate | schema.TicketsAggregate | schema.MessagesAggregate,
    pointer: str,
    where: Node | None,
) -> CollectionLeaf:
    measure = collection.measures[aggregate.measure]
    if aggregate.op not in measure_operators(measure):
        raise FaultError("op", "operator_not_allowed", _allowed(measure_operators(measure)))
    return CollectionLeaf(
        pointer,
        collection,
        measure,
        where,
        _window(aggregate.window),
        read_check(
            measure.kind, aggregate.op, aggregate.value, require_known=aggregate.require_known
        ),
    )


def _window(window: schema.Window | None) -> Window | None:
    try:
        match window:
            case None:
                return None
            case schema.LastWindow():
                return Within(duration(window.last))
            case schema.SinceWindow():
                return read_window([window.since])
            case schema.BetweenWindow():
                return read_window(window.between)
    except FaultError as fault:
        raise FaultError("window", fault.code, fault.detail) from fault


def measure_operators(measure: Measure) -> frozenset[Op]:
    """The operators that a measure can be compared with: one that is always asked for exists."""
    operators = OPERATORS[measure.kind] - {Op.EXISTS, Op.NOT_EXISTS}
    if measure.reduction is Reduction.AVERAGE:
        operators -= {Op.IN, Op.NOT_IN}
    return operators


def _allowed(operators: frozenset[Op]) -> str:
    return f"allowed here: {', '.join(sorted(operators))}"
