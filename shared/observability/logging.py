"""Structured logs: the event is a fixed snake_case word, the data are fields."""

import logging
import sys
from typing import Literal

import orjson
import structlog

from shared.observability.redaction import RedactingFormatter, redact_event, redact_line


def configure_logging(
    *, level: str = "info", style: Literal["json", "console"] = "json", part: str
) -> None:
    """Send structlog's and the standard library's records to stderr in one form."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_renderers(style),
        ],
        logger_factory=_logger_factory(style),
    )
    structlog.contextvars.bind_contextvars(part=part)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(levelname)s:%(name)s:%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _renderers(style: str) -> list[structlog.typing.Processor]:
    if style == "json":
        return [
            structlog.processors.format_exc_info,
            redact_event,
            structlog.processors.JSONRenderer(serializer=orjson.dumps, default=str),
        ]
    # The pretty default prints every local variable, bodies and secrets among them.
    plain = structlog.dev.plain_traceback
    renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    return [redact_event, renderer, redact_line]


def _logger_factory(style: str) -> structlog.BytesLoggerFactory | structlog.PrintLoggerFactory:
    if style == "json":
        return structlog.BytesLoggerFactory(sys.stderr.buffer)
    return structlog.PrintLoggerFactory(sys.stderr)
