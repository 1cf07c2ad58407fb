"""Events of one trace are applied under a span of it, so that what follows from them joins it."""

from collections.abc import Sequence
from itertools import groupby

from opentelemetry.trace import SpanKind

from shared.db.unit_of_work import UnitOfWork
from shared.observability.tracing import TRACE_PARENT, is_traced, spanning, tracing_enabled
from shared.stream.envelope import Envelope
from shared.stream.handlers import Applies


async def apply_traced(
    handlers: Applies, uow: UnitOfWork, events: Sequence[Envelope], *, consumer: str
) -> None:
    """Apply `events` in order.

    Consecutive events of one recorded trace go together; all others as one run, as without traces.
    So a sample of traced requests costs nothing to those that are not in it.
    """
    if not tracing_enabled():
        await handlers(uow, events)
        return
    for trace_parent, run in groupby(events, key=_trace_parent):
        following = list(run)
        if trace_parent is None:
            await handlers(uow, following)
            continue
        source, kinds = following[0].source, sorted({event.type for event in following})
        with spanning(
            consumer,
            f"apply {', '.join(kinds)}",
            kind=SpanKind.CONSUMER,
            parent={TRACE_PARENT: trace_parent},
            attributes={
                "messaging.system": "careloop",
                "messaging.destination.name": source,
                "messaging.batch.message_count": len(following),
            },
        ):
            await handlers(uow, following)


def _trace_parent(event: Envelope) -> str | None:
    return event.context[TRACE_PARENT] if is_traced(event.context) else None
