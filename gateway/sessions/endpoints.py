"""Logging in, staying logged in, logging out, and asking who one is."""

from fastapi import APIRouter

from gateway.deps import CallerServiceDep, SessionServiceDep
from gateway.sessions.schemas import (
    CallerRead,
    LoginRequest,
    RefreshRequest,
    SessionTokens,
)
from gateway.sessions.service import OpenSession
from gateway.staff.schemas import StaffRead
from shared.web.problems import problem_responses
from shared.web.routing import requires, service_router

# Who logs in has no principal yet: these routes open no unit of work by themselves.
public_router = APIRouter(prefix="/v1/auth", tags=["auth"])
router = service_router(prefix="/v1/auth", tag="auth")


@public_router.post(
    "/login", operation_id="auth.login", responses=problem_responses(401, 409, 422, 429)
)
async def log_in(body: LoginRequest, sessions: SessionServiceDep) -> SessionTokens:
    """Log in with address and password.

    Who works for several shops with the same password names one by its slug; the answer 409
    `shop_required` lists them.
    """
    opened = await sessions.log_in(
        email=body.email, password=body.password.get_secret_value(), shop=body.shop
    )
    return _tokens(opened)


@public_router.post("/refresh", operation_id="auth.refresh", responses=problem_responses(401, 422))
async def refresh(body: RefreshRequest, sessions: SessionServiceDep) -> SessionTokens:
    """Exchange a refresh token for new tokens.

    Each is good once: the session ends when one is used a second time.
    """
    return _tokens(await sessions.refresh(body.refresh_token.get_secret_value()))


@public_router.post(
    "/logout", status_code=204, operation_id="auth.logout", responses=problem_responses(422)
)
async def log_out(body: RefreshRequest, sessions: SessionServiceDep) -> None:
    """End the session that a refresh token belongs to."""
    await sessions.log_out(body.refresh_token.get_secret_value())


@router.get("/me", operation_id="auth.me", dependencies=[requires()])
async def get_caller(caller: CallerServiceDep) -> CallerRead:
    """Who is calling, in which shop, and what they may do."""
    return await caller.describe()


def _tokens(opened: OpenSession) -> SessionTokens:
    return SessionTokens(
        access_token=opened.access.text,
        expires_in=opened.access.seconds,
        refresh_token=opened.refresh.text,
        refresh_expires_at=opened.refresh_expires_at,
        staff=StaffRead.of(opened.staff),
    )
