"""A lead becomes a customer."""

from collections.abc import Collection
from uuid import UUID

from services.customer.leads.repository import LeadRepository
from shared.contracts.leads import LeadConverted
from shared.db.unit_of_work import UnitOfWork


async def convert_leads(uow: UnitOfWork, root_ids: Collection[UUID], *, captured: bool) -> None:
    """Note that these people have paid a first order, and tell of each.

    They are named by who stands for them. Of several captures of one person the first is told;
    all of them have led there. Without `captured` there are none.
    """
    if not root_ids:
        return
    people, at = sorted(root_ids), uow.clock.now()
    found = await LeadRepository(uow).convert(people, at) if captured else []
    newest_first = sorted(found, key=lambda row: (row.captured_at, row.id), reverse=True)
    first = {row.root_id: row for row in newest_first}
    for customer_id in people:
        row = first.get(customer_id)
        event = LeadConverted(
            customer_id=customer_id,
            converted_at=at,
            lead_id=row.id if row else None,
            form_id=row.form_id if row else None,
            intent=row.intent if row else None,
            source=row.source if row else None,
            source_page=row.source_page if row else None,
            captured_at=row.captured_at if row else None,
        )
        uow.append(event, key=customer_id)
