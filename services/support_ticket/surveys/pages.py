"""The survey page as HTML: no script, no other resource, nothing kept by browsers or caches."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from services.support_ticket.surveys.repository import AskedSurvey
from services.support_ticket.surveys.texts import TEXTS
from shared.languages import Language

_templates = Environment(
    loader=PackageLoader("services.support_ticket.surveys"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# Our own file, and the hash below vouches for it to the browser.
_CSS: Final = Markup(_templates.get_template("page.css").render())  # noqa: S704
_CSS_HASH: Final = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
_HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_CSS_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def question_page(
    asked: AskedSurvey,
    language: Language,
    *,
    score: int | None = None,
    comment: str = "",
    faults: Sequence[str] = (),
) -> HTMLResponse:
    """The form; with `faults` it says what was wrong and keeps what was entered."""
    texts = TEXTS[language]
    return _page(
        "survey.html",
        language,
        status=422 if faults else 200,
        shop=asked.shop,
        request_line=texts.request.format(code=asked.ticket_code, subject=asked.ticket_subject),
        other_language="en" if language == "vi" else "vi",
        score=score,
        comment=comment,
        faults=faults,
    )


def thanks_page(asked: AskedSurvey, language: Language) -> HTMLResponse:
    """The answer was taken."""
    texts = TEXTS[language]
    return _message(language, asked.shop, texts.thanks, texts.thanks_more)


def already_page(asked: AskedSurvey, language: Language) -> HTMLResponse:
    """There was an answer before, which stays."""
    texts = TEXTS[language]
    return _message(language, asked.shop, texts.already, texts.already_more)


def not_valid_page(language: Language) -> HTMLResponse:
    """The link leads nowhere."""
    texts = TEXTS[language]
    return _message(language, None, texts.not_valid, texts.not_valid_more, status=404)


def _message(
    language: Language, shop: str | None, heading: str, more: str, *, status: int = 200
) -> HTMLResponse:
    return _page("message.html", language, status=status, shop=shop, heading=heading, more=more)


def _page(template: str, language: Language, *, status: int, **values: object) -> HTMLResponse:
    html = _templates.get_template(template).render(
        language=language, texts=TEXTS[language], css=_CSS, **values
    )
    return HTMLResponse(html, status_code=status, headers=_HEADERS)
