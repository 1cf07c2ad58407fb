"""`/pages/unsubscribe/{token}`: where a person says stop. No login, no script, no redirect.

GET shows the page and changes nothing: mail scanners follow links. POST stops, whether a mail
program sent it (RFC 8058) or the page's own button did; whatever the body says, the link says it.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Final

from fastapi import Path as PathParameter
from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from services.messaging.deps import PreferenceServiceDep
from services.messaging.preferences.service import Preference
from shared.languages import language_of, preferred_language
from shared.web.languages import AcceptLanguage
from shared.web.routing import requires, service_router

router = service_router(prefix="/pages/unsubscribe", tag="pages")
Token = Annotated[str, PathParameter(max_length=128)]

_ONE_CLICK: Final = b"One-Click"
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}


@router.get(
    "/{token}",
    operation_id="pages.unsubscribe",
    dependencies=[requires("public:pages")],
    response_class=HTMLResponse,
)
async def unsubscribe_page(
    token: Token, service: PreferenceServiceDep, accept_language: AcceptLanguage = None
) -> Response:
    """The page that asks whether to unsubscribe. Changes nothing."""
    return _page(await service.look(token), accept_language)


@router.post(
    "/{token}",
    operation_id="pages.unsubscribeConfirm",
    dependencies=[requires("public:pages")],
    response_class=HTMLResponse,
)
async def unsubscribe(
    token: Token,
    request: Request,
    service: PreferenceServiceDep,
    accept_language: AcceptLanguage = None,
) -> Response:
    """Unsubscribe: `List-Unsubscribe=One-Click` (RFC 8058), or the button of the page."""
    one_click = _ONE_CLICK in (await request.body())
    preference = await service.unsubscribe(token, source="one_click" if one_click else "page")
    return _page(preference, accept_language)


def _page(preference: Preference, accept_language: str | None) -> Response:
    language = _language(preference, accept_language)
    done = preference.suppression
    body = _template(language).render(
        shop=preference.shop.name,
        address=_masked(preference.address),
        since=done.created_at.strftime("%d/%m/%Y %H:%M UTC") if done else None,
    )
    headers = {**_HEADERS, "Content-Language": language}
    return HTMLResponse(body, headers=headers)


def _language(preference: Preference, accept_language: str | None) -> str:
    """The language that the browser likes best, else the language of the message."""
    own = preference.message.locale or preference.shop.locale
    return preferred_language(accept_language) or language_of(own) or "vi"


def _masked(address: str) -> str:
    """Enough to recognise one's own address, too little for whoever found the link."""
    name, _, domain = address.partition("@")
    return f"{name[:2]}***@{domain}"


@cache
def _template(language: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "html"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    return environment.get_template(f"unsubscribe.{language}.html")
