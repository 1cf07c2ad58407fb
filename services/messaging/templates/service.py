"""Templates as a resource."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from services.messaging.recipients.records import Recipient
from services.messaging.recipients.repository import RecipientRepository
from services.messaging.shops.repository import ShopRepository
from services.messaging.templates.engine import check_source
from services.messaging.templates.errors import (
    RenderError,
    TemplateNotRenderable,
    TemplateNotValid,
    TemplateSyntax,
    TemplateVariableMissing,
    VariableMissing,
)
from services.messaging.templates.records import Rendered, Template, TemplateContent
from services.messaging.templates.rendering import render_content
from services.messaging.templates.repository import TemplateRepository
from services.messaging.templates.schemas import TemplatePreviewRequest, TemplateReplace
from services.messaging.templates.variables import message_variables
from shared.audit.trail import AuditEntry
from shared.contracts.audit import AuditSubject
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Forbidden
from shared.pii import PII_READ
from shared.security.principal import Principal, Visibility
from shared.web.resources import check_version

_EXAMPLE_ADDRESS = "customer@example.com"
_EXAMPLE_WAY_OUT = "https://example.com/unsubscribe"


class TemplateService:
    """What clients can do with templates."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        templates: TemplateRepository,
        recipients: RecipientRepository,
        shops: ShopRepository,
    ) -> None:
        self._uow = uow
        self._templates = templates
        self._recipients = recipients
        self._shops = shops

    async def get(self, key: str) -> Template:
        """Raises TemplateNotFound."""
        return await self._templates.get(key)

    async def list_page(self, request: PageRequest) -> tuple[Sequence[Template], str | None]:
        """A page of templates by key."""
        return await self._templates.list_page(request)

    async def replace(
        self, key: str, given: TemplateReplace, *, expected_version: int | None
    ) -> Template:
        """Create or replace a template. Raises TemplateNotValid, PreconditionFailed."""
        if faults := list(_faults(given.contents)):
            raise TemplateNotValid(errors=faults)
        current, now = await self._templates.lock(key), self._uow.clock.now()
        check_version(current.version if current else 0, expected_version)
        new = Template(
            key=key,
            version=current.version + 1 if current else 1,
            description=given.description,
            contents=tuple(given.contents),
            created_at=current.created_at if current else now,
            updated_at=now,
        )
        await self._templates.put(new)
        return new

    async def preview(
        self, key: str, asked: TemplatePreviewRequest, *, principal: Principal
    ) -> Rendered:
        """How a message would read, without sending one.

        Raises Forbidden, TemplateNotFound, TemplateNotValid, TemplateVariableMissing,
        TemplateNotRenderable.
        """
        if asked.customer_id is not None:
            _check_may_see_customers(principal)
        if asked.content is not None and (faults := list(_faults([asked.content]))):
            raise TemplateNotValid(errors=faults)
        shop = await self._shops.find()
        recipient = await self._shown(asked.customer_id)
        wishes = (asked.locale, recipient.locale if recipient else None, shop.locale)
        content = asked.content or (await self._templates.get(key)).content_for(
            asked.channel, wishes
        )
        variables = message_variables(
            shop_name=shop.name,
            recipient=recipient,
            name=None,
            address=(recipient.email if recipient else None) or _EXAMPLE_ADDRESS,
            locale=content.locale,
            given={"unsubscribe_url": _EXAMPLE_WAY_OUT, **asked.variables},
        )
        try:
            return render_content(content, variables)
        except VariableMissing as error:
            pointer = "/body/variables/" + error.name.replace(".", "/")
            fault = FieldError(pointer, "missing", f"{error.name} is used by the template")
            raise TemplateVariableMissing(str(error), errors=[fault]) from error
        except RenderError as error:
            raise TemplateNotRenderable(str(error)) from error

    async def _shown(self, customer_id: UUID | None) -> Recipient | None:
        """The customer whose words a preview shows: to render it is to read their data."""
        if customer_id is None:
            return None
        found = (await self._recipients.find_many([customer_id])).get(customer_id)
        if found is not None:
            subject = AuditSubject(object="customer", id=str(customer_id))
            self._uow.record(AuditEntry([subject], kind="read"))
        return found


def _check_may_see_customers(principal: Principal) -> None:
    """A text has no fields to mask, and this service does not know whose customers are whose."""
    principal.require([PII_READ])
    if principal.visibility is not Visibility.ALL:
        raise Forbidden("A preview for a customer is for those who see all customers")


def _faults(contents: Sequence[TemplateContent]) -> Iterator[FieldError]:
    for number, content in enumerate(contents):
        for part in ("subject", "text", "html"):
            source = getattr(content, part)
            try:
                check_source(source or "", html=part == "html")
            except TemplateSyntax as error:
                yield FieldError(f"/body/contents/{number}/{part}", "liquid_syntax", str(error))
