"""Exports as clients ask for them."""

from typing import Final, Literal

from pydantic import Field

from services.customer.customers.record import Stage
from services.customer.customers.schemas import Source, Tag
from shared.bodies import Body
from shared.moments import Instant

KIND: Final = "customer_export"
"""What the jobs are called that write exports of customers."""

ExportFormat = Literal["csv", "ndjson"]


class ExportFilter(Body):
    """Which customers; all that are given must hold."""

    stage: Stage | None = None
    source: Source | None = None
    tag: Tag | None = None
    created_from: Instant | None = None
    created_until: Instant | None = Field(None, description="Not included")


class ExportCreate(Body):
    """What to write into a file."""

    resource: Literal["customers"] = "customers"
    format: ExportFormat = "csv"
    filter: ExportFilter = Field(default_factory=ExportFilter)
