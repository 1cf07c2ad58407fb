"""What can go wrong with addresses."""

from shared.errors import Conflict, NotFound


class AddressNotFound(NotFound):
    """The customer has no such address."""

    code = "address_not_found"
    title = "The customer has no such address"


class TooManyAddresses(Conflict):
    """A customer has as many addresses as one may have."""

    code = "too_many_addresses"
    title = "The customer has as many addresses as one may have"
