"""The audit log as a file: page after page, so that neither memory nor a transaction grows."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from sqlalchemy import Row

from gateway.audit_log.repository import AuditFilter, AuditLogRepository
from gateway.audit_log.schemas import AUDIT_COLUMNS, AuditEntryRead
from shared.db.paging import MAX_LIMIT, PageRequest
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.json import dumps_text

MEDIA_TYPES: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_AS_JSON: Final = frozenset({"subjects", "changes", "detail"})
# A cell that a spreadsheet would take for a formula is text all the same (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


async def exported(
    units: UnitsOfWork, tenant_id: TenantId, wanted: AuditFilter, *, form: str
) -> AsyncIterator[str]:
    """The entries that are wanted, the newest first, in lines of `form` (`ndjson` or `csv`).

    In full: for those who may see personal data.
    """
    if form == "csv":
        yield _csv_line(AUDIT_COLUMNS)
    cursor: str | None = None
    more = True
    while more:
        async with units.begin(tenant_id) as uow:
            request = PageRequest(limit=MAX_LIMIT, cursor=cursor)
            rows, cursor = await AuditLogRepository(uow).list_newest(wanted, request)
        yield "".join(_line(row, form) for row in rows)
        more = cursor is not None


def _line(row: Row[*tuple[Any, ...]], form: str) -> str:
    if form == "ndjson":
        return f"{AuditEntryRead.of(row, in_full=True).model_dump_json()}\n"
    return _csv_line([_cell(name, row._mapping[name]) for name in AUDIT_COLUMNS])


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    text = dumps_text(value) if name in _AS_JSON else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()
