"""OpenTelemetry tracing: on when an OTLP endpoint is configured, free of cost when it is not."""

from collections.abc import Mapping

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def configure_tracing(*, part: str, endpoint: str | None) -> None:
    """Export this process's spans to `endpoint` (OTLP over HTTP); do nothing without one."""
    if endpoint is None:
        return
    provider = TracerProvider(resource=Resource.create({"service.name": f"careloop-{part}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)


def current_trace() -> dict[str, str]:
    """The W3C trace context to send along with an event or a job; empty when nothing is traced."""
    carrier: dict[str, str] = {}
    if trace.get_current_span().get_span_context().is_valid:
        propagate.inject(carrier)
    return carrier


def tracing_enabled() -> bool:
    """Whether spans go anywhere, so that hot paths can skip making them."""
    return isinstance(trace.get_tracer_provider(), TracerProvider)


def parent_of(carrier: Mapping[str, str]) -> Context:
    """The context that a carrier made by `current_trace` names."""
    return propagate.extract(carrier)
