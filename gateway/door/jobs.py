"""`/v1/jobs/{id}`: only the service that runs a job knows it, so all are asked.

The gateway itself runs none.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.upstreams.fetch import Fetched, fetch
from gateway.upstreams.headers import PRINCIPAL
from gateway.upstreams.upstream import Upstream
from shared.errors import CareloopError, Unavailable
from shared.web.problems import REQUEST_ID_HEADER

_log = structlog.get_logger(__name__)
_PASSED_ON = frozenset({PRINCIPAL, REQUEST_ID_HEADER.encode()})


class JobFinder:
    """Asks every service at once and answers with the one that has the job."""

    def __init__(self, gateway: ASGIApp, upstreams: Mapping[str, Upstream]) -> None:
        self._gateway = gateway
        self._upstreams = upstreams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a GET; anything else is refused by the gateway's own routes.

        Raises Unavailable when the job was not found and a service could not be asked.
        """
        if scope["method"] not in ("GET", "HEAD"):
            await self._gateway(scope, receive, send)
            return
        answers = await asyncio.gather(
            *(self._ask(name, part, scope) for name, part in self._upstreams.items())
        )
        given = [answer for answer in answers if answer is not None]
        found = next((answer for answer in given if answer.status == HTTPStatus.OK), None)
        if found is None and len(given) < len(answers):
            raise Unavailable
        best = found or max(given, key=lambda answer: answer.status != HTTPStatus.NOT_FOUND)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in best.headers}
        await Response(best.body, best.status, headers)(scope, receive, send)

    async def _ask(self, name: str, part: Upstream, scope: Scope) -> Fetched | None:
        headers = [pair for pair in scope["headers"] if pair[0] in _PASSED_ON]
        try:
            return await fetch(part, scope["path"], headers=headers)
        except CareloopError as error:
            _log.warning("part_not_asked", asked=name, error=error.code)
            return None
