"""The functions that see every tenant, in the hands of somebody hostile."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from shared.ids import new_id
from shared.settings import SCHEMAS, part_database_url
from tests.isolation.conftest import Neighbours

DEFINERS = text(
    """
    SELECT n.nspname AS schema, p.proname AS name, p.pronargs AS arguments,
           pg_get_function_result(p.oid) AS result, p.proconfig AS settings,
           p.prosrc AS source, r.rolcanlogin OR r.rolsuper OR r.rolbypassrls AS mighty,
           has_function_privilege('public', p.oid, 'EXECUTE') AS open
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_roles r ON r.oid = p.proowner
    WHERE p.prosecdef AND n.nspname = ANY(:schemas)
    """
)
REVIEWED = {
    ("customer", "search_customers"): "names the current tenant itself; tried below",
    ("customer", "search_merged"): "names the current tenant itself; tried below",
    ("segmentation", "refresh_statistics"): "no parameters, returns nothing, reads no row",
}
"""All others only list tenants that have work: ids, no rows."""

SEARCH = """
    SELECT tenant_id FROM customer.search_customers(
        :patterns, :name_begins, :names_enough, :stage, :source, :tag, NULL, NULL, :at_most)
"""
HOSTILE = (
    "'",
    "''",
    "' OR '1'='1",
    "' OR true --",
    "%' OR tenant_id IS NOT NULL --",
    "x') OR (true",
    "\\",
    "\\'",
    "\\' OR true --",
    "%\\",
    "%",
    "_",
    "%%",
    "%L",
    "%s",
    "%1$s",
    "%I%I%I",
    "$1",
    "$2 OR true",
    "{}",
    "$function$",
    "$$ OR true $$",
    "; DROP TABLE customer.customer; --",
    "E'\\x27'",
    "\u02bc OR 1=1",
    "\uff07 OR true --",
    "ka'",
    "🙂",
    "\ud7ff\ue000",
    "a" * 5000,
    "",
)


@pytest.fixture
async def service(database_url: str, root_key: str) -> AsyncIterator[AsyncConnection]:
    """A connection with the customer service's own rights."""
    url = part_database_url("customer", admin_url=database_url, root_key=root_key)
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def found(connection: AsyncConnection, **given: Any) -> set[Any]:
    """Whose customers a direct call finds."""
    asked = {
        "patterns": ["%%"],
        "name_begins": None,
        "names_enough": 1000,
        "stage": None,
        "source": None,
        "tag": None,
        "at_most": 1000,
        **given,
    }
    return set((await connection.execute(text(SEARCH), asked)).scalars())


async def test_every_function_that_sees_all_tenants_was_reviewed(admin: AsyncEngine) -> None:
    async with admin.connect() as connection:
        definers = (await connection.execute(DEFINERS, {"schemas": list(SCHEMAS)})).all()
    assert {definer.schema for definer in definers} == set(SCHEMAS)
    for definer in definers:
        name = f"{definer.schema}.{definer.name}"
        assert definer.settings == ["search_path=pg_catalog, pg_temp"], name
        assert not definer.open, name
        assert not definer.mighty, name
        if (definer.schema, definer.name) not in REVIEWED:
            assert (definer.arguments, definer.result) == (0, "SETOF uuid"), name
            [selected, *_] = re.findall(r"SELECT\s+(.+?)\s+FROM", definer.source)
            assert selected == "t.tenant_id", name


@pytest.mark.capability(28)
async def test_a_search_never_leaves_its_tenant(
    neighbours: Neighbours, service: AsyncConnection
) -> None:
    ours = neighbours.ours.tenant_id
    await service.execute(text("SELECT customer.set_tenant(:t)"), {"t": ours})
    assert await found(service) == {ours}, "there is something to be found"
    for text_ in HOSTILE:
        for given in (
            {"patterns": [f"%{_literal(text_)}%"]},
            {"patterns": ["%%", f"%{_literal(text_)}%"]},
            {"name_begins": f"{_literal(text_)}%"},
            {"stage": text_},
            {"source": text_},
            {"tag": text_},
        ):
            assert await found(service, **given) <= {ours}, given
    for at_most in (0, 1, 2**31 - 1):
        assert await found(service, at_most=at_most) <= {ours}


@pytest.mark.capability(28)
async def test_a_search_among_merged_records_never_leaves_its_tenant(
    neighbours: Neighbours, service: AsyncConnection, admin: AsyncEngine
) -> None:
    ours = neighbours.ours.tenant_id
    assert await found_merged(service, ["%%"]) == set()
    await service.execute(text("SELECT customer.set_tenant(:t)"), {"t": ours})
    stands_for = text("SELECT merged_into FROM customer.customer WHERE tenant_id = :t")
    async with admin.connect() as connection:
        roots = set((await connection.execute(stands_for, {"t": ours})).scalars()) - {None}
    assert await found_merged(service, ["%%"]) == roots
    assert roots, "there is something to be found"
    for text_ in HOSTILE:
        assert await found_merged(service, [f"%{_literal(text_)}%"]) <= roots, text_
        if not text_.endswith("\\"):  # LIKE itself refuses those.
            assert await found_merged(service, [text_, "%%"], by_names=True) <= roots, text_


async def found_merged(
    connection: AsyncConnection, patterns: list[str], *, by_names: bool = False
) -> set[Any]:
    """Who stands for the merged records that a direct call finds."""
    asked = {"patterns": patterns, "by_names": by_names}
    call = text("SELECT * FROM customer.search_merged(:patterns, :by_names, 1000)")
    return set((await connection.execute(call, asked)).scalars())


async def test_a_search_without_a_tenant_finds_nobody(
    neighbours: Neighbours, service: AsyncConnection
) -> None:
    assert await found(service) == set()
    for nobody in ("''", f"'{new_id()}'"):
        await service.execute(text(f"SET LOCAL careloop.tenant = {nobody}"))
        assert await found(service) == set()
        assert await found(service, name_begins="%") == set()


async def test_a_raw_pattern_is_text_whatever_is_in_it(
    neighbours: Neighbours, service: AsyncConnection
) -> None:
    """The application escapes what means something in LIKE; even if it did not, it is only text."""
    ours = neighbours.ours.tenant_id
    await service.execute(text("SELECT customer.set_tenant(:t)"), {"t": ours})
    for text_ in HOSTILE:
        if not text_.endswith("\\"):  # LIKE itself refuses those.
            assert await found(service, patterns=[text_, f"%{text_}%"]) <= {ours}, text_
            assert await found(service, name_begins=text_) <= {ours}, text_


@pytest.mark.capability(28)
async def test_hostile_words_are_searched_for_like_any_other(neighbours: Neighbours) -> None:
    ours, theirs = neighbours.ours, neighbours.theirs
    for text_ in (*HOSTILE, "a\x00b", "nguyen' OR '1'='1", f"{theirs.marker}%", "_" * 8):
        answer = await ours.call("GET", "/v1/customers", params={"q": text_})
        assert answer.status_code in (200, 422), (text_, answer.text)
        assert theirs.marker not in answer.text.replace(text_, ""), text_
        if answer.status_code == 200 and not any(map(str.isalnum, text_)):
            assert answer.json()["data"] == [], f"{text_!r} has no word in it"


def _literal(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
