"""The long-running jobs of the customer service."""

from services.customer.duplicate_scans.tasks import DuplicateScanJob
from services.customer.erased.identities import IdentityDigests
from services.customer.exports.tasks import CustomerExport
from services.customer.fields.tasks import CustomFieldRebuild
from services.customer.imports.portions import Portions
from services.customer.imports.reading_job import ImportReadingJob
from services.customer.imports.tasks import ImportDryRun, ImportRun
from services.customer.imports.undo_job import ImportUndo
from services.customer.privacy.tasks import PersonalDataExport, PlatformForgetting
from services.customer.provenance.tasks import PriorityApplication
from services.customer.quality.tasks import QualityReview
from services.customer.reassignments.tasks import CustomerReassignment, ReassignmentUndo
from services.customer.retention.tasks import RetentionRunJob
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
    giving_back = ReassignmentUndo(page_size=settings.reassignment_page)
    personal_data = PersonalDataExport(schema=settings.part)
    forgetting = PlatformForgetting(root=settings.root_key, shops=Shops())
    rebuild = CustomFieldRebuild(page_size=settings.field_rebuild_page)
    priority = PriorityApplication(page_size=settings.priority_page)
    duplicates = DuplicateScanJob(page_size=settings.duplicate_scan_page)
    quality = QualityReview(page_size=settings.quality_page)
    retention = RetentionRunJob(
        schema=settings.part,
        root=settings.root_key,
        shops=Shops(),
        page_size=settings.retention_page,
    )
    of_customers = [export, rebuild, priority, duplicates, quality, *_imports(context)]
    of_staff = [reassignment, giving_back]
    of_privacy = [personal_data, forgetting, retention]
    return JobKinds([*of_customers, *of_staff, *of_privacy], wake=waker.wake)


def _imports(context: PartContext[CustomerSettings]) -> list[JobKind]:
    settings, shops = context.settings, Shops()
    digests = IdentityDigests(settings.root_key)
    portions = Portions(schema=settings.part, codes=context.codes, shops=shops, digests=digests)
    return [
        ImportReadingJob(chunk=settings.import_chunk, shops=shops),
        ImportDryRun(portions),
        ImportRun(portions),
        ImportUndo(schema=settings.part, page=settings.import_chunk),
    ]
