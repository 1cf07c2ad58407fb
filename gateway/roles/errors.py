"""What can go wrong with roles."""

from collections.abc import Iterable

from shared.errors import Conflict, FieldError, Forbidden, Invalid, NotFound


class RoleNotFound(NotFound):
    """No such role in this shop."""

    code = "role_not_found"
    title = "There is no such role"


class UnknownRole(Invalid):
    """A member of staff is to have a role that the shop does not have."""

    code = "unknown_role"
    title = "There is no such role"

    def __init__(self) -> None:
        fault = FieldError("/body/role", "unknown_role", "A built-in role or the id of a role")
        super().__init__(errors=[fault])


class RoleNameTaken(Conflict):
    """Two roles of one name would be mistaken for each other."""

    code = "role_name_taken"
    title = "There is a role of this name"


class RoleInUse(Conflict):
    """Somebody has the role, and would be left without one."""

    code = "role_in_use"
    title = "Give its members another role first"


class RoleNotGrantable(Forbidden):
    """Nobody gives what they do not have."""

    code = "role_not_grantable"
    title = "You cannot give this role, or change somebody who has it"

    def __init__(self, role: str, missing: Iterable[str]) -> None:
        super().__init__(extensions={"role": role, "missing_scopes": sorted(missing)})
