"""Which records of customers are one person; see `docs/adr/0013`."""

from typing import Final

from services.support_ticket.customers.models import customer
from shared.db.aliases import Aliases

CUSTOMERS: Final = Aliases(customer, key="id")
