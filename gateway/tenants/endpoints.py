"""The shops of the installation."""

from fastapi import Response

from gateway.deps import ProvisioningDep
from gateway.tenants.schemas import TenantCreate, TenantRead
from shared.web.resources import etag
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/tenants", tag="tenants")


@router.post(
    "", status_code=201, operation_id="tenants.create", dependencies=[requires("tenants:write")]
)
async def create_tenant(
    body: TenantCreate, provisioning: ProvisioningDep, response: Response
) -> TenantRead:
    """Create a shop with its owner. Send the operator key of the installation as bearer token.

    Queues, calendars, templates, segments and automations of the new shop are there within
    seconds.
    """
    created = await provisioning.create(body)
    response.headers["ETag"] = etag(created.version)
    return created
