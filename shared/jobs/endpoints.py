"""`/v1/jobs`: the same in every part; the gateway asks the part that has the job."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from shared.audit.trail import AuditEntry
from shared.contracts.audit import AuditSubject
from shared.db.paging import PageRequest
from shared.jobs.files import file_parts
from shared.jobs.schemas import ENDED, FileName, JobRead, JobStatus
from shared.jobs.service import JobService
from shared.jobs.watching import event_id, job_events
from shared.jobs.work import JobKinds
from shared.web.context import context_of
from shared.web.draining import Draining, current_draining
from shared.web.resources import Page, page_request
from shared.web.routing import (
    PrincipalDep,
    UnitOfWorkDep,
    current_unit_of_work,
    requires,
    service_router,
)
from shared.web.sse import (
    OpenStreams,
    event_stream,
    last_event_id,
    open_streams,
    stream_responses,
)

router = service_router(prefix="/v1/jobs", tag="jobs")
_TEXT: Final[dict[str, Any]] = {"schema": {"type": "string"}}
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file",
        "content": {"text/csv": _TEXT, "application/x-ndjson": _TEXT},
    }
}


async def job_kinds(request: Request) -> JobKinds:
    """The kinds of jobs that this part runs."""
    kinds: JobKinds = request.app.state.job_kinds
    return kinds


async def job_service(
    uow: UnitOfWorkDep, request: Request, kinds: Annotated[JobKinds, Depends(job_kinds)]
) -> JobService:
    """The jobs of the caller's tenant."""
    return JobService(uow, schema=context_of(request).units.schema, kinds=kinds)


async def wanted_statuses(
    status: Annotated[
        str | None,
        Query(
            pattern=f"^({'|'.join(JobStatus)})(,({'|'.join(JobStatus)}))*$",
            max_length=60,
            description="One status, or several with commas between",
            examples=["queued,running"],
        ),
    ] = None,
) -> list[str]:
    """The statuses that a caller wants to see; none means all."""
    return status.split(",") if status else []


JobServiceDep = Annotated[JobService, Depends(job_service)]


@router.get("", operation_id="jobs.list", dependencies=[requires("jobs:read")])
async def list_jobs(
    jobs: JobServiceDep,
    page: Annotated[PageRequest, Depends(page_request)],
    statuses: Annotated[list[str], Depends(wanted_statuses)],
    kind: Annotated[str | None, Query(max_length=100, description="Only jobs of this kind")] = None,
) -> Page[JobRead]:
    """List long-running jobs, the newest first, whichever service runs them."""
    return await jobs.list_page(page, statuses=statuses, kind=kind)


@router.get("/{job_id}", operation_id="jobs.get", dependencies=[requires("jobs:read")])
async def get_job(job_id: UUID, jobs: JobServiceDep) -> JobRead:
    """How a long-running job stands. Poll it, or follow `/v1/jobs/{id}/events`."""
    return await jobs.get(job_id)


@router.post("/{job_id}/cancel", operation_id="jobs.cancel", dependencies=[requires("jobs:write")])
async def cancel_job(job_id: UUID, jobs: JobServiceDep) -> JobRead:
    """Stop a job that waits or runs. It ends as `cancelled` after the batch it is at.

    What it has done until then stays done. Answers 409 with `allowed_transitions` when the job
    has ended, or is of a kind that must not stop half-way.
    """
    return await jobs.cancel(job_id)


@router.post("/{job_id}/retry", operation_id="jobs.retry", dependencies=[requires("jobs:write")])
async def retry_job(job_id: UUID, jobs: JobServiceDep) -> JobRead:
    """Do a job that failed or was cancelled again, from its beginning and with the same input.

    Answers 409 with `allowed_transitions` when it has not ended so.
    """
    return await jobs.retry(job_id)


@router.get(
    "/{job_id}/events",
    operation_id="jobs.events",
    dependencies=[requires("jobs:read")],
    response_class=StreamingResponse,
    responses={**stream_responses(), 204: {"description": "You have seen how it ended"}},
)
async def follow_job(
    job_id: UUID,
    request: Request,
    jobs: JobServiceDep,
    principal: PrincipalDep,
    kinds: Annotated[JobKinds, Depends(job_kinds)],
    seen: Annotated[str | None, Depends(last_event_id)],
    streams: Annotated[OpenStreams, Depends(open_streams)],
    draining: Annotated[Draining, Depends(current_draining)],
) -> Response:
    """Follow a job as server-sent events: `progress` whenever it has moved, `ended` at its end.

    The data of each is the job itself. The first tells how it stands; a client that was cut off
    sends `Last-Event-ID` and misses nothing. Once it has seen the end it is answered 204, which
    tells an EventSource not to come again. A stream is closed after five minutes: reconnect. A
    shop has a number of streams at a time; one more is answered with 429, `too_many_streams`.
    """
    job = await jobs.get(job_id)
    if job.status in ENDED and event_id(job) == seen:
        return Response(status_code=204)
    units = context_of(request).units
    return event_stream(
        job_events(units, kinds, principal.tenant_id, job_id, seen=seen),
        tenant_id=principal.tenant_id,
        streams=streams,
        draining=draining,
    )


@router.get(
    "/{job_id}/result",
    operation_id="jobs.result",
    dependencies=[requires("jobs:read")],
    response_class=StreamingResponse,
    responses=_FILE,
)
async def get_result(
    job_id: UUID, request: Request, jobs: JobServiceDep, principal: PrincipalDep
) -> Response:
    """The file that a job has written, for seven days.

    Needs what was needed to start the job, too. 409 while the job goes on.
    """
    return await _file(job_id, "result", request, jobs, principal)


@router.get(
    "/{job_id}/errors",
    operation_id="jobs.errors",
    dependencies=[requires("jobs:read")],
    response_class=StreamingResponse,
    responses=_FILE,
)
async def get_errors(
    job_id: UUID, request: Request, jobs: JobServiceDep, principal: PrincipalDep
) -> Response:
    """The rows that a job could not deal with, and why; kept as the result is."""
    return await _file(job_id, "errors", request, jobs, principal)


async def _file(
    job_id: UUID, name: FileName, request: Request, jobs: JobService, principal: PrincipalDep
) -> Response:
    # What is in it cannot be told from here but by the job; it is known who took it away.
    file, detail = await jobs.file(job_id, name, principal=principal)
    taken = AuditSubject(object="job", id=str(job_id))
    uow = await current_unit_of_work(request)
    uow.record(AuditEntry([taken], kind="read", detail=detail))
    return StreamingResponse(
        file_parts(context_of(request).units, principal.tenant_id, job_id, name),
        media_type=file.media_type,
        headers={
            "Content-Length": str(file.bytes),
            "Content-Disposition": f'attachment; filename="{file.file_name}"',
            "Cache-Control": "no-store",
        },
    )
