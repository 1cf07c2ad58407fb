"""`/v1/exports`."""

from fastapi import Response, status

from services.customer.exports.deps import ExportServiceDep
from services.customer.exports.schemas import ExportCreate
from shared.jobs.schemas import JobRead
from shared.web.routing import PrincipalDep, requires, service_router

router = service_router(prefix="/v1/exports", tag="exports")


@router.post(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="exports.create",
    dependencies=[requires("customers:read", "pii:read")],
)
async def start_export(
    wanted: ExportCreate, exports: ExportServiceDep, principal: PrincipalDep, response: Response
) -> JobRead:
    """Write customers into a file; `Location` is the job to follow, `result` the file at its end.

    The filter is that of the list. CSV is UTF-8 with a byte order mark, for spreadsheets, and cells
    that would be formulas begin with an apostrophe; XLSX has texts as texts and numbers as numbers,
    and room for a million customers. Both have a column for each of the shop's own fields. JSONL
    (`ndjson` is the same) has one customer a line, with all attributes. The file is there for seven
    days. It is in one piece as people are when their page is written; who comes later is
    not in it.
    """
    job = await exports.start(wanted, principal=principal)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job
