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


ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)
ENDED = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)
Transition = Literal["cancel", "retry"]
FileName = Literal["result", "errors"]


class JobFileRead(BaseModel):
    """A file that a job has written."""

    url: str = Field(examples=["/v1/jobs/0199f7c4-5b1e-7c3a-9d57-2f6b1c0a4e11/result"])
    file_name: str = Field(examples=["customers.csv"])
    media_type: str = Field(examples=["text/csv; charset=utf-8"])
    rows: int
    bytes: int
    expires_at: datetime | None = Field(description="When it is deleted; null while it is written")


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
    attempts: int = Field(0, description="Tries since it last went further")
    allowed_transitions: list[Transition] = Field(
        default_factory=list, description="What may be asked of it now"
    )
    result: JobFileRead | None = None
    errors: JobFileRead | None = Field(None, description="The rows that could not be dealt with")
    cancel_requested_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    version: int = 1
