"""`/v1/audit-log`."""

from typing import Annotated, Literal

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse

from gateway.access.whole_shop import WHOLE_SHOP
from gateway.audit_log.export import MEDIA_TYPES, exported
from gateway.audit_log.repository import AuditFilter
from gateway.audit_log.schemas import AuditEntryRead
from gateway.deps import AuditLogDep, HouseDep
from shared.audit.trail import AuditEntry
from shared.contracts.audit import AuditKind
from shared.db.paging import PageRequest
from shared.moments import Instant
from shared.pii import PII_READ
from shared.text import TextRule
from shared.web.resources import Page, page_request
from shared.web.routing import PrincipalDep, UnitOfWorkDep, requires, service_router

router = service_router(prefix="/v1/audit-log", tag="audit-log", dependencies=[WHOLE_SHOP])

_Text = Annotated[str, TextRule(max_length=100)]


async def audit_filter(
    kind: AuditKind | None = None,
    action: Annotated[_Text | None, Query(examples=["customers.update"])] = None,
    actor_id: _Text | None = None,
    object_id: Annotated[_Text | None, Query(description="An object that entries name")] = None,
    request_id: _Text | None = None,
    since: Annotated[Instant | None, Query(alias="at[gte]")] = None,
    until: Annotated[Instant | None, Query(alias="at[lt]")] = None,
) -> AuditFilter:
    """The filters of the log; all that are given must hold."""
    return AuditFilter(
        kind=kind,
        action=action,
        actor_id=actor_id,
        object_id=object_id,
        request_id=request_id,
        since=since,
        until=until,
    )


FilterDep = Annotated[AuditFilter, Depends(audit_filter)]


@router.get("", operation_id="auditLog.list", dependencies=[requires("audit:read")])
async def list_audit_log(
    log: AuditLogDep,
    principal: PrincipalDep,
    wanted: FilterDep,
    request: Annotated[PageRequest, Depends(page_request)],
) -> Page[AuditEntryRead]:
    """Who did what, the newest first: every change, every login, every look at personal data.

    An entry appears within a second of what it tells of. None is ever changed or deleted.
    Without `pii:read` customers are masked and queries keep their parameters' names only.
    """
    rows, cursor = await log.list_newest(wanted, request)
    in_full = PII_READ in principal.scopes
    data = [AuditEntryRead.of(row, in_full=in_full) for row in rows]
    return Page[AuditEntryRead](data=data, next_cursor=cursor)


@router.get(
    "/export",
    operation_id="auditLog.export",
    dependencies=[requires("audit:read", PII_READ)],
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The entries, one a line",
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        }
    },
)
async def export_audit_log(
    house: HouseDep,
    principal: PrincipalDep,
    uow: UnitOfWorkDep,
    wanted: FilterDep,
    form: Annotated[Literal["ndjson", "csv"], Query(alias="format")] = "ndjson",
) -> StreamingResponse:
    """The same as a file, however long. It is itself recorded."""
    uow.record(AuditEntry([], kind="read", detail={"format": form}))
    lines = exported(house.context.units, principal.tenant_id, wanted, form=form)
    headers = {"Content-Disposition": f'attachment; filename="audit-log.{form}"'}
    return StreamingResponse(lines, media_type=MEDIA_TYPES[form], headers=headers)
