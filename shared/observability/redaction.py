"""Nothing secret and nobody's address in a log, whatever somebody logged by mistake.

House rule: ids are logged, bodies, e-mails and phones never. This is the net under the rule, for
what comes in the text of an error or from a library.
"""

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from structlog.typing import EventDict, WrappedLogger

HIDDEN = "***"
_UNTOUCHED = frozenset(
    {"event", "level", "timestamp", "part", "request_id", "tenant", "method", "status", "ms"}
)
# Fields that are secret whatever is in them.
_SECRET_FIELD = re.compile(
    r"(^|_)(password|passwd|secret|token|authorization|cookie|api_?key|private_?key|otp|totp)s?$"
    r"|^sealed_",
    re.IGNORECASE,
)
# Name and value in a text: `password=…`, `"client_secret": "…"`, `Authorization: Bearer …`.
_NAMED = (
    r"(?P<kept>(?:password|passwd|secret|token|api[_-]?key|signature|authorization|cookie)"
    r"[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|digest)\s+)?)[^\s\"',;&}\]]{4,}"
)
# Credentials that say what they are: ours, JSON Web Tokens, what we sealed, providers' keys.
_SHAPES = (
    r"(?P<kept>)(?<![A-Za-z0-9])(?:(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?(?:~[^\s\"']*)?"
    r"|[a-z]{2,8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{33}"
    r"|(?:op|whsec|sk|pk|rk|shpss|shpat|ck|cs|xox[abp]|gh[pousr])_[A-Za-z0-9+/=_-]{16,}"
    r"|gAAAA[A-Za-z0-9_-]{40,}={0,2})"
)
_HASH = r"(?P<kept>)\$argon2id\$[^\s\"']+"
_IN_URL = r"(?P<kept>://)[^\s/@:]*:[^\s/@]+(?=@)"
_LINK = r"(?P<kept>/pages/[\w-]+/)[\w.~-]{16,}"
_EMAIL = r"(?P<kept>)[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+"
# International numbers, and Vietnamese ones as people write them; never within an id.
_PHONE = (
    r"(?P<kept>)(?<![\w+-])(?:\+\d{1,3}[ .-]?(?:\d[ .-]?){7,13}\d"
    r"|0\d{2,3}(?:[ .-]?\d{3}){2}\d?)(?![\w-])"
)
# Each with what a text must contain to be looked at: most texts in a log contain none of it.
_PATTERNS = tuple(
    (signs, re.compile(pattern, re.IGNORECASE))
    for signs, pattern in (
        (("passw", "secret", "token", "key", "signature", "authoriz", "cookie"), _NAMED),
        (("eyj", "gaaaa", "bearer", "basic", "_"), _SHAPES),
        (("$argon",), _HASH),
        (("://",), _IN_URL),
        (("/pages/",), _LINK),
        (("@",), _EMAIL),
        (("+", "0"), _PHONE),
    )
)


def redact(text: str) -> str:
    """The text without credentials, e-mail addresses and phone numbers."""
    looked_at = text.lower()
    for signs, pattern in _PATTERNS:
        if any(sign in looked_at for sign in signs):
            text = pattern.sub(_hide, text)
    return text


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor of structlog: every field but the fixed ones, however deep."""
    for name, value in event.items():
        if name not in _UNTOUCHED:
            event[name] = _redacted(name, value)
    return event


def redact_line(_logger: WrappedLogger, _method: str, line: Any) -> str:
    """The last processor behind a renderer for people: tracebacks are in the line by now."""
    return redact(str(line))


class RedactingFormatter(logging.Formatter):
    """Formats a record of the standard library, traceback and all, and redacts the outcome."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        return redact(super().format(record))


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_FIELD.search(name) is not None


def _redacted(name: str, value: Any) -> Any:
    if _is_secret(name):
        return HIDDEN
    cleaned: Any = value
    match value:
        case None | bool() | int() | float() | BaseException():
            pass
        case Mapping():
            cleaned = {key: _redacted(str(key), inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            cleaned = [_redacted(name, inner) for inner in value]
        case bytes():
            cleaned = redact(value.decode("utf-8", "replace"))
        case _:
            cleaned = redact(str(value))
    return cleaned


def _hide(match: re.Match[str]) -> str:
    return f"{match['kept']}{HIDDEN}"
