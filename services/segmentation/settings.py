"""What the segmentation service needs to know of its installation."""

from typing import ClassVar

from pydantic import Field

from shared.settings import PartSettings


class SegmentationSettings(PartSettings):
    """Settings of the segmentation service, API and worker alike.

    Every `flip_seconds` the worker looks for customers whom time alone has moved. Work over a
    whole shop goes on in steps of `step_size` customers, each a transaction of its own.
    """

    part: ClassVar[str] = "segmentation"

    own_database_url: str | None = Field(default=None, validation_alias="SEGMENTATION_DATABASE_URL")
    flip_seconds: float = Field(default=5, gt=0, le=60)
    step_size: int = Field(default=2000, ge=1, le=20_000)
