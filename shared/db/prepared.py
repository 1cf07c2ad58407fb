"""Statements that are compiled once and then handed to the driver as they are.

SQLAlchemy finds a cached compilation by walking the whole statement and runs it inside a greenlet,
which costs more than the round trip itself. A statement object that is run a second time is a
constant of some module; it is compiled once here, with SQLAlchemy's own compiler and types, and
from then on costs what asyncpg costs. Statements built for one request stay SQLAlchemy's business.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from asyncpg import Record
from sqlalchemy import Executable, Row
from sqlalchemy.engine import Dialect, IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

Rows = Sequence[Row[*tuple[Any, ...]]]
_Process = Callable[[Any], Any]


@dataclass(slots=True)
class Prepared:
    """SQL with numbered parameters, and how values get in and out."""

    sql: str
    _names: tuple[str, ...]
    _defaults: Mapping[str, Any]
    _into: Mapping[str, _Process]
    _out_of: tuple[tuple[int, _Process], ...]
    _metadata: SimpleResultMetaData | None = None
    """What every row of it knows of its columns; told by the first."""

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The positional arguments. Raises KeyError for a parameter that has no value."""
        into, defaults = self._into, self._defaults
        values: list[Any] = []
        for name in self._names:
            value = parameters[name] if name in parameters else defaults[name]
            process = into.get(name)
            values.append(value if process is None else process(value))
        return values

    def rows(self, records: Sequence[Record]) -> Rows:
        """The driver's records as rows of SQLAlchemy."""
        if not records:
            return []
        if self._metadata is None:
            self._metadata = SimpleResultMetaData(list(records[0].keys()))
        return IteratorResult(self._metadata, map(self._values, records)).all()

    def _values(self, record: Record) -> tuple[Any, ...]:
        if not self._out_of:
            return tuple(record)
        values = list(record)
        for index, process in self._out_of:
            values[index] = process(values[index])
        return tuple(values)


@dataclass(frozen=True, slots=True)
class Bound:
    """A statement with its arguments, as the driver takes them where it could be prepared."""

    statement: Executable
    parameters: Mapping[str, Any]
    prepared: Prepared | None
    arguments: Sequence[Any]
    has_events: bool = False
    """Whether events are among its parameters."""


class PreparedStatements:
    """The prepared form of statements that are run again and again."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: WeakKeyDictionary[Executable, dict[tuple[str, ...], Prepared | None]] = (
            WeakKeyDictionary()
        )

    def find(self, statement: Executable, parameters: Mapping[str, Any]) -> Prepared | None:
        """The prepared form; None for a statement seen for the first time or not fit for it."""
        forms = self._known.get(statement)
        if forms is None:
            self._known[statement] = {}
            return None
        names = tuple(parameters)
        if names not in forms:
            forms[names] = self._prepare(statement, names)
        return forms[names]

    def bind(
        self, statement: Executable, parameters: Mapping[str, Any], *, has_events: bool = False
    ) -> Bound:
        """Everything that running a statement takes besides the server, in any thread."""
        prepared = self.find(statement, parameters)
        arguments = () if prepared is None else prepared.arguments(parameters)
        return Bound(statement, parameters, prepared, arguments, has_events)

    def _prepare(self, statement: Executable, names: Sequence[str]) -> Prepared | None:
        if not isinstance(statement, ClauseElement):
            return None
        compiled = statement.compile(dialect=self._dialect, column_keys=sorted(names))
        if not isinstance(compiled, SQLCompiler) or not _is_plain(compiled):
            return None
        positions = tuple(compiled.positiontup or ())
        defaults = {
            bind.key: bind.value
            for bind in compiled.bind_names
            if not bind.required and bind.callable is None
        }
        by_name = {name: bind for bind, name in compiled.bind_names.items()}
        return Prepared(
            sql=compiled.string,
            _names=tuple(by_name[name].key for name in positions),
            _defaults=defaults,
            _into={by_name[n].key: p for n, p in compiled._bind_processors.items() if callable(p)},
            _out_of=self._result_processors(compiled),
        )

    def _result_processors(self, compiled: SQLCompiler) -> tuple[tuple[int, _Process], ...]:
        found: list[tuple[int, _Process]] = []
        for index, entry in enumerate(compiled._result_columns):
            process = entry.type._cached_result_processor(self._dialect, None)
            if process is not None:
                found.append((index, process))
        return tuple(found)


def _is_plain(compiled: SQLCompiler) -> bool:
    """Whether the SQL text is final and no value is made on our side at execution."""
    return not (
        compiled.post_compile_params
        or compiled.literal_execute_params
        or compiled.insert_prefetch
        or compiled.update_prefetch
        or any(bind.callable is not None for bind in compiled.bind_names)
    )
