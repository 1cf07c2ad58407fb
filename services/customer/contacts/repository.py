"""SQL of contact persons."""

from typing import Final

from services.customer.contacts.errors import ContactNotFound
from services.customer.contacts.models import contact_person
from services.customer.families.belongings import BelongingStatements

CONTACTS: Final = BelongingStatements(contact_person, missing=ContactNotFound)
