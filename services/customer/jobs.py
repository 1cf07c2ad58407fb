"""The long-running jobs of the customer service."""

from services.customer.duplicate_scans.tasks import DuplicateScanJob
from services.customer.exports.tasks import CustomerExport
from services.customer.quality.tasks import QualityReview
from services.customer.reassignments.tasks import CustomerReassignment
from services.customer.settings import CustomerSettings
from shared.jobs.runner import job_function
from shared.jobs.work import JobKinds
from shared.part.context import PartContext
from shared.queue.producer import Waker


def build_job_kinds(context: PartContext[CustomerSettings], waker: Waker | None = None) -> JobKinds:
    """The kinds, for the API and the worker alike."""
    settings = context.settings
    waker = waker or Waker(context.queue, part=settings.part, function=job_function(settings.part))
    export = CustomerExport(schema=settings.part, page_size=settings.export_page)
    reassignment = CustomerReassignment(page_size=settings.reassignment_page)
    duplicates = DuplicateScanJob(page_size=settings.duplicate_scan_page)
    quality = QualityReview(page_size=settings.quality_page)
    return JobKinds([export, reassignment, duplicates, quality], wake=waker.wake)
