"""What became of deliveries, counted."""

from prometheus_client import Counter

DELIVERIES_READ = Counter(
    "careloop_deliveries_read_total", "Webhook deliveries read", ["platform", "status"]
)
