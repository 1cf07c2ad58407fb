"""What the jobs are called that work on imports."""

from typing import Final

READING: Final = "customer_import_reading"
DRY_RUN: Final = "customer_import_dry_run"
RUN: Final = "customer_import"
UNDO: Final = "customer_import_undo"
