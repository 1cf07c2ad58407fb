"""What a process makes once, and how a unit of work's collaborators are put together."""

from dataclasses import dataclass

from services.segmentation.facts.repository import FactRepository
from services.segmentation.membership.explanations import ExplanationService
from services.segmentation.membership.members import MemberService
from services.segmentation.membership.preview import PreviewService
from services.segmentation.membership.queries import MembershipQueries
from services.segmentation.membership.repository import MembershipRepository
from services.segmentation.membership.service import MembershipService
from services.segmentation.rebuilds.repository import RebuildRepository
from services.segmentation.rebuilds.service import RebuildService
from services.segmentation.rebuilds.steps import Steps
from services.segmentation.rebuilds.tasks import EvaluationJob, RebuildJob, RemovalJob
from services.segmentation.runs.repository import RunRepository
from services.segmentation.segments.active import ActiveSegments
from services.segmentation.segments.repository import SegmentRepository
from services.segmentation.segments.service import SegmentService
from services.segmentation.segments.template_service import TemplateService
from services.segmentation.settings import SegmentationSettings
from services.segmentation.tenants.repository import ShopRepository
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.runner import job_function
from shared.jobs.work import JobKinds
from shared.part.context import PartContext
from shared.queue.producer import Waker


@dataclass(frozen=True, slots=True)
class Wiring:
    """The collaborators that all units of work of a process share."""

    context: PartContext[SegmentationSettings]
    active: ActiveSegments
    waker: Waker

    @classmethod
    def of(cls, context: PartContext[SegmentationSettings]) -> "Wiring":
        """The wiring of a process."""
        settings = context.settings
        waker = Waker(context.queue, part=settings.part, function=job_function(settings.part))
        return cls(context, ActiveSegments(), waker)

    def runs(self, uow: UnitOfWork) -> RunRepository:
        """Work over the whole shop."""
        return RunRepository(uow, wake=self.waker.wake)

    def memberships(self, uow: UnitOfWork) -> MembershipService:
        """Who enters and leaves."""
        return MembershipService(uow=uow, memberships=MembershipRepository(uow), active=self.active)

    def segments(self, uow: UnitOfWork) -> SegmentService:
        """What a shop can do with its segments."""
        return SegmentService(
            segments=SegmentRepository(uow),
            shops=ShopRepository(uow),
            runs=self.runs(uow),
            count_members=MembershipQueries(uow).count_by_segment,
        )

    def templates(self, uow: UnitOfWork) -> TemplateService:
        """What segments can be made of."""
        return TemplateService(shops=ShopRepository(uow))

    def members(self, uow: UnitOfWork) -> MemberService:
        """Who belongs, and who did."""
        return MemberService(segments=SegmentRepository(uow), memberships=MembershipQueries(uow))

    def previews(self, uow: UnitOfWork) -> PreviewService:
        """Rules that are only tried."""
        return PreviewService(uow=uow, shops=ShopRepository(uow))

    def explanations(self, uow: UnitOfWork) -> ExplanationService:
        """Why somebody belongs or not."""
        return ExplanationService(
            uow=uow,
            shops=ShopRepository(uow),
            segments=SegmentRepository(uow),
            memberships=MembershipQueries(uow),
        )

    def rebuilds(self, uow: UnitOfWork) -> RebuildService:
        """Rebuilds of the projection."""
        return RebuildService(
            shops=ShopRepository(uow),
            runs=self.runs(uow),
            memberships=MembershipRepository(uow),
            rebuilds=RebuildRepository(uow),
        )

    def job_kinds(self) -> JobKinds:
        """The jobs that clients follow."""
        runs, steps = self.runs, self.steps
        kinds = (
            EvaluationJob(runs=runs, steps=steps, segments=self.segments),
            RemovalJob(runs=runs, steps=steps),
            RebuildJob(runs=runs, steps=steps, rebuilds=self.rebuilds),
        )
        return JobKinds(kinds, wake=self.waker.wake)

    def steps(self, uow: UnitOfWork) -> Steps:
        """The steps of work over the whole shop."""
        return Steps(
            uow=uow,
            runs=self.runs(uow),
            shops=ShopRepository(uow),
            segments=SegmentRepository(uow),
            facts=FactRepository(uow),
            memberships=MembershipRepository(uow),
            membership_service=self.memberships(uow),
            rebuilds=RebuildRepository(uow),
            active=self.active,
            size=self.context.settings.step_size,
        )
