"""What can go wrong with API keys."""

from collections.abc import Sequence

from shared.errors import Forbidden, NotFound


class ApiKeyNotFound(NotFound):
    """No such key in this shop."""

    code = "api_key_not_found"
    title = "There is no such API key"


class ScopesNotGrantable(Forbidden):
    """Nobody gives away what they do not have."""

    code = "scopes_not_grantable"
    title = "You cannot give these scopes"

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__(extensions={"scopes": list(scopes)})
