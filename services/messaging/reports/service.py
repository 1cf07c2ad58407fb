"""This service's figures of the care loop."""

from typing import Final, get_args

from services.messaging.messages.records import Origin
from services.messaging.reports.repository import ReportRepository

_FINAL: Final = ("sent", "suppressed", "failed", "unknown", "cancelled")


class ReportService:
    """Adds up what has been planned and what became of it."""

    def __init__(self, *, reports: ReportRepository) -> None:
        self._reports = reports

    async def care_loop_counts(self) -> dict[str, int]:
        """Flat counts. `messages_planned` is the sum of the final states and `_in_flight`."""
        counts = {f"messages_{name}": 0 for name in ("planned", *_FINAL, "in_flight")}
        counts |= {f"messages_from_{origin}": 0 for origin in get_args(Origin)}
        counts |= {f"messages_sent_from_{origin}": 0 for origin in get_args(Origin)}
        for origin, status, messages in await self._reports.messages():
            counts["messages_planned"] += messages
            counts[f"messages_{status if status in _FINAL else 'in_flight'}"] += messages
            counts[f"messages_from_{origin}"] += messages
            if status == "sent":
                counts[f"messages_sent_from_{origin}"] += messages
        others = await self._reports.others()
        counts["inbound_messages"] = others.inbound_messages
        counts["unsubscribed"] = others.unsubscribed
        return counts
