"""What tests of merges do over the API."""

from typing import Any

import httpx

Json = dict[str, Any]


class Merging:
    """A client of one shop who makes customers, has them buy, and merges them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self._orders = 0

    async def make(self, **said: Any) -> Json:
        """A new customer."""
        return await self._sent("POST", "/v1/customers", {"source": "pos", **said})

    async def make_all(self, *names: str) -> list[Json]:
        """New customers, in the order of their names."""
        return [await self.make(name=name) for name in names]

    async def read(self, customer: Json | str) -> Json:
        """Who stands for a customer."""
        customer_id = customer if isinstance(customer, str) else customer["id"]
        return await self._sent("GET", f"/v1/customers/{customer_id}")

    async def buy(self, customer: Json, amount: int, **said: Any) -> Json:
        """A paid order of somebody."""
        self._orders += 1
        order = {
            "customer_id": customer["id"],
            "external_id": f"order-{self._orders}",
            "financial_status": "paid",
            "total": {"amount": str(amount), "currency": "VND"},
            "lines": [],
        }
        return await self._sent("POST", "/v1/orders", {**order, **said})

    async def try_to_merge(self, stays: Json, *others: Json, **said: Any) -> httpx.Response:
        """The answer to a merge of customers into the first."""
        body = {"customer_ids": [other["id"] for other in others], **said}
        return await self.client.post(f"/v1/customers/{stays['id']}/merges", json=body)

    async def merge(self, stays: Json, *others: Json, dry_run: bool = False, **said: Any) -> Json:
        """Customers merged into the first."""
        body = {"customer_ids": [other["id"] for other in others], **said}
        path = f"/v1/customers/{stays['id']}/merges"
        return await self._sent("POST", path, body, dry_run=dry_run)

    async def undo(self, merged: Json, **query: bool) -> Json:
        """A merge, taken back."""
        return await self._sent("POST", f"/v1/merges/{merged['id']}/undo", **query)

    async def take_out(self, merged: Json, *customers: Json, **query: bool) -> Json:
        """Some of those who were merged, taken out again."""
        body = {"customer_ids": [customer["id"] for customer in customers]}
        return await self._sent("POST", f"/v1/merges/{merged['id']}/undo", body, **query)

    async def _sent(self, method: str, path: str, body: Json | None = None, **query: bool) -> Json:
        answer = await self.client.request(method, path, json=body, params=query)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        made: Json = answer.json()
        return made


def facts(customer: Json) -> Json:
    """What is known of a customer, but for when it was written."""
    return {name: v for name, v in customer.items() if name not in {"version", "updated_at"}}
