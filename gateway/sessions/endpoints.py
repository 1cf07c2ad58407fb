"""Logging in, staying logged in, logging out, and asking who one is."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from gateway.deps import (
    CallerServiceDep,
    CurrentSessionDep,
    DeviceDep,
    OwnStaffIdDep,
    SessionOverviewDep,
    SessionServiceDep,
)
from gateway.sessions.schemas import (
    CallerRead,
    LoginRequest,
    RefreshRequest,
    SecondFactorLogin,
    SessionTokens,
    StaffSessionRead,
)
from gateway.sessions.service import OpenSession
from gateway.staff.schemas import StaffRead
from shared.db.paging import PageRequest
from shared.web.problems import problem_responses
from shared.web.resources import TELLS_A_SECRET, Page, page_request
from shared.web.routing import requires, service_router

# Who logs in has no principal yet: these routes open no unit of work by themselves.
public_router = APIRouter(prefix="/v1/auth", tags=["auth"])
router = service_router(prefix="/v1/auth", tag="auth")
staff_router = service_router(prefix="/v1/staff", tag="staff")

PagingDep = Annotated[PageRequest, Depends(page_request)]


@public_router.post(
    "/login", operation_id="auth.login", responses=problem_responses(401, 409, 422, 429)
)
async def log_in(
    body: LoginRequest, sessions: SessionServiceDep, device: DeviceDep, response: Response
) -> SessionTokens:
    """Log in with address and password.

    Who works for several shops with the same password names one by its slug; the answer 409
    `shop_required` lists them. Who has a second factor gets 401 `second_factor_required` with a
    `challenge_token` for `POST /v1/auth/login/second-factor`.
    """
    opened = await sessions.log_in(
        email=body.email,
        password=body.password.get_secret_value(),
        shop=body.shop,
        device=device,
    )
    return _tokens(opened, response)


@public_router.post(
    "/login/second-factor",
    operation_id="auth.loginSecondFactor",
    responses=problem_responses(401, 422, 429),
)
async def log_in_with_code(
    body: SecondFactorLogin, sessions: SessionServiceDep, device: DeviceDep, response: Response
) -> SessionTokens:
    """Finish a login with the code of the authenticator app, or with a recovery code.

    A code is good once. A challenge is good for five minutes.
    """
    opened = await sessions.finish_log_in(
        challenge=body.challenge_token.get_secret_value(), code=body.code, device=device
    )
    return _tokens(opened, response)


@public_router.post(
    "/refresh", operation_id="auth.refresh", responses=problem_responses(401, 422, 429)
)
async def refresh(
    body: RefreshRequest, sessions: SessionServiceDep, device: DeviceDep, response: Response
) -> SessionTokens:
    """Exchange a refresh token for new tokens.

    Each is good once: the session ends when one is used a second time.
    """
    opened = await sessions.refresh(body.refresh_token.get_secret_value(), device=device)
    return _tokens(opened, response)


@public_router.post(
    "/logout", status_code=204, operation_id="auth.logout", responses=problem_responses(422, 429)
)
async def log_out(body: RefreshRequest, sessions: SessionServiceDep, device: DeviceDep) -> None:
    """End the session that a refresh token belongs to."""
    await sessions.log_out(body.refresh_token.get_secret_value(), device=device)


@router.get("/me", operation_id="auth.me", dependencies=[requires()])
async def get_caller(caller: CallerServiceDep) -> CallerRead:
    """Who is calling, in which shop, and what they may do."""
    return await caller.describe()


@router.get("/sessions", operation_id="auth.listSessions", dependencies=[requires()])
async def list_own_sessions(
    own_id: OwnStaffIdDep,
    current: CurrentSessionDep,
    overview: SessionOverviewDep,
    request: PagingDep,
) -> Page[StaffSessionRead]:
    """Where you are logged in, the newest first."""
    found, cursor = await overview.list_own(own_id, request)
    return Page[StaffSessionRead](
        data=[StaffSessionRead.of(record, current=current) for record in found],
        next_cursor=cursor,
    )


@router.delete(
    "/sessions/{session_id}",
    status_code=204,
    operation_id="auth.endSession",
    dependencies=[requires()],
)
async def end_own_session(
    session_id: UUID, own_id: OwnStaffIdDep, overview: SessionOverviewDep
) -> None:
    """Log yourself out somewhere; it is felt everywhere within 5 seconds."""
    await overview.end_own(own_id, session_id)


@router.delete(
    "/sessions",
    status_code=204,
    operation_id="auth.endOtherSessions",
    dependencies=[requires()],
)
async def end_other_sessions(
    own_id: OwnStaffIdDep, current: CurrentSessionDep, overview: SessionOverviewDep
) -> None:
    """Log yourself out everywhere but here; it is felt everywhere within 5 seconds."""
    await overview.end_others(own_id, current=current)


@staff_router.get(
    "/{staff_id}/sessions", operation_id="staff.listSessions", dependencies=[requires("staff:read")]
)
async def list_staff_sessions(
    staff_id: UUID,
    current: CurrentSessionDep,
    overview: SessionOverviewDep,
    request: PagingDep,
) -> Page[StaffSessionRead]:
    """Where a member of staff is logged in, the newest first."""
    found, cursor = await overview.list_of(staff_id, request)
    return Page[StaffSessionRead](
        data=[StaffSessionRead.of(record, current=current) for record in found],
        next_cursor=cursor,
    )


@staff_router.delete(
    "/{staff_id}/sessions",
    status_code=204,
    operation_id="staff.endSessions",
    dependencies=[requires("staff:write")],
)
async def end_staff_sessions(staff_id: UUID, overview: SessionOverviewDep) -> None:
    """Log a member of staff out everywhere; it is felt within 5 seconds."""
    await overview.end_all_of(staff_id)


def _tokens(opened: OpenSession, response: Response) -> SessionTokens:
    response.headers.update(TELLS_A_SECRET)
    return SessionTokens(
        access_token=opened.access.text,
        expires_in=opened.access.seconds,
        refresh_token=opened.refresh.text,
        refresh_expires_at=opened.refresh_expires_at,
        second_factor_required=opened.staff.must_enrol,
        staff=StaffRead.of(opened.staff),
    )
