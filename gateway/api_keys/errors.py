"""What can go wrong with API keys."""

from collections.abc import Sequence

from shared.errors import Conflict, Forbidden, NotFound


class ApiKeyNotFound(NotFound):
    """No such key in this shop."""

    code = "api_key_not_found"
    title = "There is no such API key"


class ApiKeyRevoked(Conflict):
    """A revoked key stays as it is."""

    code = "api_key_revoked"
    title = "The API key is revoked"


class ScopesNotGrantable(Forbidden):
    """Nobody gives away what they do not have."""

    code = "scopes_not_grantable"
    title = "You cannot give these scopes"

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__(extensions={"scopes": list(scopes)})


class ViewNotGrantable(Forbidden):
    """A key sees the whole shop, so only who does may make or change one."""

    code = "view_not_grantable"
    title = "A key would see more than you do"


class AddressNotAllowed(Forbidden):
    """The key has a list of addresses, and this one is not on it."""

    code = "address_not_allowed"
    title = "This key may not be used from this address"
