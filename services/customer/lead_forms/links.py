"""The addresses of forms' pages, and of the links that confirm a consent."""

from uuid import UUID

from shared.errors import NotFound
from shared.ids import TenantId
from shared.security.keys import RootKey
from shared.security.link_tokens import LinkTarget, LinkTokens

PAGES = "/pages/forms"


class FormLinks:
    """Makes and reads the links of one tenant's forms."""

    def __init__(self, *, root_key: RootKey, public_url: str, tenant_id: TenantId) -> None:
        self._tenant_id = tenant_id
        self._pages = LinkTokens(root_key=root_key, purpose="lead-form")
        self._confirmations = LinkTokens(root_key=root_key, purpose="lead-confirmation")
        self._base = public_url.rstrip("/") + PAGES

    def page_url(self, form_id: UUID) -> str:
        """Where a form is filled in."""
        return f"{self._base}/{self._pages.mint(LinkTarget(self._tenant_id, form_id))}"

    def confirmation_url(self, submission_id: UUID) -> str:
        """Where somebody says that it was they who sent a form."""
        token = self._confirmations.mint(LinkTarget(self._tenant_id, submission_id))
        return f"{self._base}/confirm/{token}"

    def find_form(self, token: str) -> UUID | None:
        """The form of a page's token; None for anything that we did not make."""
        return self._subject(self._pages, token)

    def find_submission(self, token: str) -> UUID | None:
        """What a confirmation's token is about; None for anything that we did not make."""
        return self._subject(self._confirmations, token)

    def _subject(self, tokens: LinkTokens, token: str) -> UUID | None:
        try:
            target = tokens.verify(token)
        except NotFound:
            return None
        return target.subject_id if target.tenant_id == self._tenant_id else None
