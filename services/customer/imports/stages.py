"""What the jobs are called that work on imports, for which import they do, and for whom."""

from typing import Any, Final
from uuid import UUID

from services.customer.imports.outcomes import without_samples
from services.customer.imports.repository import Import
from shared.audit.trail import Actor
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.work import HeldJob

READING: Final = "customer_import_reading"
DRY_RUN: Final = "customer_import_dry_run"
RUN: Final = "customer_import"
UNDO: Final = "customer_import_undo"

AT_WORK: Final = frozenset({"reading", "checking", "running", "undoing"})
"""A job is at the import."""
_WAITING: Final = frozenset({"uploading", "ready"})


def given_up(found: Import) -> dict[str, Any]:
    """What an import is whose file and rows are gone, before or after it was run.

    Of one that never was, what had been shown of its rows is gone with them.
    """
    status = "cancelled" if found.status in _WAITING else found.status
    gone = {"files_expire_at": None, "received_bytes": 0, "chunks": 0, "status": status}
    return gone if found.run is not None else {**without_samples(found), **gone}


def import_id(job: HeldJob) -> UUID:
    """The import that a job works on."""
    return UUID(job.detail["import_id"])


def act_for(uow: UnitOfWork, found: Import, *, action: str) -> None:
    """What is done is done for whoever began the import."""
    uow.act_for(Actor(found.started_by["kind"], found.started_by["id"], action))
