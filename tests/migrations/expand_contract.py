"""What a migration may do while the release before still runs: add, and lock nobody out.

Squawk reads the statements that a migration has executed and knows PostgreSQL's locks; what is
added here is what it cannot know: which tables are small, and what our own code leans on.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from migrations.runner import HOME

BASELINE = tomllib.loads((HOME / "baseline.toml").read_text())
_SQUAWK = Path(sys.executable).with_name("squawk")
_OLDEST_POSTGRES = "15.0"
# Its rules that break old code, or lock it out for as long as a table is large.
_BREAKS = {
    "adding-required-field",
    "adding-not-nullable-field",
    "ban-drop-column",
    "ban-drop-table",
    "ban-drop-not-null",
    "ban-drop-default",
    "ban-drop-function",
    "changing-column-type",
    "renaming-column",
    "renaming-table",
    "syntax-error",
    "ban-concurrent-index-creation-in-transaction",
    "ban-truncate-cascade",
    "ban-alter-domain-with-add-constraint",
    "adding-field-with-default",
}
_READS_THE_TABLE = {
    "adding-foreign-key-constraint",
    "constraint-missing-not-valid",
    "disallowed-unique-constraint",
    "require-concurrent-index-creation",
}
_OWN_RULES = {
    "drops-a-constraint": re.compile(r"DROP CONSTRAINT (?!\S*ck_)", re.IGNORECASE),
    "drops-a-policy": re.compile(r"DROP POLICY", re.IGNORECASE),
    "drops-an-index": re.compile(r"DROP INDEX (?!CONCURRENTLY)", re.IGNORECASE),
    "revokes": re.compile(r"REVOKE (?!ALL ON FUNCTION)", re.IGNORECASE),
    # Row-level security hides every row from the schema's owner: it would change none of them.
    "moves-data": re.compile(r"(UPDATE|DELETE|INSERT|TRUNCATE|WITH)\b", re.IGNORECASE),
}
_TABLE = re.compile(r"(?:ALTER TABLE|INDEX \S+ ON|\bON)\s+(?:ONLY\s+)?\w+\.(\w+)", re.IGNORECASE)
_CREATED = re.compile(r"CREATE TABLE \w+\.(\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class Violation:
    """One statement that the release before would not survive, or not unnoticed."""

    rule: str
    statement: str


def violations(schema: str, statements: Sequence[str]) -> list[Violation]:
    """What stands against running `statements` under the release before."""
    created = {match[1] for one in statements for match in _CREATED.finditer(one)}
    harmless = created | small_tables(schema)
    found = [*_squawk(statements), *_own(statements)]
    return [
        each
        for each in found
        if (each.rule in _BREAKS | set(_OWN_RULES) and _table(each.statement) not in created)
        or (each.rule in _READS_THE_TABLE and _table(each.statement) not in harmless)
    ]


def small_tables(schema: str) -> set[str]:
    """Tables of few rows."""
    small = BASELINE["small_tables"]
    return {*small["all"], *small.get(schema, ())}


def released(schema: str, revisions: Sequence[str]) -> list[str]:
    """The revisions that the last release had."""
    return list(revisions[: revisions.index(BASELINE["revisions"][schema]) + 1])


def _own(statements: Iterable[str]) -> Iterator[Violation]:
    for statement in statements:
        for rule, pattern in _OWN_RULES.items():
            if (pattern.match if rule == "moves-data" else pattern.search)(statement):
                yield Violation(rule, statement)


def _squawk(statements: Sequence[str]) -> Iterator[Violation]:
    lines = [" ".join(statement.split()).rstrip(";") + ";" for statement in statements]
    answer = subprocess.run(
        [
            *(_SQUAWK, "--reporter", "json", "--pg-version", _OLDEST_POSTGRES),
            *("--stdin-filepath", "migration.sql"),
        ],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    for found in json.loads(answer.stdout):
        yield Violation(found["rule_name"], lines[found["line"]])


def _table(statement: str) -> str | None:
    match = _TABLE.search(statement)
    return match[1] if match else None
