"""Passwords that are forgotten or changed, and the page on which a link is opened."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Response
from fastapi.responses import HTMLResponse

from gateway.deps import (
    CurrentSessionDep,
    DeviceDep,
    NewPasswordsDep,
    OwnStaffIdDep,
    PasswordResetsDep,
)
from gateway.password_resets import pages
from gateway.password_resets.errors import ResetNotValid
from gateway.password_resets.schemas import (
    PasswordChange,
    PasswordResetConfirm,
    PasswordResetRequest,
)
from shared.errors import Invalid
from shared.languages import preferred_language
from shared.web.languages import AcceptLanguage, Lang
from shared.web.problems import problem_responses
from shared.web.routing import requires, service_router

# Who has forgotten a password has no principal: these routes open no unit of work by themselves.
public_router = APIRouter(prefix="/v1/auth/password-resets", tags=["auth"])
router = service_router(prefix="/v1/auth/password", tag="auth")
page_router = service_router(prefix="/pages/passwords", tag="pages")


@public_router.post(
    "",
    status_code=202,
    operation_id="auth.requestPasswordReset",
    responses=problem_responses(422, 429),
)
async def request_password_reset(
    body: PasswordResetRequest, resets: PasswordResetsDep, device: DeviceDep
) -> None:
    """Have a link to a new password sent by e-mail.

    The answer is the same whether or not anybody has the address. The link works once, for an
    hour. Two-step login stays as it was.
    """
    resets.request(email=body.email, shop=body.shop, device=device)


@public_router.post(
    "/confirm",
    status_code=204,
    operation_id="auth.confirmPasswordReset",
    responses=problem_responses(404, 422, 429),
)
async def confirm_password_reset(
    body: PasswordResetConfirm, resets: PasswordResetsDep, device: DeviceDep
) -> None:
    """Choose a new password with the token of the link. It ends every session of yours."""
    password = body.password.get_secret_value()
    await resets.redeem(body.token.get_secret_value(), password, device=device)


@router.put(
    "",
    status_code=204,
    operation_id="auth.changePassword",
    dependencies=[requires()],
    responses=problem_responses(429),
)
async def change_password(
    body: PasswordChange,
    own_id: OwnStaffIdDep,
    session_id: CurrentSessionDep,
    passwords: NewPasswordsDep,
    device: DeviceDep,
) -> None:
    """Change your password. It ends every session of yours but this one."""
    await passwords.change_own(
        own_id,
        current=body.current_password.get_secret_value(),
        wanted=body.new_password.get_secret_value(),
        session_id=session_id,
        device=device,
    )


@page_router.get(
    "/{token}",
    operation_id="passwords.page",
    dependencies=[requires("public:pages")],
    response_class=HTMLResponse,
)
async def show_password_page(
    token: Annotated[str, Path(max_length=200)],
    resets: PasswordResetsDep,
    passwords: NewPasswordsDep,
    lang: Lang = None,
    accept_language: AcceptLanguage = None,
) -> Response:
    """The page on which the holder of a link chooses a password. Opening it changes nothing."""
    language = lang or preferred_language(accept_language) or "vi"
    try:
        member = await passwords.find(resets.target(token).subject_id)
    except ResetNotValid:
        return pages.not_valid_page(language)
    return pages.form_page(language, member.email)


@page_router.post(
    "/{token}",
    operation_id="passwords.choose",
    dependencies=[requires("public:pages")],
    response_class=HTMLResponse,
)
async def choose_password(
    token: Annotated[str, Path(max_length=200)],
    resets: PasswordResetsDep,
    passwords: NewPasswordsDep,
    device: DeviceDep,
    password: Annotated[str, Form(max_length=1000)] = "",
    again: Annotated[str, Form(max_length=1000)] = "",
    lang: Lang = None,
    accept_language: AcceptLanguage = None,
) -> Response:
    """Take the password that was chosen."""
    language = lang or preferred_language(accept_language) or "vi"
    try:
        reset_id = resets.target(token).subject_id
        member = await passwords.find(reset_id)
        fault = pages.fault_of(password, again)
        if fault is not None:
            return pages.form_page(language, member.email, fault=fault)
        await passwords.redeem(reset_id, password, device=device)
    except ResetNotValid:
        return pages.not_valid_page(language)
    except Invalid:
        return pages.form_page(language, member.email, fault="weak")
    return pages.done_page(language)
