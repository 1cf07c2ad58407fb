"""What can go wrong with connections."""

from shared.errors import Conflict, FieldError, Invalid, NotFound
from shared.outbound.guard import OutboundRefused


class ConnectionNotFound(NotFound):
    """No such connection in this shop, or one that was switched off."""

    code = "connection_not_found"
    title = "There is no such connection"


class NoSecretToRotate(Conflict):
    """Only a platform signs what it sends."""

    code = "no_secret_to_rotate"
    title = "This kind of connection has no signing secret"


class HostRefused(Invalid):
    """A mail server that nothing will be sent through."""

    code = "host_refused"
    title = "Nothing can be sent through this server"

    def __init__(self, refusal: OutboundRefused) -> None:
        name = "port" if refusal.code == "port_not_allowed" else "host"
        fault = FieldError(f"/body/{name}", refusal.code, refusal.detail)
        super().__init__(refusal.detail, errors=[fault])


class StoreAccessRequired(Invalid):
    """A platform whose deliveries only name things, and nothing to ask for them with."""

    code = "store_access_required"
    title = "This platform has to be asked for what its webhooks only name"

    def __init__(self, fields: list[str]) -> None:
        super().__init__(
            errors=[FieldError(f"/body/{name}", "missing", "Needed to ask it") for name in fields]
        )


class NotOfThisKind(Invalid):
    """A field that another kind of connection has."""

    code = "not_of_this_kind"
    title = "This kind of connection has no such field"

    def __init__(self, kind: str, fields: list[str]) -> None:
        super().__init__(
            errors=[
                FieldError(f"/body/{name}", "not_of_this_kind", f"Not a field of kind {kind}")
                for name in fields
            ]
        )


class CredentialsRequired(Invalid):
    """A mailbox moves to another server: its credentials go there only when entered anew."""

    code = "credentials_required"
    title = "Enter the credentials again with another host, port or security"

    def __init__(self, fields: list[str]) -> None:
        detail = "Kept credentials are not sent to another server: enter them again"
        super().__init__(
            errors=[FieldError(f"/body/{name}", "credentials_required", detail) for name in fields]
        )
