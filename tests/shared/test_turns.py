"""Making things ready in a thread while others are written."""

import asyncio
import threading

import pytest
from sqlalchemy import literal, select, text

from shared.db.outbox import outbox_rows
from shared.db.prepared import Bound
from shared.db.turns import Turn, take_turns
from shared.ids import TenantId, new_id
from shared.observability.request_ids import REQUEST_ID, working_for
from tests.shared.test_unit_of_work import ThingHappened


class Log:
    """What was made ready and written, in what order."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def turn(self, name: str) -> Turn[str]:
        async def write(ready: str) -> None:
            await asyncio.sleep(0.001)
            self.said.append(f"wrote {ready}")

        return Turn(lambda: self._make(name), write)

    def _make(self, name: str) -> str:
        self.said.append(f"made {name}")
        return name


async def test_both_are_done_in_their_order():
    log = Log()
    await take_turns([log.turn(name) for name in "abc"])
    assert [said for said in log.said if said.startswith("made")] == ["made a", "made b", "made c"]
    wrote = [said for said in log.said if said.startswith("wrote")]
    assert wrote == ["wrote a", "wrote b", "wrote c"]


async def test_nothing_is_no_work():
    called: list[str] = []
    await take_turns([], when_all_is_ready=lambda: called.append("ready"))
    assert called == ["ready"]


async def test_the_next_is_made_ready_while_one_is_written():
    is_made, loop = asyncio.Event(), asyncio.get_running_loop()

    async def wait_for_the_next(_ready: None) -> None:
        async with asyncio.timeout(30):
            await is_made.wait()

    async def write(_ready: None) -> None:
        pass

    def make() -> None:
        loop.call_soon_threadsafe(is_made.set)

    await take_turns([Turn(lambda: None, wait_for_the_next), Turn(make, write)])


async def test_it_is_told_that_all_is_ready_before_all_is_written():
    is_ready = asyncio.Event()

    async def write(_ready: None) -> None:
        async with asyncio.timeout(30):
            await is_ready.wait()

    await take_turns([Turn(lambda: None, write)] * 3, when_all_is_ready=is_ready.set)


async def test_what_cannot_be_made_ready_is_raised_when_its_turn_comes():
    log = Log()

    def fail() -> str:
        raise ValueError("not so")

    with pytest.raises(ValueError, match="not so"):
        await take_turns([log.turn("a"), Turn(fail, log.turn("b").write), log.turn("c")])
    assert log.said == ["made a", "wrote a"]


async def test_nothing_is_at_work_after_one_could_not_be_written():
    log, go_on, begun = Log(), threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def make_slowly() -> str:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(30)
        log.said.append("made slowly")
        return "slowly"

    async def fail(_ready: str) -> None:
        await begun.wait()
        loop.call_later(0.01, go_on.set)
        raise ValueError("not written")

    slow = Turn(make_slowly, log.turn("").write)
    with pytest.raises(ValueError, match="not written"):
        await take_turns([Turn(lambda: "a", fail), slow, log.turn("b")])
    assert log.said == ["made slowly"]


TELL = select(literal(1)).add_cte(outbox_rows("source"))
CONTEXTS = text("SELECT context FROM source.outbox WHERE tenant_id = :tenant")


async def test_events_that_are_bound_in_a_thread_are_told(source, tenant):
    """As if they had been appended, with the request that they follow from."""
    told: list[TenantId] = []

    async def announce(of: TenantId) -> None:
        told.append(of)

    async with source.units.begin(tenant) as uow:
        uow._announce = announce

        def bind() -> Bound:
            events = [(ThingHappened(what="bound"), new_id())]
            return uow.bind(TELL, {"tenant": tenant}, events=events)

        with working_for([{REQUEST_ID: "the-request"}]):
            # The first time a statement is seen it is not prepared, from then on it is.
            await take_turns([Turn(bind, uow.rows_of), Turn(bind, uow.execute_bound)])
            await take_turns([Turn(bind, uow.rows_of)])
        assert told == []
        await uow.commit()
    assert told == [tenant]
    async with source.units.begin(tenant) as uow:
        contexts = await uow.scalars(CONTEXTS, {"tenant": tenant})
    assert [context[REQUEST_ID] for context in contexts] == ["the-request"] * 3
