"""Templates as a resource."""

from collections.abc import Iterator, Sequence

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
from shared.clock import Clock
from shared.db.paging import PageRequest
from shared.errors import FieldError
from shared.web.resources import check_version

_EXAMPLE_ADDRESS = "customer@example.com"
_EXAMPLE_WAY_OUT = "https://example.com/unsubscribe"


class TemplateService:
    """What clients can do with templates."""

    def __init__(
        self,
        *,
        templates: TemplateRepository,
        recipients: RecipientRepository,
        shops: ShopRepository,
        clock: Clock,
    ) -> None:
        self._templates = templates
        self._recipients = recipients
        self._shops = shops
        self._clock = clock

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
        current, now = await self._templates.lock(key), self._clock.now()
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

    async def preview(self, key: str, asked: TemplatePreviewRequest) -> Rendered:
        """How a message would read, without sending one.

        Raises TemplateNotFound, TemplateNotValid, TemplateVariableMissing, TemplateNotRenderable.
        """
        if asked.content is not None and (faults := list(_faults([asked.content]))):
            raise TemplateNotValid(errors=faults)
        shop = await self._shops.find()
        found = await self._recipients.find_many([asked.customer_id] if asked.customer_id else [])
        recipient = next(iter(found.values()), None)
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


def _faults(contents: Sequence[TemplateContent]) -> Iterator[FieldError]:
    for number, content in enumerate(contents):
        for part in ("subject", "text", "html"):
            source = getattr(content, part)
            try:
                check_source(source or "", html=part == "html")
            except TemplateSyntax as error:
                yield FieldError(f"/body/contents/{number}/{part}", "liquid_syntax", str(error))
