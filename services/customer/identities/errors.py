"""What can go wrong with identities."""

from uuid import UUID

from shared.errors import Conflict, FieldError, Invalid, NotFound


class IdentityNotFound(NotFound):
    """The customer has no such identity."""

    code = "identity_not_found"
    title = "The customer has no such identity"


class IdentityExists(Conflict):
    """The customer has it already."""

    code = "identity_exists"
    title = "The customer has this identity already"

    def __init__(self, identity_id: UUID) -> None:
        super().__init__(extensions={"identity_id": str(identity_id)})


class IdentityLinksNobody(Conflict):
    """What has ended or is shared cannot be verified."""

    code = "identity_links_nobody"
    title = "What has ended, or several people share, cannot be verified"


class PlatformIdIsForEver(Conflict):
    """An id that another system gives is one person's; it is deleted if it was wrong."""

    code = "platform_id_is_for_ever"
    title = "The id of another system is one person's for ever; delete it if it is wrong"


class IdentityNotValid(Invalid):
    """The value is none of its kind, or its times are no time."""

    code = "identity_not_valid"
    title = "The identity is not valid"

    def __init__(self, pointer: str, code: str, detail: str) -> None:
        super().__init__(errors=[FieldError(pointer, code, detail)])
