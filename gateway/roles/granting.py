"""Nobody gives what they do not have: neither a scope nor a wider view."""

from typing import Final

from gateway.roles.errors import RoleNotGrantable
from shared.security.principal import Principal, PrincipalKind, Visibility

_WIDTH: Final = {Visibility.OWN: 0, Visibility.TEAM: 1, Visibility.ALL: 2}


def check_grantable(
    principal: Principal, role: str, *, scopes: frozenset[str], visibility: Visibility
) -> None:
    """Raises RoleNotGrantable when the caller lacks something of what is given or touched."""
    if principal.kind is PrincipalKind.SYSTEM:  # the operator, to whom the shop is given to run
        return
    missing = scopes - principal.scopes
    if missing or _WIDTH[visibility] > _WIDTH[principal.visibility]:
        raise RoleNotGrantable(role, missing)
