"""Who somebody is who is already logged in."""

from uuid import UUID

from gateway.sessions.schemas import CallerRead, ShopRead
from gateway.staff.repository import StaffRepository
from gateway.staff.schemas import StaffRead
from gateway.tenants.repository import TenantRepository
from shared.errors import Unauthenticated
from shared.security.principal import Principal, PrincipalKind


class CallerService:
    """Describes the caller of a request."""

    def __init__(
        self, *, principal: Principal, tenants: TenantRepository, staff: StaffRepository
    ) -> None:
        self._principal = principal
        self._tenants = tenants
        self._staff = staff

    async def describe(self) -> CallerRead:
        """The caller, its shop and its scopes. Raises Unauthenticated when the shop is gone."""
        principal = self._principal
        shop = await self._tenants.find()
        if shop is None:
            raise Unauthenticated("The shop does not exist")
        staff = None
        if principal.kind is PrincipalKind.STAFF:
            staff = StaffRead.of(await self._staff.get(UUID(principal.actor_id)))
        return CallerRead(
            kind=principal.kind,
            id=principal.actor_id,
            scopes=sorted(principal.scopes),
            visibility=principal.visibility,
            team_ids=sorted(principal.team_ids),
            shop=ShopRead(id=principal.tenant_id, **shop.model_dump(exclude={"version"})),
            staff=staff,
        )
