"""`/v1/jobs`: only the part that runs a job knows it, and nobody else need know which one that is.

A request about one job is offered to one part after the other; whoever has the job answers, and
its answer passes through as it comes, a stream of events too. A list is put together out of all
parts' lists: they have one order, and one cursor is good for all of them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.upstreams.fetch import Fetched, fetch
from gateway.upstreams.headers import PRINCIPAL
from gateway.upstreams.upstream import InProcessUpstream, Upstream
from shared.db.paging import encode_cursor
from shared.errors import CareloopError, Unavailable
from shared.json import dumps
from shared.web.middleware import header
from shared.web.problems import REQUEST_ID_HEADER

_log = structlog.get_logger(__name__)
_PASSED_ON: Final = frozenset({PRINCIPAL, REQUEST_ID_HEADER.encode(), b"accept-language"})
_LIST: Final = "/v1/jobs"
_USUAL_LIMIT: Final = 50
_PATIENCE_SECONDS: Final = 5.0
_REMEMBERED: Final = 10_000


class JobFinder:
    """Answers for the jobs of all parts, the gateway's own among them."""

    def __init__(self, gateway: ASGIApp, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams
        self._parts: dict[str, ASGIApp] = {
            **{name: upstream.handle for name, upstream in upstreams.items()},
            "gateway": gateway,
        }
        self._owners: OrderedDict[str, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises Unavailable when what is asked for was not found and a part could not be asked.
        """
        if scope["path"].rstrip("/") == _LIST and scope["method"] == "GET":
            await self._list(scope, receive, send)
        else:
            await self._find(scope, receive, send)

    async def _find(self, scope: Scope, receive: Receive, send: Send) -> None:
        job = _job_of(scope["path"])
        body = await _whole_body(receive) if header(scope, b"content-length") else b""
        unasked = False
        refusal: _Offer | None = None
        for part in self._parts_for(job):
            offer = _Offer(send)
            try:
                await offer.make(self._parts[part], scope, _Replay(body, receive))
            except (CareloopError, TimeoutError) as error:
                _log.warning("part_not_asked", asked=part, error=type(error).__name__)
                unasked = True
                continue
            if offer.is_taken or offer.is_about_more_than_the_job:
                self._remember(job, part)
                await offer.tell()
                return
            refusal = refusal or offer
        if unasked or refusal is None:
            raise Unavailable
        await refusal.tell()

    def _parts_for(self, job: str) -> Iterator[str]:
        known = self._owners.get(job)
        if known is not None:
            yield known
        yield from (part for part in self._parts if part != known)

    def _remember(self, job: str, part: str) -> None:
        self._owners[job] = part
        self._owners.move_to_end(job)
        if len(self._owners) > _REMEMBERED:
            self._owners.popitem(last=False)

    async def _list(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [pair for pair in scope["headers"] if pair[0] in _PASSED_ON]
        query: bytes = scope["query_string"]
        own = InProcessUpstream(self._parts["gateway"])
        answers = await asyncio.gather(
            *(
                fetch(part, _LIST, headers=headers, query=query)
                for part in self._upstreams.values()
            ),
            fetch(own, _LIST, headers=headers, query=query, within=scope),
        )
        refused = next((answer for answer in answers if answer.status != HTTPStatus.OK), None)
        if refused is not None:
            await _as_it_is(refused)(scope, receive, send)
            return
        page = merged([answer.json() for answer in answers], limit=_limit_of(scope))
        await Response(dumps(page), media_type="application/json")(scope, receive, send)


class _Offer:
    """One part's chance to answer: anything but 404 passes through to the caller at once."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._withheld: list[Message] = []
        self.is_taken = False

    async def make(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        """Have the part answer. Raises TimeoutError when it does not begin to in time."""
        async with asyncio.timeout(_PATIENCE_SECONDS) as patience:

            async def tell(message: Message) -> None:
                if message["type"] == "http.response.start":
                    patience.reschedule(None)
                    self.is_taken = message["status"] != HTTPStatus.NOT_FOUND
                if self.is_taken:
                    await self._send(message)
                else:
                    self._withheld.append(message)

            await app({**scope}, receive, tell)

    @property
    def is_about_more_than_the_job(self) -> bool:
        """Whether the part knows the job, and it is something of the job that does not exist."""
        body = b"".join(message.get("body", b"") for message in self._withheld)
        return b'"code":"job_file_not_found"' in body

    async def tell(self) -> None:
        """Pass on what was withheld, a 404."""
        for message in self._withheld:
            await self._send(message)


class _Replay:
    """Gives the body to every part that is asked, and after it what comes from the caller."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def merged(pages: list[dict[str, Any]], *, limit: int) -> dict[str, Any]:
    """One page out of those of all parts, and the cursor with which all of them go on."""
    jobs = sorted((job for page in pages for job in page["data"]), key=_place, reverse=True)
    kept = jobs[:limit]
    has_more = len(jobs) > limit or any(page["next_cursor"] for page in pages)
    last = kept[-1] if kept and has_more else None
    cursor = None if last is None else encode_cursor([last["created_at"], last["id"]])
    return {"data": kept, "next_cursor": cursor}


def _place(job: Mapping[str, Any]) -> tuple[datetime, str]:
    """Where a job stands in every part's list."""
    return datetime.fromisoformat(job["created_at"]), job["id"]


def _limit_of(scope: Scope) -> int:
    """The page size that the parts have found right."""
    given = parse_qs(scope["query_string"].decode("latin-1")).get("limit")
    return int(given[-1]) if given else _USUAL_LIMIT


def _job_of(path: str) -> str:
    return path.removeprefix(_LIST).strip("/").partition("/")[0]


async def _whole_body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


def _as_it_is(answer: Fetched) -> Response:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
    return Response(answer.body, answer.status, headers)
