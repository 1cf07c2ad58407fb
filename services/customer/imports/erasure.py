"""Samples of rows that show somebody who is erased.

What became of a row is erased by its declaration. The samples beside it are of the whole file: of
an import that somebody was in, all go.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, Uuid, bindparam, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH

from services.customer.imports.models import customer_import, import_row
from services.customer.imports.outcomes import without_samples
from services.customer.imports.repository import ImportRepository
from shared.contracts.privacy import TableErasure
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.person import KnownPerson

_TENANT: Final = bindparam("tenant", type_=Uuid)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
_OF_THEIR_ROWS: Final = select(import_row.c.import_id).where(
    import_row.c.tenant_id == _TENANT, import_row.c.customer_id == func.any(_IDS)
)
_OF_COLUMNS: Final = literal_column("'$[*].samples[*]'::jsonpath", JSONPATH)
_OF_COUNTS: Final = literal_column("'$.samples[*]'::jsonpath", JSONPATH)
_SHOWING_SOMEBODY: Final = or_(
    func.jsonb_path_exists(customer_import.c.columns, _OF_COLUMNS),
    func.jsonb_path_exists(customer_import.c.dry_run, _OF_COUNTS),
    func.jsonb_path_exists(customer_import.c.run, _OF_COUNTS),
)
# Whoever takes rows in has locked the import before the people, and must not wait for us; it is
# done once more when they are through.
_TAKEN_IN: Final = (
    select(customer_import)
    .where(
        customer_import.c.tenant_id == _TENANT,
        customer_import.c.id.in_(_OF_THEIR_ROWS),
        _SHOWING_SOMEBODY,
    )
    .with_for_update(skip_locked=True)
)
# Few: those whose file is still there.
_TRIED_OUT: Final = (
    select(customer_import)
    .where(
        customer_import.c.tenant_id == _TENANT,
        customer_import.c.files_expire_at.is_not(None),
        func.jsonb_path_exists(customer_import.c.dry_run, _OF_COUNTS),
    )
    .with_for_update(skip_locked=True)
)


async def erase_samples(uow: UnitOfWork, person: KnownPerson) -> Sequence[TableErasure]:
    """Forget the samples of imports in which a person was."""
    asked: dict[str, Any] = {"tenant": uow.tenant_id, "ids": list(person.customer_ids)}
    ids = {str(each) for each in person.customer_ids}
    showing = {row.id: row for row in await uow.rows(_TAKEN_IN, asked)}
    for row in await uow.rows(_TRIED_OUT, {"tenant": uow.tenant_id}):
        if ids & {sample["customer_id"] for sample in row.dry_run["samples"]}:
            showing[row.id] = row
    if not showing:
        return []
    emptied = [{"id": row.id, **without_samples(row)} for row in showing.values()]
    await ImportRepository(uow).empty_samples(emptied)
    return [TableErasure(table="customer_import", rows=len(showing), how="anonymised")]
