"""Sending: queues are taken under lease, worked off outside any transaction, and given back.

Every endpoint has a queue of its own, and only one process works on it at a time. A receiver that
is slow or away holds up its own queue; of this process's room for queues, those in trouble get a
part only, so that any number of them leaves the rest to the others. Whoever dies here leaves a
lease that runs out, and deliveries that are still due: at least once, under one `webhook-id`.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from gateway.webhooks.attempting import Attempts
from gateway.webhooks.letters import Letters, Unsendable
from gateway.webhooks.metrics import ATTEMPTS, SECONDS
from gateway.webhooks.outcomes import QueueState, given_up, outcome_of
from gateway.webhooks.queues import Attempted, Due, Leased, QueueRepository, Room
from gateway.webhooks.recorder import Recorder
from shared.db.sweeps import for_each_tenant
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId, new_id

TENANTS: Final = "tenants_with_due_webhooks"
LEASE: Final = timedelta(seconds=30)
RENEW_SECONDS: Final = 10.0
_AT_ONCE: Final = 100
_TAKE: Final = 20
_TAKE_FAILING: Final = 1
_CONNECTIONS: Final = 4
_CLOSE_SECONDS: Final = 5.0
_AFTER_CRASH: Final = timedelta(minutes=1)
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Turn:
    """The work on one queue between taking it and giving it back."""

    leased: Leased
    state: QueueState
    waiting: deque[Due]
    wakes_before: int
    next_start: float = 0.0

    @property
    def may_have_more(self) -> bool:
        return bool(self.waiting) or len(self.leased.due) >= self.leased.take


@dataclass(slots=True)
class _Occupied:
    """How many queues this process works on."""

    most: int
    turns: dict[tuple[TenantId, UUID], _Turn] = field(default_factory=dict)
    of_tenant: Counter[TenantId] = field(default_factory=Counter)
    slow: int = 0
    failing: int = 0

    def free(self, tenant_id: TenantId) -> int:
        """How many more there is room for; no shop gets more than half of all."""
        return min(self.most - len(self.turns), self.most // 2 - self.of_tenant[tenant_id])

    @property
    def free_for_troubled(self) -> Room:
        """The slow get half of it and the failing a quarter, neither at the other's cost."""
        return Room(slow=self.most // 2 - self.slow, failing=self.most // 4 - self.failing)

    def enter(self, tenant_id: TenantId, turn: _Turn) -> None:
        self.turns[tenant_id, turn.leased.endpoint.id] = turn
        self.of_tenant[tenant_id] += 1
        self._count(turn.leased.state, 1)

    def leave(self, tenant_id: TenantId, endpoint_id: UUID) -> _Turn | None:
        turn = self.turns.pop((tenant_id, endpoint_id), None)
        if turn is not None:
            self.of_tenant[tenant_id] -= 1
            if not self.of_tenant[tenant_id]:
                del self.of_tenant[tenant_id]
            self._count(turn.leased.state, -1)
        return turn

    def _count(self, state: QueueState, change: int) -> None:
        if state.is_failing:
            self.failing += change
        elif state.troubled:
            self.slow += change


class Sender:
    """Works off the queues of all shops; one per process."""

    def __init__(
        self, *, units: UnitsOfWork, attempts: Attempts, letters: Letters, most_queues: int
    ) -> None:
        self._units = units
        self._attempts = attempts
        self._letters = letters
        self._owner = new_id()
        self._room = _Occupied(most=most_queues)
        self._recorder = Recorder(units=units, owner=self._owner, released=self._on_released)
        self._taking: set[TenantId] = set()
        self._again: set[TenantId] = set()
        self._hungry: set[TenantId] = set()
        self._wakes: Counter[TenantId] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    async def wake(self, tenant_id: TenantId) -> None:
        """See what is due in a shop; returns at once."""
        self._wakes[tenant_id] += 1
        self._look(tenant_id)

    def _look(self, tenant_id: TenantId) -> None:
        if self._closing:
            return
        if tenant_id in self._taking:
            self._again.add(tenant_id)
            return
        self._taking.add(tenant_id)
        self._start(self._take(tenant_id))

    async def sweep(self) -> None:
        """The net under lost wake-ups, and what becomes due by itself."""
        for tenant_id in await self._units.tenants(TENANTS):
            await self.wake(tenant_id)

    async def renew(self) -> None:
        """Keep the leases of everything that is being worked on."""
        tenants = {tenant_id for tenant_id, _ in self._room.turns}
        await for_each_tenant(tenants, self._renew, what="renew")

    async def _renew(self, tenant_id: TenantId) -> None:
        async with self._units.begin(tenant_id) as uow:
            queues = QueueRepository(uow, owner=self._owner)
            await queues.renew(until=uow.clock.now() + LEASE)
            await uow.commit()

    async def idle(self) -> None:
        """Wait until nothing that is due is left undone by this process."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._recorder.drain()

    def hurry(self) -> None:
        """Begin nothing more: what is under way may end, the rest is for another process."""
        self._closing = True

    async def close(self) -> None:
        """Finish what is under way, for a while; write down what is known, give everything back."""
        self.hurry()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._recorder.drain()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, tenant_id: TenantId) -> None:
        try:
            more = True
            while more:
                self._again.discard(tenant_id)
                more = await self._take_some(tenant_id) or tenant_id in self._again
        except Exception as error:  # noqa: BLE001  (the sweep is the retry)
            _log.warning("webhooks_not_taken", tenant=tenant_id.hex, error=repr(error)[:300])
        finally:
            self._taking.discard(tenant_id)
            self._forget_wakes(tenant_id)

    async def _take_some(self, tenant_id: TenantId) -> bool:
        """Begin turns on some queues of a shop; whether more may be free."""
        limit = min(_AT_ONCE, self._room.free(tenant_id))
        if limit <= 0:
            self._hungry.add(tenant_id)
            return False
        wakes = self._wakes[tenant_id]
        async with self._units.begin(tenant_id) as uow:
            taken = await QueueRepository(uow, owner=self._owner).lease(
                until=uow.clock.now() + LEASE,
                room=limit,
                of_these=self._room.free_for_troubled,
                take=_TAKE,
                take_failing=_TAKE_FAILING,
            )
            await uow.commit()
        for leased in taken:
            self._begin(tenant_id, leased, wakes_before=wakes)
        return len(taken) == limit

    def _begin(self, tenant_id: TenantId, leased: Leased, *, wakes_before: int) -> None:
        turn = _Turn(leased, leased.state, deque(leased.due), wakes_before)
        self._room.enter(tenant_id, turn)
        self._start(self._work_off(tenant_id, turn))

    async def _work_off(self, tenant_id: TenantId, turn: _Turn) -> None:
        width = 1 if turn.state.is_failing else _CONNECTIONS
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(width, len(turn.waiting))):
                    group.create_task(self._line(tenant_id, turn))
        except Exception:  # noqa: BLE001  (one queue's trouble must not reach another)
            _log.exception("webhook_turn_crashed", endpoint=turn.leased.endpoint.id.hex)
            pause = self._units.clock.now() + _AFTER_CRASH
            turn.state = replace(turn.state, paused_until=pause)
        finally:
            self._recorder.release(tenant_id, turn.leased.endpoint.id, turn.state)

    async def _line(self, tenant_id: TenantId, turn: _Turn) -> None:
        """Send one delivery after the other, until there is none or the receiver does badly."""
        while turn.waiting and not (self._closing or (turn.state.shall_rest and self._tried(turn))):
            due = turn.waiting.popleft()
            await self._keep_pace(turn)
            await self._send(tenant_id, turn, due)

    @staticmethod
    def _tried(turn: _Turn) -> bool:
        """Whether something was sent in this turn: one that is failing is tried once per turn."""
        return len(turn.waiting) < len(turn.leased.due)

    async def _keep_pace(self, turn: _Turn) -> None:
        rate = turn.leased.endpoint.rate_limit
        if rate is None:
            return
        now = asyncio.get_running_loop().time()
        start = max(now, turn.next_start)
        turn.next_start = start + 1 / rate
        await asyncio.sleep(start - now)

    async def _send(self, tenant_id: TenantId, turn: _Turn, due: Due) -> None:
        endpoint, clock = turn.leased.endpoint, self._units.clock
        try:
            letter = self._letters.write(endpoint, due, now=clock.now())
        except Unsendable as error:
            outcome = given_up(endpoint.id, due.event_id, why=error.code, now=clock.now())
            self._recorder.add(tenant_id, outcome, None)
            return
        answer = await self._attempts.make(endpoint.url, body=letter.body, headers=letter.headers)
        now, tries = clock.now(), due.tries + 1
        turn.state = turn.state.after(answer, now=now)
        ATTEMPTS.labels("succeeded" if answer.succeeded else "failed").inc()
        SECONDS.observe(answer.duration_ms / 1000)
        self._recorder.add(
            tenant_id,
            outcome_of(
                answer, endpoint_id=endpoint.id, event_id=due.event_id, tries=tries, now=now
            ),
            Attempted(
                endpoint_id=endpoint.id,
                event_id=due.event_id,
                number=due.attempts + 1,
                url=endpoint.url,
                answer=answer,
            ),
        )

    async def _on_released(self, tenant_id: TenantId, endpoint_ids: list[UUID]) -> None:
        """There is room again; who has more to send, or waited for room, is looked at."""
        more = False
        for endpoint_id in endpoint_ids:
            turn = self._room.leave(tenant_id, endpoint_id)
            if turn is not None:
                # Who was woken while a queue was under lease has not looked into it.
                woken = turn.wakes_before != self._wakes[tenant_id]
                more = more or woken or turn.may_have_more
        hungry, self._hungry = self._hungry, set()
        for waiting in {*hungry, tenant_id} if more else hungry:
            self._look(waiting)
        self._forget_wakes(tenant_id)

    def _forget_wakes(self, tenant_id: TenantId) -> None:
        if tenant_id not in self._taking and not self._room.of_tenant[tenant_id]:
            del self._wakes[tenant_id]
