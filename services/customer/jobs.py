"""The long-running jobs of the customer service."""

from services.customer.duplicate_scans.tasks import DuplicateScanJob
from services.customer.exports.tasks import CustomerExport
from services.customer.fields.tasks import CustomFieldRebuild
from services.customer.imports.tasks import (
    ImportDryRun,
    ImportReadingJob,
    ImportRun,
    ImportUndo,
)
from services.customer.privacy.tasks import PersonalDataExport
from services.customer.provenance.tasks import PriorityApplication
from services.customer.quality.tasks import QualityReview
from services.customer.reassignments.tasks import CustomerReassignment
from services.customer.settings import CustomerSettings
from services.customer.tenants.shops import Shops
from shared.jobs.runner import job_function
from shared.jobs.work import JobKind, JobKinds
from shared.part.context import PartContext
from shared.queue.producer import Waker


def build_job_kinds(context: PartContext[CustomerSettings], waker: Waker | None = None) -> JobKinds:
    """The kinds, for the API and the worker alike."""
    settings = context.settings
    waker = waker or Waker(context.queue, part=settings.part, function=job_function(settings.part))
    export = CustomerExport(schema=settings.part, page_size=settings.export_page)
    reassignment = CustomerReassignment(page_size=settings.reassignment_page)
    personal_data = PersonalDataExport(schema=settings.part)
    rebuild = CustomFieldRebuild(page_size=settings.field_rebuild_page)
    priority = PriorityApplication(page_size=settings.priority_page)
    duplicates = DuplicateScanJob(page_size=settings.duplicate_scan_page)
    quality = QualityReview(page_size=settings.quality_page)
    kinds = [export, reassignment, personal_data, rebuild, priority, duplicates, quality]
    return JobKinds([*kinds, *_imports(context)], wake=waker.wake)


def _imports(context: PartContext[CustomerSettings]) -> list[JobKind]:
    settings, shops = context.settings, Shops()
    return [
        ImportReadingJob(chunk=settings.import_chunk, shops=shops),
        ImportDryRun(schema=settings.part, codes=context.codes, shops=shops),
        ImportRun(schema=settings.part, codes=context.codes, shops=shops),
        ImportUndo(schema=settings.part, page=settings.import_chunk),
    ]
