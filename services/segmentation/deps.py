"""How endpoints get their collaborators."""

from typing import Annotated, cast

from fastapi import Depends, Request

from services.segmentation.membership.explanations import ExplanationService
from services.segmentation.membership.members import MemberService
from services.segmentation.membership.preview import PreviewService
from services.segmentation.rebuilds.service import RebuildService
from services.segmentation.reports.repository import ReportRepository
from services.segmentation.segments.service import SegmentService
from services.segmentation.segments.template_service import TemplateService
from services.segmentation.wiring import Wiring
from shared.web.routing import UnitOfWorkDep


async def wiring_of(request: Request) -> Wiring:
    """What this process made once."""
    return cast("Wiring", request.app.state.wiring)


WiringDep = Annotated[Wiring, Depends(wiring_of)]


async def segment_service(uow: UnitOfWorkDep, wiring: WiringDep) -> SegmentService:
    """The segments of the caller's tenant."""
    return wiring.segments(uow)


async def template_service(uow: UnitOfWorkDep, wiring: WiringDep) -> TemplateService:
    """The templates, in the caller's money."""
    return wiring.templates(uow)


async def preview_service(uow: UnitOfWorkDep, wiring: WiringDep) -> PreviewService:
    """Rules to try on the caller's customers."""
    return wiring.previews(uow)


async def member_service(uow: UnitOfWorkDep, wiring: WiringDep) -> MemberService:
    """The members of the caller's segments."""
    return wiring.members(uow)


async def explanation_service(uow: UnitOfWorkDep, wiring: WiringDep) -> ExplanationService:
    """The reasons why the caller's customers belong or not."""
    return wiring.explanations(uow)


async def rebuild_service(uow: UnitOfWorkDep, wiring: WiringDep) -> RebuildService:
    """Rebuilds of the caller's projection."""
    return wiring.rebuilds(uow)


async def report_repository(uow: UnitOfWorkDep) -> ReportRepository:
    """The figures of the caller's tenant."""
    return ReportRepository(uow)


SegmentServiceDep = Annotated[SegmentService, Depends(segment_service)]
TemplateServiceDep = Annotated[TemplateService, Depends(template_service)]
PreviewServiceDep = Annotated[PreviewService, Depends(preview_service)]
MemberServiceDep = Annotated[MemberService, Depends(member_service)]
ExplanationServiceDep = Annotated[ExplanationService, Depends(explanation_service)]
RebuildServiceDep = Annotated[RebuildService, Depends(rebuild_service)]
ReportRepositoryDep = Annotated[ReportRepository, Depends(report_repository)]
