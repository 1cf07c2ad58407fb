"""HTTP/1.1 from strangers: a head that is too large or does not come is not waited for.

uvicorn's own protocol keeps a connection for as long as its client takes to send the head of a
request, however long that head gets. Here both end; what the application decides about bodies and
answers is not touched.
"""

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from shared.json import dumps
from shared.web.problems import MEDIA_TYPE

HEAD_SECONDS: Final = 10.0
MAX_HEAD_BYTES: Final = 64 * 1024
MAX_HEADERS: Final = 100
# For an answer to be read by somebody who is still sending.
LINGER_SECONDS: Final = 2.0
LINGER_BYTES: Final = 1024 * 1024

_CODES: Final = {
    HTTPStatus.BAD_REQUEST: ("bad_request", "This is no HTTP request"),
    HTTPStatus.REQUEST_TIMEOUT: ("request_timeout", "The request took too long to arrive"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        "headers_too_large",
        f"At most {MAX_HEADERS} headers of {MAX_HEAD_BYTES} bytes together",
    ),
}


class _HeadTooLarge(Exception):
    """Ends the parsing; the parser tells of it as of any other fault."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection, whose client has to say what it wants within some seconds and bytes."""

    head_seconds: ClassVar[float] = 10.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._refusal = HTTPStatus.BAD_REQUEST
        self._head_deadline: asyncio.TimerHandle | None = None
        # Bytes that came since the parser last had something whole of them.
        self._unfinished = 0
        self._is_in_head = True
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there, and has some seconds to say something."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._expect_no_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came; it must become something whole before there is too much of it."""
        self._unfinished += len(data)
        if self._is_refused:
            if self._unfinished > LINGER_BYTES:
                self.transport.abort()
            return
        super().data_received(data)
        if self._unfinished > MAX_HEAD_BYTES and not self._is_over():
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_in_head = True
        if self._head_deadline is None:
            self._expect_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header is whole. What comes after the body is a trailer, and nobody asked for it."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole. Raises _HeadTooLarge."""
        self._expect_no_head()
        self._is_in_head = False
        self._unfinished = 0
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise _HeadTooLarge
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body; how much of it there may be is the application's to say."""
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._unfinished = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Say why the connection ends, and end it."""
        del msg
        self._expect_no_head()
        answering: RequestResponseCycle | None = self.cycle
        if answering is not None and not answering.response_complete:
            # An answer to an earlier request is under way: another one must not be put into it.
            self.transport.close()
            return
        code, title = _CODES[self._refusal]
        body = dumps(
            {
                "type": f"urn:careloop:problem:{code}",
                "title": title,
                "status": self._refusal.value,
                "detail": title,
                "code": code,
                "request_id": None,
                "errors": [],
            }
        )
        head = b"content-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(
            STATUS_LINE[self._refusal.value] + head % (MEDIA_TYPE.encode(), len(body)) + body
        )
        self._linger()

    def _linger(self) -> None:
        """Let the answer arrive: closed on unread input, the connection would be reset."""
        self._is_refused = True
        if self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.loop.call_later(LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()

    def _is_over(self) -> bool:
        return self._is_refused or self.transport.is_closing()

    def _expect_head(self) -> None:
        self._head_deadline = self.loop.call_later(self.head_seconds, self._give_up)

    def _expect_no_head(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _give_up(self) -> None:
        self._head_deadline = None
        if self._is_over():
            return
        if not self._unfinished:
            # It has only connected, as browsers and balancers do beforehand: there is nothing to
            # answer.
            self.transport.close()
            return
        self._refusal = HTTPStatus.REQUEST_TIMEOUT
        self.send_400_response("")
