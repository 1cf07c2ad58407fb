"""A shop of a test: its staff, its customers, and what they do over the API."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from shared.contracts.customer import (
    CustomerMerged,
    CustomerState,
    CustomerUnmerged,
    CustomerUpdated,
)
from shared.contracts.gateway import StaffChanged, StaffState, TenantProvisioned, TenantState
from shared.contracts.messaging import InboundMessageReceived
from shared.ids import TenantId, new_id
from shared.security.principal import PrincipalKind, Visibility
from tests.support.harness import ServiceHarness

SCOPES = tuple(
    f"{resource}:{verb}"
    for resource in ("tickets", "queues", "sla", "surveys", "reports")
    for verb in ("read", "write")
)


@dataclass
class Shop:
    """One tenant of the running service."""

    service: ServiceHarness
    tenant: TenantId

    async def open(self, **shop: Any) -> "Shop":
        state = TenantState(**{"name": "Tiệm Gốm Nhà Mây", "slug": "may", **shop})
        await self.service.receive(
            self.tenant, "gateway", [(self.tenant, TenantProvisioned(tenant=state))]
        )
        return self

    def api(self) -> httpx.AsyncClient:
        """A program with an API key that may do everything."""
        return self.service.client(self.tenant, *SCOPES)

    def agent(
        self, staff_id: UUID, *, visibility: Visibility = Visibility.ALL, teams: Iterable[UUID] = ()
    ) -> httpx.AsyncClient:
        return self.service.client(
            self.tenant,
            *SCOPES,
            kind=PrincipalKind.STAFF,
            actor_id=str(staff_id),
            visibility=visibility,
            team_ids=teams,
        )

    def shopper(self, customer_id: UUID) -> httpx.AsyncClient:
        return self.service.client(
            self.tenant,
            "tickets:own",
            kind=PrincipalKind.SHOPPER,
            actor_id=f"shopper:{customer_id}",
            customer_id=customer_id,
        )

    def anybody(self) -> httpx.AsyncClient:
        """Somebody who opened a link."""
        return self.service.client(
            self.tenant, "public:pages", kind=PrincipalKind.PUBLIC, actor_id="public"
        )

    async def hires(self, name: str = "Lan", **staff: Any) -> UUID:
        staff_id = staff.pop("staff_id", None) or new_id()
        state = StaffState(
            **{
                "staff_id": staff_id,
                "name": name,
                "email": f"{staff_id.hex}@shop.vn",
                "role": "agent",
                **staff,
            }
        )
        await self.service.receive(self.tenant, "gateway", [(staff_id, StaffChanged(staff=state))])
        return staff_id

    async def knows(self, customer_id: UUID | None = None, **customer: Any) -> UUID:
        customer_id = customer_id or new_id()
        state = self.customer(customer_id, **customer)
        await self.service.receive(
            self.tenant, "customer", [(customer_id, CustomerUpdated(customer=state))]
        )
        return customer_id

    async def merges(self, customer_id: UUID, into: UUID, **customer: Any) -> None:
        """Another record stands for this one from now on."""
        state = self.customer(customer_id, **{"version": 2, "merged_into": into, **customer})
        event = CustomerMerged(customer=state, merge_id=new_id())
        await self.service.receive(self.tenant, "customer", [(customer_id, event)])

    async def parts(self, customer_id: UUID, into: UUID | None = None, **customer: Any) -> None:
        """The record stands for itself again, or another one than before stands for it."""
        state = self.customer(customer_id, **{"version": 3, "merged_into": into, **customer})
        event = CustomerUnmerged(customer=state, merge_id=new_id())
        await self.service.receive(self.tenant, "customer", [(customer_id, event)])

    def customer(self, customer_id: UUID, **customer: Any) -> CustomerState:
        now = self.service.context.clock.now()
        return CustomerState(
            **{
                "customer_id": customer_id,
                "version": 1,
                "code": "KH000001",
                "stage": "customer",
                "name": "Nguyễn Văn Đức",
                "source": "shopify",
                "created_at": now,
                "updated_at": now,
                **customer,
            }
        )

    async def hears(self, *messages: InboundMessageReceived) -> None:
        await self.service.receive(self.tenant, "messaging", [(m.inbound_id, m) for m in messages])

    def message(self, text: str = "Xin chào", **message: Any) -> InboundMessageReceived:
        return InboundMessageReceived(
            **{
                "inbound_id": new_id(),
                "channel": "email",
                "external_id": new_id().hex,
                "text": text,
                "received_at": self.service.context.clock.now(),
                **message,
            }
        )

    async def told(self, *types: str) -> list[dict[str, Any]]:
        return list(await self.service.told(self.tenant, *types))

    async def ticket(self, **wanted: Any) -> dict[str, Any]:
        """A ticket that a program opened for somebody with an address."""
        requester = {"contact": {"name": "Hoa", "email": f"{new_id().hex}@example.com"}}
        body = {"subject": "Ấm bị rò", "text": "Ấm trà bị rò nước.", "requester": requester}
        async with self.api() as api:
            response = await api.post("/v1/tickets", json={**body, **wanted})
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created

    async def get(self, path: str) -> Any:
        async with self.api() as api:
            response = await api.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: dict[str, Any], status: int) -> Any:
        async with self.api() as api:
            response = await api.post(path, json=body)
        assert response.status_code == status, response.text
        return response.json()

    async def resolve(self, ticket_id: str, **how: Any) -> Any:
        body = {"kind": "answer", **how}
        return await self.post(f"/v1/tickets/{ticket_id}/resolution", body, 201)
