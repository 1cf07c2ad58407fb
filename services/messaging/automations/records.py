"""Automations as this service reads them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy import Row

from services.messaging.policies.records import Channel, Promotional

AutomationStatus = Literal["active", "paused"]
Trigger = Literal["segment_entered"]
Occurrence = Literal["once", "every_entry"]


@dataclass(frozen=True, slots=True)
class Automation:
    """What is sent by itself when a customer enters a segment.

    Unless it `names_channel`, each customer's preferred one goes before `channel`.
    """

    id: UUID
    version: int
    key: str
    name: str
    status: AutomationStatus
    trigger: Trigger
    segment_key: str
    template_key: str
    message_class: Promotional
    channel: Channel
    names_channel: bool
    occurrence: Occurrence
    delay_minutes: int
    cancel_on_exit: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """An automation from its row."""
        return cls(**{name: getattr(row, name) for name in cls.__slots__})
