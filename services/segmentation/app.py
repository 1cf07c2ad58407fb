"""The segmentation service's API."""

from fastapi import FastAPI

from services.segmentation.membership.endpoints import memberships_router
from services.segmentation.membership.endpoints import router as members_router
from services.segmentation.rebuilds.endpoints import router as rebuilds_router
from services.segmentation.reports.endpoints import router as reports_router
from services.segmentation.segments.endpoints import router as segments_router
from services.segmentation.segments.endpoints import templates_router
from services.segmentation.settings import SegmentationSettings
from services.segmentation.wiring import Wiring
from shared.clock import Clock
from shared.part.app import create_part_app
from shared.part.context import build_context


def create_app(settings: SegmentationSettings, *, clock: Clock | None = None) -> FastAPI:
    """The application of one API process."""
    context = build_context(settings, clock)
    wiring = Wiring.of(context)
    app = create_part_app(
        context,
        title="Careloop segmentation",
        description="Which customers belong together, by rules that a shop decides.",
        routers=[
            segments_router,
            members_router,
            memberships_router,
            templates_router,
            rebuilds_router,
            reports_router,
        ],
        close=[wiring.waker.drain],
        job_kinds=wiring.job_kinds(),
    )
    app.state.wiring = wiring
    return app
