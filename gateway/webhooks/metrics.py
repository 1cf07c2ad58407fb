"""What became of requests to receivers, counted."""

from prometheus_client import Counter, Histogram

ATTEMPTS = Counter("careloop_webhook_attempts_total", "Requests to webhook endpoints", ["outcome"])
SECONDS = Histogram(
    "careloop_webhook_attempt_seconds",
    "Time until a webhook endpoint has answered",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
