"""`/v1/policies`: what a shop allows itself to send."""

from typing import Annotated

from fastapi import Depends, Response

from services.messaging.deps import PolicyServiceDep
from services.messaging.policies.records import Policy, PolicyRules
from services.messaging.policies.schemas import PolicyRead, PolicyReplace
from shared.web.resources import etag, if_match
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/policies", tag="policies")


@router.get("", operation_id="policies.get", dependencies=[requires("messages:read")])
async def get_policy(service: PolicyServiceDep, response: Response) -> PolicyRead:
    """The sending policy in force: frequency caps per channel and class.

    Consent and suppressions are not options: care and advertising always need a granted consent,
    and nothing goes to a suppressed address.
    """
    return _read(await service.get(), response)


@router.put("", operation_id="policies.replace", dependencies=[requires("messages:write")])
async def replace_policy(
    body: PolicyReplace,
    service: PolicyServiceDep,
    response: Response,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> PolicyRead:
    """Replace the sending policy. It holds for every message not yet decided on."""
    rules = PolicyRules(frequency_caps=body.frequency_caps)
    return _read(await service.replace(rules, expected_version=expected_version), response)


def _read(policy: Policy, response: Response) -> PolicyRead:
    response.headers["ETag"] = etag(policy.version)
    return PolicyRead(version=policy.version, frequency_caps=policy.rules.frequency_caps)
