"""`/v1/segmentation-rebuilds`."""

from fastapi import Response, status

from services.segmentation.deps import RebuildServiceDep
from services.segmentation.segments.schemas import JobStarted
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/segmentation-rebuilds", tag="segments")


@router.post(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="segmentationRebuilds.create",
    dependencies=[requires("segments:write")],
)
async def start_rebuild(rebuilds: RebuildServiceDep, response: Response) -> JobStarted:
    """Forget all customers and orders that segments look at, and have them told again.

    For repair: members are right without it. Until it is done nobody enters or leaves; at the end
    only those move whose membership was wrong. While a rebuild is under way, this answers with it.
    Facts of tickets and messages stay as they are.
    """
    job_id = await rebuilds.start()
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return JobStarted(job_id=job_id)
