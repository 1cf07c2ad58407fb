"""`/v1/segments` and `/v1/segment-templates`."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Response, status

from services.segmentation.deps import SegmentServiceDep, TemplateServiceDep
from services.segmentation.segments.schemas import (
    JobStarted,
    SegmentCreate,
    SegmentPatch,
    SegmentRead,
    SegmentStatus,
    SegmentVersionRead,
    TemplateList,
)
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import PrincipalDep, requires, service_router

router = service_router(prefix="/v1/segments", tag="segments")
templates_router = service_router(prefix="/v1/segment-templates", tag="segments")

PageRequestDep = Annotated[PageRequest, Depends(page_request)]
IfMatchDep = Annotated[int | None, Depends(if_match)]
Include = Annotated[
    Literal["members_count"] | None,
    Query(description="`members_count`: count the members, exactly"),
]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="segments.create",
    dependencies=[requires("segments:write")],
)
async def create_segment(
    wanted: SegmentCreate,
    segments: SegmentServiceDep,
    principal: PrincipalDep,
    response: Response,
) -> SegmentRead:
    """Make a segment of a rule, or of a template with the shop's figures.

    A rule that asks about personal data (name, e-mail, phone, date of birth, age) needs `pii:read`.
    Everybody is evaluated in the background: `evaluation_job_id` is the job to follow. Changes of
    customers count from the first moment on.
    """
    created = await segments.create(wanted, principal=principal)
    response.headers["ETag"] = etag(created.version)
    response.headers["Location"] = f"/v1/segments/{created.id}"
    return created


@router.get("", operation_id="segments.list", dependencies=[requires("segments:read")])
async def list_segments(
    segments: SegmentServiceDep,
    paging: PageRequestDep,
    key: Annotated[str | None, Query(max_length=63, description="The segment of this key")] = None,
    status: SegmentStatus | None = None,
    include: Include = None,
) -> Page[SegmentRead]:
    """The shop's segments, oldest first."""
    return await segments.list_page(
        paging, key=key, status=status, with_members=include is not None
    )


@router.get("/{segment_id}", operation_id="segments.get", dependencies=[requires("segments:read")])
async def get_segment(
    segment_id: UUID, segments: SegmentServiceDep, response: Response, include: Include = None
) -> SegmentRead:
    """One segment. Its `ETag` names the version, for a later change."""
    found = await segments.get(segment_id, with_members=include is not None)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch(
    "/{segment_id}", operation_id="segments.update", dependencies=[requires("segments:write")]
)
async def update_segment(
    segment_id: UUID,
    wanted: SegmentPatch,
    segments: SegmentServiceDep,
    principal: PrincipalDep,
    response: Response,
    expected: IfMatchDep,
) -> SegmentRead:
    """Rename, pause or resume a segment, or give it another rule.

    Another rule is a new `rule_version`; the old one stays in `versions`. Everybody is evaluated
    by it in the background. Send `If-Match` to be sure that nobody else changed it meanwhile.
    """
    changed = await segments.change(
        segment_id, wanted, expected_version=expected, principal=principal
    )
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.delete(
    "/{segment_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="segments.delete",
    dependencies=[requires("segments:write")],
)
async def delete_segment(
    segment_id: UUID, segments: SegmentServiceDep, expected: IfMatchDep
) -> None:
    """Take a segment away. Its members leave in the background; its history stays."""
    await segments.delete(segment_id, expected_version=expected)


@router.get(
    "/{segment_id}/versions",
    operation_id="segments.listVersions",
    dependencies=[requires("segments:read")],
)
async def list_versions(
    segment_id: UUID, segments: SegmentServiceDep, paging: PageRequestDep
) -> Page[SegmentVersionRead]:
    """Every rule that the segment has or had, newest first."""
    return await segments.versions(segment_id, paging)


@router.post(
    "/{segment_id}/rebuilds",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="segments.rebuild",
    dependencies=[requires("segments:write")],
)
async def rebuild_segment(
    segment_id: UUID, segments: SegmentServiceDep, response: Response
) -> JobStarted:
    """Evaluate every customer anew for this segment; `Location` is the job to follow.

    Members are right without it. Only those move whom the list was wrong about.
    """
    job_id = await segments.rebuild(segment_id)
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return JobStarted(job_id=job_id)


@templates_router.get(
    "", operation_id="segmentTemplates.list", dependencies=[requires("segments:read")]
)
async def list_templates(templates: TemplateServiceDep) -> TemplateList:
    """Segments that most shops want, with the figures that each shop decides."""
    return TemplateList(data=await templates.list_all())
