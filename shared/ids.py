"""Identifiers: UUIDv7, so that rows written together lie together in every index."""

from datetime import datetime
from typing import NewType
from uuid import UUID

from uuid_utils import uuid7

TenantId = NewType("TenantId", UUID)


def new_id() -> UUID:
    """A UUIDv7; within one process each is greater than the one before."""
    return UUID(int=uuid7().int)


def first_id_at(instant: datetime) -> UUID:
    """The least UUIDv7 of a millisecond; what is made from then on is not less."""
    milliseconds = int(instant.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)
