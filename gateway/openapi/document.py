"""The merged document, asked together from the parts and remembered for a while."""

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog

from gateway.cache import TimedCache
from gateway.openapi.merge import Document, merge
from gateway.upstreams.fetch import fetch
from gateway.upstreams.owners import GATEWAY, owner_of
from gateway.upstreams.upstream import Upstream
from shared.clock import Clock
from shared.errors import CareloopError, Unavailable
from shared.json import dumps

_log = structlog.get_logger(__name__)
_REMEMBERED_SECONDS: Final = 60
_INFO: Final = {
    "contact": {"name": "Careloop"},
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}


class ApiDocument:
    """The OpenAPI document of the gateway and all services behind it."""

    def __init__(
        self,
        *,
        own: Callable[[], Document],
        upstreams: Mapping[str, Upstream],
        public_url: str,
        clock: Clock,
    ) -> None:
        self._own = own
        self._upstreams = upstreams
        self._public_url = public_url
        self._last: dict[str, Document] = {}
        self._merged: TimedCache[str, bytes] = TimedCache(
            clock=clock, seconds=_REMEMBERED_SECONDS, size=1
        )

    async def json(self) -> bytes:
        """The document. Raises Unavailable while a part never told what it offers."""
        return await self._merged.get("document", self._build)

    async def _build(self) -> bytes:
        own = self._own()
        told = await asyncio.gather(
            *(self._ask(name, upstream) for name, upstream in self._upstreams.items())
        )
        documents = {GATEWAY: own, **dict(zip(self._upstreams, told, strict=True))}
        info = {
            **{name: own["info"][name] for name in ("title", "version", "description")},
            **_INFO,
        }
        merged = merge(documents, owner_of=owner_of, info=info, servers=[self._public_url])
        return dumps(merged)

    async def _ask(self, name: str, upstream: Upstream) -> Document:
        try:
            answer = await fetch(upstream, "/openapi.json")
        except CareloopError as error:
            _log.warning("document_not_told", asked=name, error=error.code)
        else:
            if answer.status == HTTPStatus.OK:
                document: dict[str, Any] = answer.json()
                self._last[name] = document
        # What a part offers changes with releases only: what it said last will do.
        if name not in self._last:
            raise Unavailable(f"The {name} service has not said yet what it offers")
        return self._last[name]
