"""`/pages/forms/{token}`: where somebody fills in a form. No login, no script.

GET shows a page and changes nothing. Opening the link of a confirmation mail is a GET, and mail
scanners follow links: so the button of its page confirms, not the link.
"""

from typing import Annotated, Any, Final

from fastapi import Header, Path, Request, Response
from fastapi.responses import HTMLResponse

from services.customer.lead_forms.deps import FormLinksDep, LeadFormServiceDep
from services.customer.lead_forms.errors import LeadFormNotFound
from services.customer.lead_forms.links import PAGES, FormLinks
from services.customer.lead_forms.record import LeadForm
from services.customer.lead_forms.service import LeadFormService
from services.customer.leads import pages
from services.customer.leads.deps import FormTokensDep, LeadIntakeDep
from services.customer.leads.entered import MAX_MESSAGE
from services.customer.leads.errors import SubmissionNotFound
from services.customer.leads.intake import Given, LeadIntake, missing_consents
from services.customer.leads.page_form import (
    HONEYPOT,
    MOST_INPUTS,
    REFERRER,
    TOKEN,
    Sent,
    kept_query,
)
from services.customer.leads.pages import Shown
from services.customer.leads.submission import Sender, Submission
from services.customer.touches.origins import MAX_ADDRESS, PARAMETERS, Origin, origin_of
from shared.languages import Language, preferred_language
from shared.web.languages import AcceptLanguage, Lang
from shared.web.routing import PrincipalDep, UnitOfWorkDep, requires, service_router

router = service_router(prefix=PAGES, tag="pages")

_PUBLIC = [requires("public:pages")]
Token = Annotated[str, Path(max_length=200)]
UserAgent = Annotated[str | None, Header(include_in_schema=False)]
Referer = Annotated[str | None, Header(include_in_schema=False)]
_URLENCODED: Final[dict[str, Any]] = {
    "requestBody": {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "description": "The inputs of the page, by their names",
                    "maxProperties": MOST_INPUTS,
                    "additionalProperties": {"type": "string", "maxLength": MAX_MESSAGE},
                }
            }
        }
    }
}


@router.get(
    "/{token}",
    operation_id="leadForms.page",
    dependencies=_PUBLIC,
    response_class=HTMLResponse,
)
@router.head("/{token}", dependencies=_PUBLIC, include_in_schema=False)
async def show_form(
    token: Token,
    request: Request,
    uow: UnitOfWorkDep,
    forms: LeadFormServiceDep,
    links: FormLinksDep,
    tokens: FormTokensDep,
    lang: Lang = None,
    accept_language: AcceptLanguage = None,
    referer: Referer = None,
) -> Response:
    """The page on which somebody fills in a form. `utm_…` and click ids in its query are kept."""
    language = lang or preferred_language(accept_language) or "vi"
    form = await _find(token, forms, links)
    if form is None:
        return pages.not_valid_page(language)
    if not form.active:
        return pages.closed_page(language)
    shown = Shown(
        token=tokens.mint(form.id, uow.clock.now()),
        other_language_query=_other_language(request, language),
        referrer=(referer or "")[:MAX_ADDRESS],
    )
    return pages.form_page(form, language, shown)


@router.post(
    "/{token}",
    operation_id="leadForms.send",
    dependencies=_PUBLIC,
    response_class=HTMLResponse,
    openapi_extra=_URLENCODED,
)
async def send_form(
    token: Token,
    request: Request,
    uow: UnitOfWorkDep,
    principal: PrincipalDep,
    forms: LeadFormServiceDep,
    intake: LeadIntakeDep,
    links: FormLinksDep,
    tokens: FormTokensDep,
    lang: Lang = None,
    accept_language: AcceptLanguage = None,
    user_agent: UserAgent = None,
) -> Response:
    """Take what was entered, or show the form again with what is wrong beside each field."""
    language = lang or preferred_language(accept_language) or "vi"
    form = await _find(token, forms, links)
    if form is None:
        return pages.not_valid_page(language)
    if not form.active:
        return pages.closed_page(language)
    sent = Sent.read(await request.body())
    now = uow.clock.now()
    open_for = tokens.age(sent.fields.get(TOKEN, ""), form.id, now)
    entered = intake.read(form, sent.entered(form))
    ticked = sent.ticked()
    agreed = await intake.agreed(form, ticked, language)
    known = [tick for tick, words in zip(ticked, agreed, strict=True) if words is not None]
    shown = Shown(
        token=tokens.mint(form.id, now),
        other_language_query=_other_language(request, language),
        referrer=sent.fields.get(REFERRER, "")[:MAX_ADDRESS],
        entered=sent.entered(form),
        intent=sent.intent(form),
        ticked=known,
        faults=entered.faults,
        missing=missing_consents(form, known),
        stale=open_for is None,
    )
    if shown.refused:
        return pages.form_page(form, language, shown)
    submission, _ = await intake.take(
        form,
        Given(
            entered=entered.values,
            intent=sent.intent(form),
            consents=[words for words in agreed if words is not None],
            origin=_origin(request, shown.referrer, landing_page=links.page_url(form.id)),
            via="page",
            language=language,
            source_page=links.page_url(form.id),
            sender=Sender(principal.client_ip or None, (user_agent or "")[:500] or None),
            honeypot=sent.fields.get(HONEYPOT, ""),
            open_for=open_for,
        ),
    )
    return pages.thanks_page(form, submission, language)


@router.get(
    "/confirm/{token}",
    operation_id="leadForms.confirmPage",
    dependencies=_PUBLIC,
    response_class=HTMLResponse,
)
@router.head("/confirm/{token}", dependencies=_PUBLIC, include_in_schema=False)
async def show_confirmation(
    token: Token,
    intake: LeadIntakeDep,
    links: FormLinksDep,
    lang: Lang = None,
    accept_language: AcceptLanguage = None,
) -> Response:
    """The page that a confirmation mail leads to. Opening it changes nothing."""
    submission = await _find_submission(token, intake, links)
    language = _language_of(submission, lang, accept_language)
    if submission is None:
        return pages.not_valid_page(language)
    if submission.confirmed_at is not None:
        return pages.confirmed_page(language)
    return pages.confirm_page(submission, language)


@router.post(
    "/confirm/{token}",
    operation_id="leadForms.confirm",
    dependencies=_PUBLIC,
    response_class=HTMLResponse,
)
async def confirm(
    token: Token,
    forms: LeadFormServiceDep,
    intake: LeadIntakeDep,
    links: FormLinksDep,
    lang: Lang = None,
    accept_language: AcceptLanguage = None,
) -> Response:
    """What was agreed to counts from now on. Again, it changes nothing."""
    submission = await _find_submission(token, intake, links, lock=True)
    language = _language_of(submission, lang, accept_language)
    if submission is None:
        return pages.not_valid_page(language)
    await intake.confirm(submission, await forms.get(submission.form_id))
    return pages.confirmed_page(language)


async def _find(token: str, forms: LeadFormService, links: FormLinks) -> LeadForm | None:
    form_id = links.find_form(token)
    if form_id is None:
        return None
    try:
        return await forms.get(form_id)
    except LeadFormNotFound:
        return None


async def _find_submission(
    token: str, intake: LeadIntake, links: FormLinks, *, lock: bool = False
) -> Submission | None:
    submission_id = links.find_submission(token)
    if submission_id is None:
        return None
    try:
        return await intake.find_confirmable(submission_id, lock=lock)
    except SubmissionNotFound:
        return None


def _language_of(
    submission: Submission | None, lang: Language | None, accept_language: str | None
) -> Language:
    default: Language = submission.language if submission else "vi"
    return lang or preferred_language(accept_language) or default


def _other_language(request: Request, language: Language) -> str:
    other: Language = "en" if language == "vi" else "vi"
    return kept_query(request.query_params, language=other)


def _origin(request: Request, referrer: str, *, landing_page: str) -> Origin:
    said = {name: value for name, value in request.query_params.items() if name in PARAMETERS}
    return origin_of(said, referrer=referrer, landing_page=landing_page)
