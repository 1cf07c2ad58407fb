"""`/v1/surveys` and `/v1/survey-responses`, and the page a customer answers on."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Form, Path, Query, Response
from fastapi.responses import HTMLResponse

from services.support_ticket.deps import SurveyAnsweringDep, SurveyRepositoryDep
from services.support_ticket.surveys import pages
from services.support_ticket.surveys.answering import SurveyLinkNotValid
from services.support_ticket.surveys.forms import read_answer
from services.support_ticket.surveys.schemas import SurveyRead, SurveyResponseRead
from shared.db.paging import PageRequest
from shared.languages import preferred_language
from shared.web.languages import AcceptLanguage, Lang
from shared.web.resources import Page, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1", tag="surveys")
page_router = service_router(prefix="/pages/surveys", tag="pages")

PagingDep = Annotated[PageRequest, Depends(page_request)]
Token = Annotated[str, Path(max_length=200)]


@router.get("/surveys", operation_id="surveys.list", dependencies=[requires("surveys:read")])
async def list_surveys(
    surveys: SurveyRepositoryDep, paging: PagingDep, ticket_id: UUID | None = None
) -> Page[SurveyRead]:
    """Who was asked how it went, newest first."""
    found, cursor = await surveys.list_page(paging, ticket_id=ticket_id)
    return Page(data=list(found), next_cursor=cursor)


@router.get(
    "/survey-responses",
    operation_id="surveyResponses.list",
    dependencies=[requires("surveys:read")],
)
async def list_responses(
    surveys: SurveyRepositoryDep,
    paging: PagingDep,
    ticket_id: UUID | None = None,
    max_score: Annotated[int | None, Query(ge=1, le=5, description="Only scores up to")] = None,
) -> Page[SurveyResponseRead]:
    """What customers answered, newest first."""
    found, cursor = await surveys.list_responses(paging, ticket_id=ticket_id, max_score=max_score)
    return Page(data=list(found), next_cursor=cursor)


@page_router.get(
    "/{token}",
    operation_id="surveys.page",
    dependencies=[requires("public:pages")],
    response_class=HTMLResponse,
)
@page_router.head("/{token}", dependencies=[requires("public:pages")], include_in_schema=False)
async def show_survey(
    token: Token,
    answering: SurveyAnsweringDep,
    lang: Lang = None,
    accept_language: AcceptLanguage = None,
) -> Response:
    """The page on which the holder of a survey's link answers it. Opening it changes nothing."""
    language = lang or preferred_language(accept_language)
    try:
        asked = await answering.open(token)
    except SurveyLinkNotValid:
        return pages.not_valid_page(language or "vi")
    if asked.answered_at is not None:
        return pages.already_page(asked, language or asked.locale)
    return pages.question_page(asked, language or asked.locale)


@page_router.post(
    "/{token}",
    operation_id="surveys.answer",
    dependencies=[requires("public:pages")],
    response_class=HTMLResponse,
)
async def answer_survey(
    token: Token,
    answering: SurveyAnsweringDep,
    score: Annotated[str, Form(max_length=100, description="1 to 5")] = "",
    comment: Annotated[str, Form(max_length=100_000, description="2000 characters at most")] = "",
    lang: Lang = None,
    accept_language: AcceptLanguage = None,
) -> Response:
    """Take the answer. The first one counts; a second says so and changes nothing.

    Needs no protection against forged forms: whoever knows the link may answer.
    """
    language = lang or preferred_language(accept_language)
    try:
        asked = await answering.open(token)
    except SurveyLinkNotValid:
        return pages.not_valid_page(language or "vi")
    language = language or asked.locale
    answer = read_answer(score, comment, language)
    if asked.answered_at is not None:
        return pages.already_page(asked, language)
    if answer.score is None or answer.faults:
        return pages.question_page(
            asked, language, score=answer.score, comment=comment, faults=answer.faults
        )
    if await answering.answer(asked, score=answer.score, comment=answer.comment):
        return pages.thanks_page(asked, language)
    return pages.already_page(asked, language)
