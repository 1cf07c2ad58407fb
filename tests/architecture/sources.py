"""The production code as syntax trees."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOUSE = ("shared", "services", "gateway", "cli", "migrations", "bench")


@dataclass(frozen=True)
class Source:
    """One file."""

    path: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """Its dotted name."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def role(self) -> str:
        """Its place in a slice: `endpoints`, `service`, `repository`, ..."""
        return Path(self.path).stem

    @cached_property
    def texts(self) -> list[tuple[int, str]]:
        """Every string but docstrings, with its line; the parts of an f-string as one."""
        return list(self._texts())

    @cached_property
    def imports(self) -> list[tuple[int, str, str]]:
        """Every `from module import name` (and `import module`, with the name empty)."""
        return list(self._imports())

    @cached_property
    def calls(self) -> list[tuple[int, str]]:
        """What is called, as it is written: `datetime.now`."""
        return [
            (node.lineno, ast.unparse(node.func))
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
        ]

    def _texts(self) -> Iterator[tuple[int, str]]:
        prose = {id(docstring) for docstring in _docstrings(self.tree)}
        inside = {
            id(part)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.JoinedStr)
            for part in node.values
        }
        hidden = prose | inside
        for node in ast.walk(self.tree):
            if isinstance(node, ast.JoinedStr):
                yield node.lineno, "".join(map(_shown, node.values))
            elif (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in hidden
            ):
                yield node.lineno, node.value

    def _imports(self) -> Iterator[tuple[int, str, str]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield node.lineno, node.module or "", alias.name
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name, ""


def sources(*folders: str) -> tuple[Source, ...]:
    """The files of some folders of the house, or of all of them."""
    return tuple(
        source
        for source in _house()
        if not folders or source.path.startswith(tuple(f"{folder}/" for folder in folders))
    )


@cache
def _house() -> tuple[Source, ...]:
    return tuple(
        Source(str(path.relative_to(ROOT)), ast.parse(path.read_text()))
        for folder in HOUSE
        for path in sorted((ROOT / folder).rglob("*.py"))
    )


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Strings that stand alone: documentation of what is above or below them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _shown(part: ast.expr) -> str:
    if isinstance(part, ast.FormattedValue):
        return f"{{{ast.unparse(part.value)}}}"
    return str(part.value) if isinstance(part, ast.Constant) else ""
