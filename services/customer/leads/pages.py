"""The pages of forms as HTML: no script, no other resource, nothing kept by browsers or caches."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.customer.lead_forms.record import LeadForm, in_language
from services.customer.leads import page_form
from services.customer.leads.intake import Ticked
from services.customer.leads.page_form import inputs_of, ticks_of
from services.customer.leads.submission import Submission
from services.customer.leads.texts import TEXTS
from shared.languages import Language

_templates = Environment(
    loader=PackageLoader("services.customer.leads"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# Our own file, and the hash below vouches for it to the browser.
_CSS: Final = Markup(_templates.get_template("page.css").render())  # noqa: S704
_CSS_HASH: Final = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a form's page has besides the form: what was entered before, and how they came."""

    token: str
    other_language_query: str
    referrer: str = ""
    entered: Mapping[str, str] = field(default_factory=dict)
    intent: str | None = None
    ticked: Sequence[Ticked] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    missing: Sequence[tuple[str, str]] = ()
    stale: bool = False

    @property
    def refused(self) -> bool:
        """Whether this answers something that could not be taken."""
        return bool(self.faults or self.missing or self.stale)


def form_page(form: LeadForm, language: Language, shown: Shown) -> HTMLResponse:
    """The form; refused, it says beside each field what was wrong and keeps what was entered."""
    inputs = inputs_of(form, language, entered=shown.entered, faults=shown.faults)
    ticks = ticks_of(form, language, ticked=shown.ticked, missing=shown.missing)
    wrong = [i.name for i in inputs if i.fault] + [t.name for t in ticks if t.fault]
    return _page(
        "form.html",
        language,
        status=422 if shown.refused else 200,
        heading=in_language(form.title, language),
        form_action=_form_action(form),
        names=page_form,
        form=form,
        intro=in_language(form.intro, language) if form.intro else None,
        inputs=inputs,
        ticks=ticks,
        chosen=shown.intent or form.default_intent,
        first_fault=next(iter(wrong), None),
        shown=shown,
    )


def thanks_page(form: LeadForm, submission: Submission, language: Language) -> Response:
    """It was taken; or the page that the shop thanks people on."""
    if form.redirect_url is not None:
        return RedirectResponse(form.redirect_url, status_code=303, headers=_headers("'self'"))
    texts = TEXTS[language]
    # Of what is kept aside the same is said: a program must not learn that it was seen through.
    waits = form.double_opt_in and submission.consents
    more = [in_language(form.thank_you, language), *([texts.check_mail] if waits else [])]
    return _message(language, texts.thanks, more)


def closed_page(language: Language) -> HTMLResponse:
    """The form is not active."""
    texts = TEXTS[language]
    return _message(language, texts.closed, [texts.closed_more], status=410)


def not_valid_page(language: Language) -> HTMLResponse:
    """The link leads nowhere."""
    texts = TEXTS[language]
    return _message(language, texts.not_valid, [texts.not_valid_more], status=404)


def confirm_page(submission: Submission, language: Language) -> HTMLResponse:
    """What somebody agreed to, and the button that says that it was they."""
    wordings = [consent["wording"] for consent in submission.consents]
    heading = TEXTS[language].confirm
    return _page("confirm.html", language, status=200, heading=heading, wordings=wordings)


def confirmed_page(language: Language) -> HTMLResponse:
    """The consents count."""
    texts = TEXTS[language]
    return _message(language, texts.confirmed, [texts.confirmed_more])


def _message(
    language: Language, heading: str, more: Sequence[str], *, status: int = 200
) -> HTMLResponse:
    return _page("message.html", language, status=status, heading=heading, more=more)


def _form_action(form: LeadForm) -> str:
    """Browsers hold redirects after a form against this, too."""
    if form.redirect_url is None:
        return "'self'"
    parts = urlsplit(form.redirect_url)
    return f"'self' {parts.scheme}://{parts.netloc}"


def _headers(form_action: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{_CSS_HASH}'; form-action {form_action}; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex, nofollow",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _page(
    template: str, language: Language, *, status: int, form_action: str = "'self'", **values: object
) -> HTMLResponse:
    html = _templates.get_template(template).render(
        language=language, texts=TEXTS[language], css=_CSS, **values
    )
    return HTMLResponse(html, status_code=status, headers=_headers(form_action))
