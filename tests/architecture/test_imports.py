"""Who may know whom."""

import re
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter

import pytest
from importlinter.cli import lint_imports

from shared.settings import SCHEMAS
from tests.architecture.parts import package_of
from tests.architecture.sources import sources

# What each file of a slice may import of the files of slices, its own or another.
MAY_IMPORT = {
    "endpoints": {"service"},
    "tasks": {"service", "repository", "models"},
    # A handler wakes a task by the name that the task has.
    "handlers": {"handlers", "tasks", "service", "repository", "models"},
    "service": {"service", "repository"},
    "repository": {"repository", "models"},
    "models": {"models"},
}
SLICED = sources("services", "gateway")


def test_the_contracts_in_pyproject_are_kept(capsys):
    assert lint_imports(cache_dir=None) == 0, capsys.readouterr().out


def test_slices_are_layered():
    """endpoints, tasks, handlers -> service -> repository -> models."""
    found = []
    for source in SLICED:
        allowed = MAY_IMPORT.get(source.role)
        for line, module, name in source.imports if allowed is not None else ():
            if module.startswith(("services.", "gateway.")):
                if _is_a_type_of_a_repository(module, name):
                    continue
                roles = {module.rsplit(".", 1)[-1], name} & set(MAY_IMPORT)
                if not roles <= allowed:
                    found.append(f"{source.path}:{line} imports {module} {name}")
    assert found == []


def _is_a_type_of_a_repository(module: str, name: str) -> bool:
    """What a repository is asked and answers may be known above the service."""
    is_type = name[:1].isupper() and not name.endswith("Repository")
    return module.endswith(".repository") and is_type


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_slices_of_a_part_form_no_cycle(schema: str):
    package = package_of(schema)
    slice_of = re.compile(rf"{re.escape(package)}\.(\w+)\.\w+")
    graph: defaultdict[str, set[str]] = defaultdict(set)
    for source in sources(package.replace(".", "/")):
        importer = slice_of.match(source.module)
        for _, module, name in source.imports:
            imported = slice_of.match(f"{module}.{name}")
            foreign = importer and imported and importer[1] != imported[1]
            if foreign and _is_slice(schema, imported[1]):
                graph[importer[1]].add(imported[1])
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"{package}: {' -> '.join(error.args[1])}")


def _is_slice(schema: str, name: str) -> bool:
    folder = f"{package_of(schema).replace('.', '/')}/{name}/"
    return any(source.path.startswith(folder) for source in sources())


@pytest.mark.parametrize(
    ("role", "forbidden"),
    [
        # Endpoints know HTTP and no SQL; services neither; repositories SQL and no HTTP.
        ("endpoints", r"sqlalchemy|asyncpg|redis"),
        ("service", r"fastapi|starlette|httpx|asyncpg|redis|sqlalchemy(?! Row$)"),
        ("repository", r"fastapi|starlette|httpx|redis|shared\.web(?!\.resources Page$)"),
        ("models", r"fastapi|starlette|shared\.web"),
        ("schemas", r"asyncpg|redis|sqlalchemy(?! Row$)"),
        ("handlers", r"fastapi|starlette|shared\.web"),
        ("tasks", r"fastapi|starlette|shared\.web"),
    ],
)
def test_each_role_keeps_to_its_trade(role: str, forbidden: str):
    found = [
        f"{source.path}:{line} {module} {name}"
        for source in SLICED
        if source.role == role or source.role.endswith(f"_{role}")
        for line, module, name in source.imports
        if re.match(rf"(?:{forbidden})\b", f"{module} {name}")
    ]
    assert found == []


# They answer for the framework's router, in its words.
WEB_LAYER = {"shared/web/problems.py", "shared/web/methods.py"}


def test_http_exceptions_are_raised_by_nobody():
    """Errors are the house's own; the web layer renders them."""
    found = [
        f"{source.path}:{line}"
        for source in sources()
        for line, module, name in source.imports
        if name == "HTTPException" and source.path not in WEB_LAYER
    ]
    assert found == []
