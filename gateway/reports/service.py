"""The care loop's report: each part is asked for its counts, and then they are held together."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

import structlog

from gateway.reports.reconciliation import all_hold, reconcile
from gateway.reports.repository import CountRepository
from gateway.reports.schemas import CareLoopReport
from gateway.upstreams.fetch import fetch
from gateway.upstreams.owners import GATEWAY
from gateway.upstreams.upstream import Upstream
from shared.clock import Clock
from shared.errors import CareloopError

_log = structlog.get_logger(__name__)
_PATH = "/v1/care-loop-counts"


class CareLoopReports:
    """Composes the report for one caller, whose principal the services see."""

    def __init__(
        self,
        *,
        clock: Clock,
        own: CountRepository,
        upstreams: Mapping[str, Upstream],
        caller: list[tuple[bytes, bytes]],
    ) -> None:
        self._clock = clock
        self._own = own
        self._upstreams = upstreams
        self._caller = caller

    async def care_loop(self) -> CareLoopReport:
        """All counts and how they agree; a part that does not answer leaves a gap."""
        answers = await asyncio.gather(
            *(self._ask(name, upstream) for name, upstream in self._upstreams.items())
        )
        # The gateway's own come last, so that no transaction waits for the others.
        own = await self._own.counts()
        counts = {GATEWAY: own, **dict(zip(self._upstreams, answers, strict=True))}
        equations = reconcile(counts)
        return CareLoopReport(
            at=self._clock.now(),
            counts=counts,
            reconciliation=equations,
            reconciled=all_hold(equations),
        )

    async def _ask(self, name: str, upstream: Upstream) -> dict[str, int] | None:
        try:
            answer = await fetch(upstream, _PATH, headers=self._caller)
        except CareloopError as error:
            _log.warning("counts_not_told", asked=name, error=error.code)
            return None
        if answer.status != HTTPStatus.OK:
            _log.warning("counts_not_told", asked=name, status=answer.status)
            return None
        told: dict[str, int] = answer.json()
        return told
