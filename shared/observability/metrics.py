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
DEAD_LETTERS_OPEN = Gauge(
    "careloop_dead_letters_open", "Events set aside and not replayed", ["consumer"]
)
OUTBOX_OLDEST = Gauge(
    "careloop_outbox_oldest_seconds", "Age of the oldest event that has no position yet", ["part"]
)
STREAM_BACKLOG = Gauge(
    "careloop_stream_backlog_events",
    "Events numbered by the source and not acknowledged by the consumer",
    ["source", "consumer"],
)
STREAM_SILENCE = Gauge(
    "careloop_stream_silence_seconds",
    "Longest time that a consumer with a backlog has said nothing",
    ["source", "consumer"],
)
QUEUE_JOBS = Gauge("careloop_queue_jobs", "Jobs in a part's queue", ["part"])
QUEUE_OLDEST = Gauge(
    "careloop_queue_oldest_job_seconds", "How long the first job of the queue is overdue", ["part"]
)
REDIS_UP = Gauge("careloop_redis_up", "1 when Redis answered last time it was asked", ["part"])
MEASURED_AT = Gauge(
    "careloop_measured_timestamp_seconds", "When a worker looked at its backlogs last", ["part"]
)
WORKER_JOB_SECONDS = Histogram(
    "careloop_worker_job_seconds",
    "Time that a job of the queue took",
    ["part", "function", "outcome"],
    buckets=(0.005, 0.025, 0.1, 0.5, 2.5, 10, 30, 60),
)
PERIODIC_FAILURES = Counter(
    "careloop_periodic_failures_total", "Rounds of a sweep that failed", ["part", "periodic"]
)
JOB_STEPS = Counter(
    "careloop_job_steps_total", "Steps of long-running jobs", ["part", "kind", "outcome"]
)
