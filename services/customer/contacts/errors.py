"""What can go wrong with contact persons."""

from shared.errors import Conflict, NotFound


class ContactNotFound(NotFound):
    """The customer has no such contact person."""

    code = "contact_not_found"
    title = "The customer has no such contact person"


class TooManyContacts(Conflict):
    """A customer has as many contact persons as one may have."""

    code = "too_many_contacts"
    title = "The customer has as many contact persons as one may have"
