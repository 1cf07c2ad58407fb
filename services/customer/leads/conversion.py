"""A lead becomes a customer."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from services.customer.families.family import Families
from services.customer.leads.repository import LeadRepository
from shared.contracts.leads import LeadConverted
from shared.db.unit_of_work import UnitOfWork


async def convert_leads(uow: UnitOfWork, customer_ids: Collection[UUID], at: datetime) -> None:
    """Note that these people have paid a first order, and tell of each.

    Of several captures of one person the first is told; all of them have led there.
    """
    if not customer_ids:
        return
    people = sorted(set((await Families(uow).roots(customer_ids)).values()))
    found = await LeadRepository(uow).convert(people, at)
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
