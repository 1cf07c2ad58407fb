"""The link by which a person says stop: one per message, for ever valid, no login."""

from uuid import UUID

from shared.ids import TenantId
from shared.security.keys import RootKey
from shared.security.link_tokens import LinkTarget, LinkTokens

PATH = "/pages/unsubscribe"


class UnsubscribeLinks:
    """Makes and reads unsubscribe links of this installation."""

    def __init__(self, *, root_key: RootKey, public_url: str) -> None:
        self._tokens = LinkTokens(root_key=root_key, purpose="unsubscribe")
        self._base = public_url.rstrip("/") + PATH

    def url(self, tenant_id: TenantId, message_id: UUID) -> str:
        """The address of the unsubscribe page of one message."""
        return f"{self._base}/{self._tokens.mint(LinkTarget(tenant_id, message_id))}"

    def verify(self, token: str) -> LinkTarget:
        """Tenant and message of a link. Raises NotFound when it was not made here."""
        return self._tokens.verify(token)
