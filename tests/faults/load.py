"""The mixed load: everything that shops, their platforms and their agents do all day."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, Final

from cli.demo.payloads import Delivery
from cli.demo.shop import Shop
from tests.faults.client import Client
from tests.faults.deliveries import Buyer, shopify_order, woocommerce_order
from tests.faults.truth import Asked, Kind, PlatformOrder, Truth

CLIENTS: Final = 16
_PAUSE_SECONDS: Final = 0.03
# Clients make their own names and numbers, a million each.
_ROOM: Final = 1_000_000


class Person:
    """One client with a character: its own dice, and what it has made so far."""

    def __init__(self, number: int, *, seed: int, shop: Shop, client: Client, truth: Truth) -> None:
        self._number = number
        self._dice = Random(f"{seed}:{number}")
        self._shop = shop
        self._client = client
        self._truth = truth
        self._made = number * _ROOM
        self._customers: list[str] = []
        self._tickets: list[str] = []
        self._resolved: set[str] = set()
        self._buyers: list[Buyer] = []
        self._changes: dict[int, int] = {}
        self._deeds: tuple[tuple[int, Callable[[], Awaitable[None]]], ...] = (
            (14, self._create_customer),
            (6, self._describe_customer),
            (16, self._sell_on_shopify),
            (8, self._change_shopify_order),
            (10, self._sell_on_woocommerce),
            (8, self._sell_at_the_till),
            (14, self._open_ticket),
            (10, self._reply),
            (6, self._write_in),
            (4, self._resolve),
            (6, self._look_again),
        )

    async def live(self, stop: asyncio.Event) -> None:
        """Do one thing after the other until told to stop; what was begun is finished."""
        weights = [weight for weight, _ in self._deeds]
        while not stop.is_set():
            [(_, deed)] = self._dice.choices(self._deeds, weights)
            await deed()
            await asyncio.sleep(_PAUSE_SECONDS * self._dice.uniform(0.5, 1.5))

    async def _create_customer(self) -> None:
        mark = self._mark()
        body = {"name": f"Khách {mark}", "email": f"{mark}@example.com"}
        made = await self._write("customer", mark, "/v1/customers", body)
        if made is not None:
            self._customers.append(made["id"])

    async def _describe_customer(self) -> None:
        if not self._customers:
            return
        customer = self._dice.choice(self._customers)
        number = self._next()
        body = {"attributes": {"last": number}}
        path = f"/v1/customers/{customer}"
        if await self._write("patch", str(number), path, body, may_abandon=False):
            self._truth.attributes[customer] = number

    async def _sell_on_shopify(self) -> None:
        buyer, order_id = self._buyer(), self._next()
        self._changes[order_id] = 0
        await self._tell_of_order(buyer, order_id)

    async def _change_shopify_order(self) -> None:
        if not self._changes:
            return
        order_id = self._dice.choice(list(self._changes))
        connection = self._shop.connection("shopify")
        known = self._truth.orders[connection.id, str(order_id)]
        self._changes[order_id] += 1
        buyer = next(b for b in self._buyers if b.email == known.email)
        await self._tell_of_order(buyer, order_id)

    async def _tell_of_order(self, buyer: Buyer, order_id: int) -> None:
        total = self._dice.randrange(100_000, 3_000_000, 1_000)
        change = self._changes[order_id]
        secret = self._shop.connection("shopify").secret
        told = shopify_order(buyer, secret, order_id=order_id, total=total, change=change)
        await self._deliver(told, buyer, order_id, total, mark=f"{order_id}-{change}")

    async def _sell_on_woocommerce(self) -> None:
        buyer, order_id = self._buyer(), self._next()
        total = self._dice.randrange(100_000, 3_000_000, 1_000)
        secret = self._shop.connection("woocommerce").secret
        told = woocommerce_order(buyer, secret, order_id=order_id, total=total)
        await self._deliver(told, buyer, order_id, total, mark=f"w{order_id}")

    async def _deliver(
        self, told: Delivery, buyer: Buyer, order_id: int, total: int, *, mark: str
    ) -> None:
        """A platform never gives up, and now and then delivers what was taken once more."""
        connection = self._shop.connection(told.platform)
        path = f"/v1/hooks/{told.platform}/{connection.id}"
        ask = Asked("delivery", self._shop, mark, path, told.body, told.headers)
        order = PlatformOrder(self._shop, connection.id, str(order_id), buyer.email, total)
        await self._client.insist(ask, self._dice, may_abandon=False)
        self._truth.orders[connection.id, str(order_id)] = order
        if self._dice.random() < 0.1:
            await self._client.repeat(ask)

    async def _sell_at_the_till(self) -> None:
        if not self._customers:
            return
        mark = self._mark()
        total = {
            "amount": str(self._dice.randrange(50_000, 900_000, 1_000)),
            "currency": "VND",
        }
        body = {
            "customer_id": self._dice.choice(self._customers),
            "source": "pos",
            "external_id": mark,
            "financial_status": "paid",
            "total": total,
            "lines": [{"title": "Áo dài", "quantity": 1, "unit_price": total, "total": total}],
        }
        await self._write("order", mark, "/v1/orders", body)

    async def _open_ticket(self) -> None:
        if not self._customers:
            return
        mark = self._mark()
        body = {
            "subject": f"Hỏi {mark}",
            "text": "Áo bị bung chỉ.",
            "type": self._dice.choice(["question", "complaint"]),
            "requester": {"customer_id": self._dice.choice(self._customers)},
        }
        made = await self._write("ticket", mark, "/v1/tickets", body)
        if made is not None:
            self._tickets.append(made["id"])

    async def _reply(self) -> None:
        if self._tickets:
            mark = self._mark()
            path = f"/v1/tickets/{self._dice.choice(self._tickets)}/replies"
            await self._write("reply", mark, path, {"text": f"Trả lời {mark}"})

    async def _write_in(self) -> None:
        mark = self._mark()
        body = {
            "channel": "zalo",
            "external_id": mark,
            "text": f"Shop ơi {mark}",
            "sender": {"name": "Lan", "email": f"{mark}@example.net"},
        }
        await self._write("inbound", mark, "/v1/inbound-messages", body)

    async def _resolve(self) -> None:
        waiting = [ticket for ticket in self._tickets if ticket not in self._resolved]
        if not waiting:
            return
        ticket = self._dice.choice(waiting)
        self._resolved.add(ticket)
        body = {"kind": "answer", "result": "positive"}
        await self._write("resolution", ticket, f"/v1/tickets/{ticket}/resolution", body)

    async def _look_again(self) -> None:
        """What was promised is there, at once and under whatever fault."""
        for kind, made in (("customers", self._customers), ("tickets", self._tickets)):
            if made:
                path = f"/v1/{kind}/{self._dice.choice(made)}"
                status, found = await self._client.get(path, self._shop.api_key)
                if status == 200 and found["id"] not in path:
                    self._truth.surprises.append(f"{path} answered with {found['id']}")

    async def _write(
        self, kind: Kind, mark: str, path: str, body: dict[str, Any], *, may_abandon: bool = True
    ) -> dict[str, Any] | None:
        key = f"{kind}-{mark}"
        headers = {
            "authorization": f"Bearer {self._shop.api_key}",
            "content-type": "application/json",
            "idempotency-key": key,
        }
        ask = Asked(kind, self._shop, mark, path, json.dumps(body).encode(), headers, key)
        await self._client.insist(ask, self._dice, may_abandon=may_abandon)
        return ask.accepted

    def _buyer(self) -> Buyer:
        """Somebody new, or somebody who has bought before, here or on the other platform."""
        if self._buyers and self._dice.random() < 0.5:
            return self._dice.choice(self._buyers)
        number = self._next()
        buyer = Buyer(number, f"b{number}@example.org")
        self._buyers.append(buyer)
        return buyer

    def _mark(self) -> str:
        return f"m{self._next()}"

    def _next(self) -> int:
        self._made += 1
        return self._made


def people(shops: list[Shop], *, seed: int, client: Client, truth: Truth) -> list[Person]:
    """The clients, spread over the shops."""
    return [
        Person(number, seed=seed, shop=shops[number % len(shops)], client=client, truth=truth)
        for number in range(1, CLIENTS + 1)
    ]
