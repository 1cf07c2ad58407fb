"""Rules of the house that a look at the code can check. Exceptions stand here, with reasons."""

import re

import pytest

from tests.architecture.sources import sources

# Where a unit of work may be committed: the edges. Prefixes of paths.
EDGES = {
    "shared/web/": "the edge of a request",
    "shared/stream/": "the edge of a batch",
    "shared/audit/reads.py": "reads are recorded together, beside the requests that made them",
    "shared/jobs/": "the edge of a job's step",
    "shared/privacy/part.py": "a sweep",
    "shared/db/": "the unit of work itself, and code blocks in transactions of their own",
    "cli/operations.py": "the edge of an operator's command",
    "cli/key_operations.py": "the edge of an operator's command",
    "cli/staff_operations.py": "the edge of an operator's command",
    "cli/webhook_operations.py": "the edge of an operator's command",
    "services/customer/imports/forgetting.py": "a sweep",
    "services/customer/loyalty/tasks.py": "sweeps",
    "services/customer/snapshots/tasks.py": "a job",
    "services/customer/tasks/tasks.py": "a sweep",
    "services/customer/appointments/tasks.py": "a sweep",
    "services/customer/privacy/tasks.py": "a sweep",
    "services/customer/retention/tasks.py": "a sweep",
    "services/segmentation/membership/sweeps.py": "a sweep",
    "services/messaging/delivery/service.py": "a job: sending happens between two transactions",
    "gateway/hooks/receiver.py": "a webhook has no principal; the receiver is its edge",
    "gateway/deliveries/tasks.py": "a job",
    "gateway/deliveries/fetching.py": "a job: a store is asked between two transactions",
    "gateway/events/retention.py": "a sweep",
    "gateway/webhooks/log_retention.py": "a sweep",
    "gateway/webhooks/sender.py": "a job: sending happens between two transactions",
    "gateway/webhooks/recorder.py": "the second of the sender's transactions, of many sendings",
    "gateway/sessions/service.py": "a login has no principal; counts failures and then refuses",
    "gateway/api_keys/usage.py": "notes when a key was used, beside the request",
    "gateway/sessions/live.py": "notes when a session was used, beside the request",
    "services/customer/duplicate_scans/tasks.py": "sweeps",
    "services/customer/quality/tasks.py": "a sweep",
    "gateway/password_resets/tasks.py": "a sweep",
    "gateway/password_resets/service.py": "who forgot a password has no principal",
    "gateway/tenants/provisioning.py": "a new tenant is written in its own unit of work",
    "gateway/directory/directory.py": "the look-up of who owns a key, across tenants",
}
# SQL that the growth to more than one machine forbids.
FORBIDDEN_SQL = {
    r"\bset_config\s*\(": "does not reach other nodes: call set_tenant()",
    r"\bMERGE\s+INTO\b": "INSERT ... ON CONFLICT",
    r"\bOFFSET\b": "keyset pages",
    r"\bCREATE\s+(CONSTRAINT\s+)?TRIGGER\b": "generated columns, CTEs, service code",
    r"\bCREATE\s+(TYPE|DOMAIN)\b": "text with a CHECK",
    r"\bON\s+DELETE\s+SET\s+NULL\b": "would empty tenant_id too",
    r"\bLISTEN\s|\bpg_notify\b": "a hint at most; nothing here needs it",
    r"\bTRUNCATE\b": "no statement without its tenant",
    r"\bCOPY\s+\w+(\.\w+)?\s*(\([^)]*\)\s*)?FROM\b": "unnest",
}
SQL_EXCEPTIONS = {
    (
        "services/customer/customers/search_function.py",
        r"\bOFFSET\b",
    ): "OFFSET 0 pages nothing: it keeps the planner from merging two scans",
}


def test_only_edges_commit():
    found = [
        f"{source.path}:{line}"
        for source in sources("shared", "services", "gateway", "cli")
        for line, call in source.calls
        if call.endswith(".commit") and not source.path.startswith(tuple(EDGES))
    ]
    assert found == []


def test_every_exception_is_needed():
    committing = {
        source.path
        for source in sources("shared", "services", "gateway", "cli")
        for _, call in source.calls
        if call.endswith(".commit")
    }
    idle = [edge for edge in EDGES if not any(path.startswith(edge) for path in committing)]
    assert idle == []


def test_only_the_transaction_commits_a_connection():
    """COMMIT goes to the server from one place; elsewhere `commit` is a unit of work's."""
    names = {"AsyncConnection", "AsyncSession", "Session", "create_async_engine"}
    found = [
        f"{source.path}:{line} {name}"
        for source in sources("shared", "services", "gateway")
        for line, _, name in source.imports
        if name in names
    ]
    assert {entry.split(":")[0] for entry in found} == {
        "shared/db/connections.py",
        "shared/db/engine.py",
    }, found
    said = {
        source.path
        for source in sources("shared", "services", "gateway")
        for _, text in source.texts
        if re.fullmatch(r"\s*COMMIT\s*", text)
    }
    assert said == {"shared/db/transaction.py"}


@pytest.mark.parametrize("pattern", FORBIDDEN_SQL, ids=str)
def test_sql_keeps_the_way_to_more_machines_open(pattern: str):
    found = {
        (source.path, line)
        for source in sources("shared", "services", "gateway", "migrations", "cli")
        for line, text in source.texts
        if re.search(pattern, text, re.IGNORECASE if pattern.islower() else 0)
        and (source.path, pattern) not in SQL_EXCEPTIONS
    }
    assert found == set(), FORBIDDEN_SQL[pattern]


def test_one_statement_per_execution():
    """A semicolon inside SQL text; function bodies are quoted with dollars."""
    statement = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|DROP|GRANT)\b")
    found = [
        (source.path, line)
        for source in sources("shared", "services", "gateway", "migrations")
        for line, text in source.texts
        if statement.match(text) and ";" in re.sub(r"\$(\w*)\$.*?\$\1\$", "", text, flags=re.DOTALL)
    ]
    assert found == []


def test_insert_select_ends_in_returning_or_on_conflict():
    pattern = re.compile(r"^\s*INSERT\s+INTO\b.*\bSELECT\b", re.DOTALL)
    ending = re.compile(r"\b(RETURNING|ON CONFLICT)\b")
    found = [
        (source.path, line)
        for source in sources("shared", "services", "gateway")
        for line, text in source.texts
        if pattern.search(text) and not ending.search(text)
    ]
    assert found == []


def test_the_environment_is_read_by_settings_alone():
    allowed = ("shared/settings.py", "cli/", "bench/")
    found = [
        f"{source.path}:{line}"
        for source in sources()
        for line, module, name in source.imports
        if module == "os"
        and name in ("environ", "getenv", "")
        and not source.path.startswith(allowed)
    ]
    assert found == []


def test_only_the_clock_asks_for_the_time():
    asking = re.compile(r"(datetime|dt)\.(now|utcnow|today)|date\.today|time\.time|uuid[14]")
    found = [
        f"{source.path}:{line} {call}"
        for source in sources("shared", "services", "gateway", "migrations")
        for line, call in source.calls
        if asking.fullmatch(call) and source.path != "shared/clock.py"
    ]
    assert found == []


def test_now_in_an_update_comes_from_the_application():
    """On a sharded table each node would have a time of its own."""
    writing = re.compile(r"^\s*(UPDATE|DELETE)\b|\bDO\s+UPDATE\b", re.MULTILINE)
    ours = re.compile(r"\b(now|clock_timestamp|gen_random_uuid|random)\s*\(")
    found = [
        (source.path, line)
        for source in sources("shared", "services", "gateway")
        for line, text in source.texts
        if writing.search(text) and ours.search(text)
    ]
    assert found == []


def test_every_statement_names_its_tenant():
    """Row-level security is the second wall, not the filter."""
    statement = re.compile(
        r"^\s*(WITH\b.*|SELECT\b.*\bFROM|INSERT INTO|UPDATE|DELETE FROM)\s", re.DOTALL
    )
    found = [
        (source.path, line)
        for source in sources("shared", "services", "gateway")
        for line, text in source.texts
        # A condition that several statements share is text of its own, and named `where`.
        if statement.match(text) and "tenant" not in text and "{where}" not in text
    ]
    assert found == []
