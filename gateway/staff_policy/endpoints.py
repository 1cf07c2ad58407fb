"""What a shop decides for all its staff."""

from typing import Annotated

from fastapi import Depends, Response

from gateway.deps import StaffPolicyServiceDep
from gateway.staff_policy.schemas import StaffPolicyPatch, StaffPolicyRead
from shared.web.resources import etag, if_match
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/settings/staff", tag="settings")


@router.get("", operation_id="settings.getStaff", dependencies=[requires("settings:read")])
async def get_staff_policy(service: StaffPolicyServiceDep, response: Response) -> StaffPolicyRead:
    """Whose work the built-in roles see, and whose members need a second factor."""
    policy = await service.get()
    response.headers["ETag"] = etag(policy.version)
    return StaffPolicyRead.of(policy)


@router.patch("", operation_id="settings.updateStaff", dependencies=[requires("settings:write")])
async def update_staff_policy(
    body: StaffPolicyPatch,
    service: StaffPolicyServiceDep,
    response: Response,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> StaffPolicyRead:
    """Change the policy; everybody who is logged in feels it within 5 seconds.

    Whoever needs a second factor and has none keeps their session and can do nothing in it but set
    one up.
    """
    policy = await service.change(body, expected_version=expected_version)
    response.headers["ETag"] = etag(policy.version)
    return StaffPolicyRead.of(policy)
