"""Deliveries as clients read them."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Row

from gateway.platforms.told import ObjectKind


class DeliveryStatus(StrEnum):
    """What became of a delivery.

    `fetching` while the platform is asked for what the delivery only names.
    """

    FETCHING = "fetching"
    PENDING = "pending"
    PROCESSED = "processed"
    IGNORED = "ignored"
    FAILED = "failed"


class DeliveryRead(BaseModel):
    """A webhook that was received. Its body is kept for a while and not shown."""

    id: UUID
    object: Literal["delivery"] = "delivery"
    connection_id: UUID
    topic: str = Field(examples=["orders/create"])
    status: DeliveryStatus
    reason: str | None = Field(
        description="Why it was ignored or failed", examples=["topic_not_used"]
    )
    attempts: int
    size: int = Field(description="Bytes")
    object_kind: ObjectKind | None = Field(description="What it told of")
    object_id: str | None = Field(description="As the platform names it")
    triggered_at: datetime | None
    received_at: datetime
    processed_at: datetime | None
    forgotten_at: datetime | None = Field(
        description="Since when its body is not kept any more; it cannot be replayed"
    )

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The delivery of a row."""
        return cls.model_validate({name: row._mapping[name] for name in DELIVERY_COLUMNS})


DELIVERY_COLUMNS = tuple(name for name in DeliveryRead.model_fields if name != "object")
