"""What the customer service needs to know of its installation."""

from typing import Annotated, ClassVar

from pydantic import Field

from shared.settings import PartSettings

Thresholds = tuple[
    Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]
]


class CustomerSettings(PartSettings):
    """Settings of the customer service, API and worker alike.

    `value_thresholds` says, per currency and in its major units, how much a customer has spent to
    count as silver, gold and vip. A new shop starts with them and keeps its own afterwards. Of
    files that were sent and not taken in a shop may have `import_waiting_files` with together
    `import_waiting_bytes` at a time. An import can be taken back for `import_undo_days` after
    something was last done with it.
    """

    part: ClassVar[str] = "customer"

    own_database_url: str | None = Field(default=None, validation_alias="CUSTOMER_DATABASE_URL")
    value_thresholds: dict[str, Thresholds] = Field(
        default={"VND": (5_000_000, 20_000_000, 50_000_000)},
        validation_alias="CUSTOMER_VALUE_THRESHOLDS",
    )
    other_value_thresholds: Thresholds = Field(
        default=(200, 800, 2_000), validation_alias="CUSTOMER_OTHER_VALUE_THRESHOLDS"
    )
    snapshot_batch: int = Field(default=500, ge=1, le=2000)
    export_page: int = Field(default=1000, ge=1, le=2000)
    import_chunk: int = Field(default=2000, ge=1, le=2000)
    field_rebuild_page: int = Field(default=1000, ge=1, le=5000)
    priority_page: int = Field(default=500, ge=1, le=2000)
    duplicate_scan_page: int = Field(default=1000, ge=1, le=5000)
    quality_page: int = Field(default=500, ge=1, le=2000)
    retention_page: int = Field(default=200, ge=1, le=1000)
    import_waiting_files: int = Field(default=100, ge=1, le=10_000)
    import_waiting_bytes: int = Field(default=1024 * 1024 * 1024, ge=256 * 1024 * 1024)
    import_undo_days: int = Field(default=90, ge=30, le=3650)
    reassignment_page: int = Field(default=200, ge=1, le=1000)

    def value_thresholds_of(self, currency: str) -> Thresholds:
        """Silver, gold and vip in major units of a currency."""
        return self.value_thresholds.get(currency, self.other_value_thresholds)
