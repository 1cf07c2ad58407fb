"""OpenTelemetry tracing: on when an OTLP endpoint is configured, free of cost when it is not.

Each part is a service of its own in the traces, also when several run in one process. What part of
all requests is traced is OpenTelemetry's business: `OTEL_TRACES_SAMPLER` and its argument.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind
from opentelemetry.util.types import AttributeValue

TRACE_PARENT = "traceparent"
_SAMPLED = "-01"
_providers: dict[str, TracerProvider] = {}
_processors: dict[str, BatchSpanProcessor] = {}


def configure_tracing(*, part: str, endpoint: str | None) -> None:
    """Export a part's spans to `endpoint` (OTLP over HTTP); do nothing without one, or again."""
    if endpoint is None or part in _providers:
        return
    if endpoint not in _processors:
        _processors[endpoint] = BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint))
    provider = TracerProvider(resource=Resource.create({"service.name": f"careloop-{part}"}))
    provider.add_span_processor(_processors[endpoint])
    _providers[part] = provider


def tracing_enabled() -> bool:
    """Whether spans go anywhere, so that hot paths can skip making them."""
    return bool(_providers)


def current_trace() -> dict[str, str]:
    """The W3C trace context to send along with an event or a job; empty when nothing is traced."""
    carrier: dict[str, str] = {}
    if _providers and trace.get_current_span().get_span_context().is_valid:
        propagate.inject(carrier)
    return carrier


def current_trace_parent() -> str | None:
    """The trace context in one text, to be kept with work that is done later."""
    return current_trace().get(TRACE_PARENT)


def is_traced(carrier: Mapping[str, str]) -> bool:
    """Whether a carrier made by `current_trace` names a trace that is recorded."""
    return bool(_providers) and carrier.get(TRACE_PARENT, "").endswith(_SAMPLED)


def parent_of(carrier: Mapping[str, str]) -> Context:
    """The context that a carrier made by `current_trace` names."""
    return propagate.extract(carrier)


@contextmanager
def spanning(
    part: str,
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: Mapping[str, str] | None = None,
    attributes: Mapping[str, AttributeValue] | None = None,
) -> Iterator[Span]:
    """A span of `part` around the block: below `parent`, else below the span that is open.

    An exception that passes is written down by its type alone: its text may hold what a trace
    must not.
    """
    provider = _providers.get(part)
    if provider is None:
        yield trace.INVALID_SPAN
        return
    context = parent_of(parent) if parent is not None else None
    with provider.get_tracer("careloop").start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise
