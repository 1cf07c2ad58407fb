"""Hearing what a module logs."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture


@contextmanager
def logs_of(module: ModuleType) -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged by `module`'s own `_log` meanwhile.

    `structlog.testing.capture_logs` hears nothing of a logger that was used before, when loggers
    are kept as they were configured then.
    """
    capture = LogCapture()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_log", structlog.wrap_logger(None, processors=[capture]))
        yield capture.entries
