"""A short piece of `make chaos`: trouble of every kind, and then every promise is looked at.

With each part in a process of its own, which can do without each of the others; `make chaos` has
all of them in one, too.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from tests.faults.audit.auditor import Auditor
from tests.faults.audit.books import Books
from tests.faults.run import House, Report, open_house, trouble_and_audit
from tests.faults.sabotage import LOOK_AWAY, SABOTAGE
from tests.faults.servers import FaultServers
from tests.faults.truth import Asked, Truth

pytestmark = pytest.mark.fault

SECONDS = 9


@dataclass(frozen=True)
class Aftermath:
    """A house after its troubles, still running."""

    house: House
    report: Report
    books: Books


@pytest.fixture(
    scope="module",
    params=[pytest.param(("split", 1), id="split", marks=pytest.mark.split)],
)
async def aftermath(
    request: pytest.FixtureRequest, fault_servers: FaultServers
) -> AsyncIterator[Aftermath]:
    topology, seed = request.param
    async with open_house(fault_servers, seed=seed, topology=topology) as house:
        report, books = await trouble_and_audit(
            house, seed=seed, topology=topology, seconds=SECONDS
        )
        yield Aftermath(house, report, books)


async def test_nothing_is_lost_doubled_or_stuck(aftermath: Aftermath) -> None:
    broken = {f.name: f.faults[:5] for f in aftermath.report.findings if not f.ok}
    assert broken == {}
    assert aftermath.report.accepted > 60
    assert sum(aftermath.report.troubles.values()) >= 5


async def test_the_auditor_sees_what_it_is_shown(aftermath: Aftermath) -> None:
    """Every sabotage is found by the check that is there for it."""
    house = aftermath.house
    checks = {c.name: c for c in Auditor(redis_url=house.servers.valkey.url()).checks}
    seen, missed = 0, []
    for name, statement in SABOTAGE:
        async with house.asking() as connection:
            await connection.exec_driver_sql(LOOK_AWAY)
            if (await connection.exec_driver_sql(statement)).rowcount == 0:
                continue
            if (await checks[name](connection, aftermath.books)).ok:
                missed.append(f"{name}: {statement}")
            seen += 1
    assert missed == []
    assert seen > len(SABOTAGE) * 0.8


async def test_the_auditor_holds_the_house_to_what_was_promised(aftermath: Aftermath) -> None:
    """The books say more than the house has done."""
    house, books = aftermath.house, aftermath.books
    checks = {c.name: c for c in Auditor(redis_url=house.servers.valkey.url()).checks}
    shop = books.truth.asked[0].shop
    promised = Asked("ticket", shop, "never", "/", b"", {}, "never", accepted={"id": "1"})
    forgotten = Asked("ticket", shop, "forgotten", "/", b"", {}, "forgotten")
    truth = replace(books.truth, asked=[*books.truth.asked, promised, forgotten])
    async with house.asking() as connection:
        for name in ("tickets", "keys", "answers"):
            assert not (await checks[name](connection, replace(books, truth=truth))).ok, name
        mails = dict(books.mails_taken)
        mails["0" * 32] = 1
        strange = replace(books, mails_taken=mails)
        assert not (await checks["the mail server agrees"](connection, strange)).ok
        surprised = Truth(surprises=["GET / answered 500"])
        assert not (await checks["no surprises"](connection, replace(books, truth=surprised))).ok
