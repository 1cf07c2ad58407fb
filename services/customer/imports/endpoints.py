"""`/v1/imports`."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Query, Request, Response, status

from services.customer.imports.deps import ImportServiceDep
from services.customer.imports.plan import Outcome
from services.customer.imports.repository import Import
from services.customer.imports.schemas import (
    ImportCreate,
    ImportPatch,
    ImportRead,
    ImportRowRead,
)
from services.customer.imports.service import MOST_BYTES, allowed_transitions
from shared.db.paging import PageRequest
from shared.jobs.schemas import JobRead
from shared.web.problems import problem_responses
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import PrincipalDep, requires, service_router

router = service_router(prefix="/v1/imports", tag="imports")

_READ = requires("imports:read")
_WRITE = requires("imports:write")
_FILE: Final = {"type": "string", "format": "binary"}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": _FILE}}}
}


@router.post(
    "", status_code=status.HTTP_201_CREATED, operation_id="imports.create", dependencies=[_WRITE]
)
async def create_import(
    body: ImportCreate, imports: ImportServiceDep, principal: PrincipalDep, response: Response
) -> ImportRead:
    """Begin an import of customers from a CSV file or a workbook (XLSX); send its file next."""
    found = await imports.create(body, principal=principal)
    response.headers["location"] = f"/v1/imports/{found.id}"
    return _answer(found, response)


@router.get("", operation_id="imports.list", dependencies=[_READ])
async def list_imports(
    imports: ImportServiceDep, request: Annotated[PageRequest, Depends(page_request)]
) -> Page[ImportRead]:
    """List imports, the newest first."""
    rows, cursor = await imports.page(request)
    return Page(data=[_read(row) for row in rows], next_cursor=cursor)


@router.get("/{import_id}", operation_id="imports.get", dependencies=[_READ])
async def get_import(import_id: UUID, imports: ImportServiceDep, response: Response) -> ImportRead:
    """Get an import: how far it has come, what its columns are, what became of its rows."""
    return _answer(await imports.get(import_id), response)


@router.put(
    "/{import_id}/file",
    operation_id="imports.upload",
    dependencies=[_WRITE],
    openapi_extra=_BODY,
    responses=problem_responses(413, 415),
)
async def upload_file(
    import_id: UUID,
    request: Request,
    imports: ImportServiceDep,
    response: Response,
    offset: Annotated[
        int,
        Query(ge=0, le=MOST_BYTES, description="Where in the file this part begins; 0: anew"),
    ] = 0,
    *,
    complete: Annotated[bool, Query(description="Whether the file ends with this part")] = True,
) -> ImportRead:
    """Send the file, as `application/octet-stream`; it is then read in the background.

    A request may carry 16 MiB. A larger file, or one on a slow line, is sent in parts: each says
    its `offset`, all but the last `complete=false`. Who was cut off goes on at `received_bytes`.
    """
    found = await imports.receive(import_id, request.stream(), offset=offset, is_last=complete)
    return _answer(found, response)


@router.delete("/{import_id}/file", operation_id="imports.discardFile", dependencies=[_WRITE])
async def discard_file(
    import_id: UUID, imports: ImportServiceDep, response: Response
) -> ImportRead:
    """Forget the file and what was read from it, where nothing works on the import.

    It makes room for others. What was taken in stays, and can be undone; the rest cannot be taken
    in any more.
    """
    return _answer(await imports.discard(import_id), response)


@router.patch("/{import_id}", operation_id="imports.update", dependencies=[_WRITE])
async def change_import(
    import_id: UUID,
    body: ImportPatch,
    imports: ImportServiceDep,
    response: Response,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> ImportRead:
    """Say what the columns hold, how known customers are treated, or how the file is read.

    Before the run, while the import is `ready`. A new `mapping` takes the place of the whole one;
    another `reading` has the file read again.
    """
    found = await imports.change(import_id, body, expected_version=expected_version)
    return _answer(found, response)


@router.post(
    "/{import_id}/run",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="imports.run",
    dependencies=[requires("imports:write", "customers:write")],
)
async def run_import(
    import_id: UUID,
    imports: ImportServiceDep,
    response: Response,
    *,
    dry_run: Annotated[
        bool, Query(description="Only find out what would become of the rows")
    ] = False,
) -> JobRead:
    """Take in the rows; `Location` is the job to follow.

    The job's `result` says of every row what became of it, as a CSV file. An import that was
    cancelled, or whose worker died, goes on where it was.
    """
    job = await imports.run(import_id, is_dry=dry_run)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.post("/{import_id}/cancel", operation_id="imports.cancel", dependencies=[_WRITE])
async def cancel_import(
    import_id: UUID, imports: ImportServiceDep, response: Response
) -> ImportRead:
    """Stop what works on the import after the batch that it is at. What is taken in stays."""
    return _answer(await imports.cancel(import_id), response)


@router.post(
    "/{import_id}/undo",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="imports.undo",
    dependencies=[requires("imports:write", "customers:write")],
)
async def undo_import(import_id: UUID, imports: ImportServiceDep, response: Response) -> JobRead:
    """Take an import back; `Location` is the job to follow.

    Customers whom it brought and nobody has worked with since are emptied; of others each field is
    set back that nobody has changed since. The job's `result` says what was kept.
    """
    job = await imports.undo(import_id)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.get("/{import_id}/rows", operation_id="imports.listRows", dependencies=[_READ])
async def list_rows(
    import_id: UUID,
    imports: ImportServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    outcome: Outcome | None = None,
    customer_id: UUID | None = None,
) -> Page[ImportRowRead]:
    """List rows that were taken in, in the order of the file, with what became of them."""
    rows, cursor = await imports.rows(import_id, request, outcome=outcome, customer_id=customer_id)
    data = [ImportRowRead.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)


def _answer(found: Import, response: Response) -> ImportRead:
    response.headers["etag"] = etag(found.version)
    return _read(found)


def _read(found: Import) -> ImportRead:
    columns = dict(found._mapping)
    return ImportRead.model_validate({**columns, "allowed_transitions": allowed_transitions(found)})
