"""Prometheus metrics that every part exposes at `/metrics`."""

from prometheus_client import Counter, Gauge, Histogram

HTTP_REQUESTS = Counter(
    "careloop_http_requests_total", "Requests answered", ["part", "method", "route", "status"]
)
HTTP_SECONDS = Histogram(
    "careloop_http_request_seconds",
    "Time from first byte in to last byte out",
    ["part", "method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EVENTS_RELAYED = Counter(
    "careloop_events_relayed_total", "Events handed to a subscriber's queue", ["source", "consumer"]
)
EVENTS_APPLIED = Counter(
    "careloop_events_applied_total", "Events applied by a consumer", ["consumer", "source"]
)
DEAD_LETTERS = Counter(
    "careloop_dead_letters_total", "Events set aside after their last try", ["consumer", "source"]
)
STREAM_RESENDS = Counter(
    "careloop_stream_resends_total", "Go-backs to the last acknowledged position", ["source"]
)
STREAM_LAG = Gauge(
    "careloop_stream_lag_seconds", "Age of the event applied last", ["consumer", "source"]
)
