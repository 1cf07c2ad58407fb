"""A long-running job as clients see it."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field


class JobStatus(StrEnum):
    """The states of a job; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobRead(BaseModel):
    """Work that goes on after its request was answered."""

    id: UUID
    object: Literal["job"] = "job"
    kind: str = Field(examples=["segment_rebuild"])
    status: JobStatus
    done: int = Field(description="Units of work finished", examples=[1200])
    total: int | None = Field(description="Units of work in all; null while unknown")
    detail: dict[str, Any] = Field(description="Input and result of the job")
    error: str | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
