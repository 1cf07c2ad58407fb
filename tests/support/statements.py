"""Keeps the SQL that the parts run while tests run, to be held against the rules at the end.

A statement goes through SQLAlchemy the first time that it runs, and through the driver afterwards
(`shared/db/prepared.py`); so listening to SQLAlchemy hears each of them.
"""

import json
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from greenlet import getcurrent
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from shared.settings import SCHEMAS, login_role

ROOT = Path(__file__).parents[2]
_ROLES = frozenset(login_role(schema) for schema in SCHEMAS)
# What carries out a statement is not who wrote it.
_CARRIERS = ("shared/db/unit_of_work.py", "shared/db/transaction.py", "shared/db/prepared.py")


class StatementLog:
    """What the parts have run in this process, and which file had it run."""

    def __init__(self) -> None:
        self.statements: dict[str, str] = {}

    def listen(self) -> None:
        """Hear every statement of every engine from now on."""
        event.listen(Engine, "before_cursor_execute", self._hear)

    def write(self, file: Path) -> None:
        """Leave what was heard to the process that looks at it."""
        file.write_text(json.dumps(self.statements, ensure_ascii=False))

    def _hear(self, connection: Connection, _cursor: Any, statement: str, *_others: Any) -> None:
        if statement in self.statements or connection.engine.url.username not in _ROLES:
            return
        origin = _origin()
        if origin is not None:
            self.statements[statement] = origin


def read_statements(folder: Path) -> dict[str, str]:
    """What all processes have heard."""
    heard: dict[str, str] = {}
    for file in sorted(folder.glob("*.json")):
        heard |= json.loads(file.read_text())
    return heard


def _origin() -> str | None:
    """The file and line of the house that has it run; None when it is a test itself."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(f"{ROOT}/") and ".venv" not in file:
            path = file.removeprefix(f"{ROOT}/")
            if path.startswith("tests/") and path != "tests/support/statements.py":
                return None
            if not path.startswith(("tests/", *_CARRIERS)):
                return f"{path}:{frame.f_lineno}"
        frame = frame.f_back or _outer_frame(frame)
    return None


def _outer_frame(innermost: FrameType) -> FrameType | None:
    """SQLAlchemy runs in a greenlet: its caller is where the parent greenlet stands."""
    parent = getcurrent().parent
    outer = parent.gr_frame if parent is not None else None
    return None if outer is None or _is_within(outer, innermost) else outer


def _is_within(outer: FrameType, innermost: FrameType) -> bool:
    frame: FrameType | None = outer
    while frame is not None:
        if frame is innermost:
            return True
        frame = frame.f_back
    return False
