"""The customer service's background process."""

from datetime import timedelta

from services.customer.appointments.tasks import AppointmentReminders, appointment_reminders
from services.customer.duplicate_scans.tasks import ScanSweeps, scan_sweeps
from services.customer.handlers import build_handlers
from services.customer.imports.forgetting import (
    ImportFiles,
    ImportForgetting,
    import_files_sweep,
    import_forgetting,
)
from services.customer.jobs import build_job_kinds
from services.customer.leads.forgetting import fingerprint_forgetting
from services.customer.loyalty.tasks import LoyaltySweeps, loyalty_sweeps
from services.customer.privacy.forgetting import collection_forgetting
from services.customer.privacy.tasks import PrivacyReminders, privacy_reminders
from services.customer.privacy.wiring import customer_privacy
from services.customer.quality.tasks import QualitySweep, quality_sweeps
from services.customer.retention.tasks import RetentionNights, retention_nights
from services.customer.reviews.forgetting import review_forgetting
from services.customer.settings import CustomerSettings
from services.customer.snapshots.tasks import SnapshotWalker, snapshot_jobs, snapshot_sweep
from services.customer.tasks.tasks import TaskReminders, task_reminders
from shared.clock import Clock
from shared.part.context import build_context
from shared.part.worker import build_part_worker
from shared.queue.worker import PartWorker


def build_worker(settings: CustomerSettings, *, clock: Clock | None = None) -> PartWorker:
    """The worker of one process: takes in events, tells its own, walks snapshots, reminds."""
    context = build_context(settings, clock)
    walker = SnapshotWalker(context)
    kinds = build_job_kinds(context)
    return build_part_worker(
        context,
        handlers=build_handlers(context),
        jobs=snapshot_jobs(walker),
        periodics=[
            snapshot_sweep(walker),
            *loyalty_sweeps(LoyaltySweeps(context.units)),
            task_reminders(TaskReminders(context.units)),
            appointment_reminders(AppointmentReminders(context.units)),
            import_files_sweep(ImportFiles(context.units)),
            import_forgetting(
                ImportForgetting(context.units, kept=timedelta(days=settings.import_undo_days))
            ),
            privacy_reminders(PrivacyReminders(context.units)),
            collection_forgetting(context.units),
            review_forgetting(context.units),
            fingerprint_forgetting(context.units),
            *scan_sweeps(ScanSweeps(context.units, kinds)),
            *quality_sweeps(QualitySweep(context.units, kinds)),
            retention_nights(RetentionNights(context.units, kinds)),
        ],
        job_kinds=kinds,
        privacy=customer_privacy(settings.root_key),
    )
