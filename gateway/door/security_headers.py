"""What every answer tells a browser, so that it does nothing foolish with it."""

from typing import Final

from starlette.types import Message, Send

_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
_DATA: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_PAGE: Final = (
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        (
            b"default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
            b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
    ),
)


class SecurityHeaders:
    """Adds to answers what they do not say themselves."""

    def __init__(self, *, https: bool) -> None:
        hsts = ((b"strict-transport-security", b"max-age=31536000"),) if https else ()
        self._data = (*_ALWAYS, *hsts, *_DATA)
        self._page = (*_ALWAYS, *hsts, *_PAGE)

    def on(self, path: str, send: Send, more: list[tuple[bytes, bytes]]) -> Send:
        """`send`, with the headers that fit the path, and `more` that come up until it is called.

        An answer that says one of them itself is left as it is.
        """
        defaults = self._page if path.startswith("/pages/") else self._data

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                stated = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(pair for pair in defaults if pair[0] not in stated),
                    *(pair for pair in more if pair[0] not in stated),
                ]
            await send(message)

        return tell
