"""SQL as PostgreSQL's own parser reads it, in plain nodes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from pg_query import PgQueryError, parse


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree: its kind (`SelectStmt`) and those of its fields that are set."""

    kind: str
    fields: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.fields.get(name)

    def many(self, name: str) -> list["Node"]:
        """A field that is a list; empty when it is not set."""
        found: list[Node] = self.fields.get(name) or []
        return found

    def walk(self) -> Iterator["Node"]:
        """This node and everything below it."""
        yield self
        for child in self.children():
            yield from child.walk()

    def children(self) -> Iterator["Node"]:
        """The nodes right below."""
        for value in self.fields.values():
            if isinstance(value, Node):
                yield value
            elif isinstance(value, list):
                yield from (item for item in value if isinstance(item, Node))


class NotSql(ValueError):
    """The text is not what PostgreSQL takes for SQL."""


def statements(sql: str) -> list[Node]:
    """The statements of a text. Raises NotSql."""
    try:
        parsed = parse(sql)
    except PgQueryError as error:
        raise NotSql(f"{error}: {sql[:200]}") from error
    return [_node(raw.stmt) for raw in parsed.stmts]


def _node(message: Message) -> Any:
    if message.DESCRIPTOR.name == "Node":
        # A box that holds a node of any kind.
        chosen = message.WhichOneof("node")
        return Node("Nothing", {}) if chosen is None else _node(getattr(message, chosen))
    fields = {field.name: _value(field, value) for field, value in message.ListFields()}
    return Node(message.DESCRIPTOR.name, fields)


def _value(field: FieldDescriptor, value: Any) -> Any:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        if isinstance(value, Message):
            return _node(value)
        return [_node(item) for item in value]
    if field.type == FieldDescriptor.TYPE_ENUM:
        return field.enum_type.values_by_number[value].name
    return value


def words(nodes: list[Node]) -> list[str]:
    """The parts of a name: `pg_catalog`, `now`."""
    return [node.sval for node in nodes if node.kind == "String"]
