"""A code besides the password."""

from uuid import UUID

from fastapi import Response

from gateway.deps import (
    AppointingDep,
    OwnStaffIdDep,
    SecondFactorServiceDep,
    ShopNameDep,
)
from gateway.second_factor.schemas import (
    RecoveryCodes,
    SecondFactorConfirm,
    SecondFactorEnrol,
    SecondFactorEnrolment,
    SecondFactorProof,
    SecondFactorRead,
)
from shared.web.problems import problem_responses
from shared.web.resources import TELLS_A_SECRET
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/auth/second-factor", tag="auth")
staff_router = service_router(prefix="/v1/staff", tag="staff")
_SLOWED = problem_responses(429)


@router.get("", operation_id="auth.getSecondFactor", dependencies=[requires()])
async def get_second_factor(
    own_id: OwnStaffIdDep, service: SecondFactorServiceDep
) -> SecondFactorRead:
    """Whether your login takes a code, and whether the shop wants it to."""
    return await service.describe(own_id)


@router.post(
    "",
    status_code=201,
    operation_id="auth.enrolSecondFactor",
    dependencies=[requires()],
    responses=_SLOWED,
)
async def enrol_second_factor(
    body: SecondFactorEnrol,
    own_id: OwnStaffIdDep,
    shop: ShopNameDep,
    service: SecondFactorServiceDep,
    response: Response,
) -> SecondFactorEnrolment:
    """Get a secret for an authenticator app (TOTP, RFC 6238).

    Nothing changes until you confirm it with a code of the app.
    """
    password = body.password.get_secret_value()
    response.headers.update(TELLS_A_SECRET)
    return await service.enrol(own_id, password=password, issuer=shop)


@router.post("/confirm", operation_id="auth.confirmSecondFactor", dependencies=[requires()])
async def confirm_second_factor(
    body: SecondFactorConfirm,
    own_id: OwnStaffIdDep,
    service: SecondFactorServiceDep,
    response: Response,
) -> RecoveryCodes:
    """Have your logins ask for a code from now on.

    The answer holds the codes for when the app is lost; keep them on paper.
    """
    response.headers.update(TELLS_A_SECRET)
    return RecoveryCodes(codes=await service.confirm(own_id, body.code))


@router.post(
    "/recovery-codes",
    operation_id="auth.renewRecoveryCodes",
    dependencies=[requires()],
    responses=_SLOWED,
)
async def renew_recovery_codes(
    body: SecondFactorProof,
    own_id: OwnStaffIdDep,
    service: SecondFactorServiceDep,
    response: Response,
) -> RecoveryCodes:
    """Get new recovery codes; the old ones are good for nothing any more."""
    response.headers.update(TELLS_A_SECRET)
    password = body.password.get_secret_value()
    fresh = await service.renew_codes(own_id, password=password, code=body.code)
    return RecoveryCodes(codes=fresh)


@router.post(
    "/disable",
    status_code=204,
    operation_id="auth.disableSecondFactor",
    dependencies=[requires()],
    responses=_SLOWED,
)
async def disable_second_factor(
    body: SecondFactorProof, own_id: OwnStaffIdDep, service: SecondFactorServiceDep
) -> None:
    """Log in with the password alone from now on."""
    password = body.password.get_secret_value()
    await service.disable(own_id, password=password, code=body.code)


@staff_router.delete(
    "/{staff_id}/second-factor",
    status_code=204,
    operation_id="staff.removeSecondFactor",
    dependencies=[requires("staff:write")],
)
async def remove_second_factor(
    staff_id: UUID, appointing: AppointingDep, service: SecondFactorServiceDep
) -> None:
    """Help somebody who has lost their app and their recovery codes.

    It ends their sessions; they log in with their password and set up a new one.
    """
    await service.remove(staff_id, appointing=appointing)
