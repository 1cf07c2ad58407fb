"""A shop with a loyalty programme, whose time passes when a test says so."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from services.customer.loyalty.tasks import LoyaltySweeps
from shared.ids import TenantId
from shared.security.principal import PrincipalKind
from tests.support.harness import ServiceHarness

# Ten in the morning in Vietnam.
START = datetime(2027, 3, 1, 3, 0, tzinfo=UTC)
RESOURCES = ("customers", "orders", "loyalty", "redemptions", "vouchers", "referrals")
SCOPES = tuple(f"{resource}:{verb}" for resource in RESOURCES for verb in ("read", "write"))
CUSTOMERS_ACCOUNTS = ("available", "pending", "owed")

_MERGE = text(
    "UPDATE customer.customer SET parent_id = :root, merged_into = :root "
    "WHERE tenant_id = :tenant AND id = :id"
)
_LEDGER = text(
    "SELECT debit, credit, points FROM customer.loyalty_entry "
    "WHERE tenant_id = :tenant AND customer_id = :id"
)
_LOTS = text(
    "SELECT matured_at, remaining, owed FROM customer.loyalty_lot "
    "WHERE tenant_id = :tenant AND customer_id = :id"
)


class ManualClock:
    """Stands still until it is moved, or goes a little further with each look."""

    def __init__(self) -> None:
        self._now = START
        self._tick = timedelta()

    def now(self) -> datetime:
        self._now += self._tick
        return self._now

    def set(self, at: datetime) -> None:
        self._now = at
        self._tick = timedelta()

    def run(self, tick: timedelta) -> None:
        self._tick = tick

    def advance(self, **duration: float) -> None:
        self._now += timedelta(**duration)


class Shop:
    """Speaks to the service for one shop; each request with a credential of its moment."""

    def __init__(self, service: ServiceHarness, clock: ManualClock, tenant: TenantId) -> None:
        self.service = service
        self.clock = clock
        self.tenant = tenant
        self._orders = 0

    def client(self, *scopes: str, **principal: Any) -> httpx.AsyncClient:
        return self.service.client(self.tenant, *(scopes or SCOPES), **principal)

    def shopper(self, customer_id: str, *scopes: str) -> httpx.AsyncClient:
        return self.client(
            *(scopes or ("loyalty:own",)),
            kind=PrincipalKind.SHOPPER,
            actor_id=customer_id,
            customer_id=UUID(customer_id),
        )

    async def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        async with self.client() as client:
            return await client.request(method, path, **request)

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.send("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, **body: Any) -> Any:
        answer = await self.send("POST", path, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def refused(self, path: str, **body: Any) -> tuple[int, str]:
        """Status and code of the refusal of a POST."""
        answer = await self.send("POST", path, json=body)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()["code"]

    async def programme(self, **promised: Any) -> Any:
        """Opens the programme: a point is worth 100 đ, and can be spent at once unless said."""
        body = {
            "name": "Hoa Mai thân thiết",
            "point_value": vnd(100),
            "hold_days": 0,
            "expires_after_months": None,
            **promised,
        }
        answer = await self.send("PUT", "/v1/loyalty/programme", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def order_rule(self, points: int = 1, per: int = 10_000, **said: Any) -> Any:
        return await self.post(
            "/v1/loyalty/rules", kind="order", points=points, per_amount=vnd(per), **said
        )

    async def customer(self, name: str = "Nguyễn Thị Lan", **known: Any) -> str:
        made: str = (await self.post("/v1/customers", name=name, **known))["id"]
        return made

    async def order(
        self, customer_id: str, total: int, external_id: str | None = None, **fields: Any
    ) -> Any:
        """A paid order, placed now, unless said otherwise."""
        self._orders += 1
        return await self.post(
            "/v1/orders",
            **{
                "customer_id": customer_id,
                "external_id": external_id or f"HD-{self._orders}",
                "financial_status": "paid",
                "total": vnd(total),
                **fields,
            },
        )

    async def account(self, customer_id: str) -> Any:
        return await self.get(f"/v1/loyalty/accounts/{customer_id}")

    async def points(self, customer_id: str) -> tuple[int, int, int]:
        """What is available, pending and owed, as the API tells and as the lots have it."""
        account = await self.account(customer_id)
        told = tuple(account[name] for name in CUSTOMERS_ACCOUNTS)
        return told[0], told[1], told[2]

    async def give(self, customer_id: str, points: int) -> None:
        await self.post(
            "/v1/loyalty/adjustments", customer_id=customer_id, points=points, note="Quà"
        )

    async def entries(self, customer_id: str, **params: Any) -> Sequence[Any]:
        path = f"/v1/loyalty/accounts/{customer_id}/entries"
        found: Sequence[Any] = (await self.get(path, **params))["data"]
        return found

    async def sweep(self) -> None:
        """What the worker does now and then."""
        sweeps = LoyaltySweeps(self.service.context.units, batch=3)
        await sweeps.keep_time_of(self.tenant)
        await sweeps.tell_expiry_of(self.tenant)
        await sweeps.review_tiers_of(self.tenant)

    async def erase(self, customer_id: str) -> None:
        """Forget somebody by the shop's own word."""
        async with self.client("privacy:read", "privacy:write", "customers:read") as client:
            body = {"kind": "erasure", "customer_id": customer_id}
            made = (await client.post("/v1/privacy-requests", json=body)).json()
            where = f"/v1/privacy-requests/{made['id']}"
            await client.post(f"{where}/identity-check", json={"method": "in_person"})
            answer = await client.post(f"{where}/execution")
            assert answer.status_code == 202, answer.text

    async def merge(self, record: str, into: str) -> None:
        await self._link(record, into)

    async def unmerge(self, record: str) -> None:
        await self._link(record, None)

    async def _link(self, record: str, root: str | None) -> None:
        async with self.service.context.units.begin(self.tenant) as uow:
            ids = {"id": UUID(record), "root": UUID(root) if root else None}
            await uow.execute(_MERGE, {"tenant": self.tenant, **ids})
            await uow.commit()

    async def check(self, *customer_ids: str) -> None:
        """Every record's ledger balances, and says what its lots hold."""
        async with self.service.context.units.begin(self.tenant) as uow:
            for customer_id in customer_ids:
                named = {"tenant": self.tenant, "id": UUID(customer_id)}
                sums = dict.fromkeys(CUSTOMERS_ACCOUNTS, 0)
                for entry in await uow.rows(_LEDGER, named):
                    for account, points in (
                        (entry.debit, -entry.points),
                        (entry.credit, entry.points),
                    ):
                        sums[account] = sums.get(account, 0) + points
                lots = await uow.rows(_LOTS, named)
                assert sum(sums.values()) == 0
                assert sums["available"] == sum(lot.remaining for lot in lots if lot.matured_at)
                assert sums["pending"] == sum(lot.remaining for lot in lots if not lot.matured_at)
                assert -sums["owed"] == sum(lot.owed for lot in lots)


def vnd(amount: int) -> dict[str, str]:
    return {"amount": str(amount), "currency": "VND"}
