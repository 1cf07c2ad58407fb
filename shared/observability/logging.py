"""Structured logs: the event is a fixed snake_case word, the data are fields."""

import logging
import sys
from typing import Literal

import orjson
import structlog


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
            structlog.processors.format_exc_info,
            _renderer(style),
        ],
        logger_factory=_logger_factory(style),
    )
    structlog.contextvars.bind_contextvars(part=part)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)


def _renderer(style: str) -> structlog.typing.Processor:
    if style == "json":
        return structlog.processors.JSONRenderer(serializer=orjson.dumps, default=str)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


def _logger_factory(style: str) -> structlog.BytesLoggerFactory | structlog.PrintLoggerFactory:
    if style == "json":
        return structlog.BytesLoggerFactory(sys.stderr.buffer)
    return structlog.PrintLoggerFactory(sys.stderr)
