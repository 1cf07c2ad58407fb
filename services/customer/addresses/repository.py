"""SQL of addresses."""

from typing import Final

from services.customer.addresses.errors import AddressNotFound
from services.customer.addresses.models import customer_address
from services.customer.families.belongings import BelongingStatements

ADDRESSES: Final = BelongingStatements(customer_address, missing=AddressNotFound)
