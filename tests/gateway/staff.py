"""Members of staff, as the tests hire them and log them in."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from gateway.access.passwords import Passwords
from shared.security.keys import SecretBox
from tests.gateway.conftest import Shop, client_of
from tests.support.waiting import eventually

PASSWORD = "nam-sau-bay-tam"
SIGNED_IN = 200


async def hire(shop: Shop, **fields: Any) -> dict[str, Any]:
    """A new member of staff, as the owner sees them."""
    body = {
        "name": "Trần Thị Lan",
        "email": f"lan-{uuid4().hex[:12]}@example.com",
        "password": PASSWORD,
        **fields,
    }
    answer = await shop.owner.post("/v1/staff", json=body)
    assert answer.status_code == 201, answer.text
    hired: dict[str, Any] = answer.json()
    return hired


async def log_in(
    app: FastAPI, shop: Shop, email: str, password: str = PASSWORD, **headers: str
) -> httpx.Response:
    """The answer to a login."""
    body = {"email": email, "password": password, "shop": shop.slug}
    async with client_of(app) as client:
        return await client.post("/v1/auth/login", json=body, headers=headers)


@dataclass(frozen=True)
class Member:
    """Somebody who is logged in."""

    app: FastAPI
    id: str
    email: str
    tokens: dict[str, Any]

    @property
    def client(self) -> httpx.AsyncClient:
        return self.on(self.app)

    def on(self, node: FastAPI) -> httpx.AsyncClient:
        """The same person at another node."""
        return client_of(node, self.tokens["access_token"])

    async def me(self, node: FastAPI | None = None) -> dict[str, Any]:
        answer = await self.on(node or self.app).get("/v1/auth/me")
        assert answer.status_code == SIGNED_IN, answer.text
        told: dict[str, Any] = answer.json()
        return told


async def sign_in(app: FastAPI, shop: Shop, hired: dict[str, Any]) -> Member:
    """A member who was hired, logged in."""
    answer = await log_in(app, shop, hired["email"])
    assert answer.status_code == SIGNED_IN, answer.text
    return Member(app, hired["id"], hired["email"], answer.json())


async def member(shop: Shop, **fields: Any) -> Member:
    """Somebody hired and logged in."""
    return await sign_in(shop.app, shop, await hire(shop, **fields))


async def role_holder(shop: Shop, *, scopes: list[str], visibility: str) -> Member:
    """Somebody logged in with a role of the shop's own."""
    role = {"name": f"Role {uuid4().hex[:12]}", "scopes": scopes, "visibility": visibility}
    made = await shop.owner.post("/v1/roles", json=role)
    assert made.status_code == 201, made.text
    return await member(shop, role=made.json()["id"])


async def staff_told(shop: Shop, staff_id: str) -> list[dict[str, Any]]:
    """What the services were told of a member, the oldest first."""
    async with shop.app.state.context.units.begin(shop.tenant_id) as uow:
        rows = await uow.rows(
            text(
                "SELECT data FROM gateway.outbox WHERE tenant_id = :t AND key = :key "
                "AND type = 'gateway.staff_changed' ORDER BY id"
            ),
            {"t": shop.tenant_id, "key": UUID(staff_id)},
        )
    return [row.data["staff"] for row in rows]


async def mails_to(shop: Shop, email: str, *, count: int, root_key: str) -> list[dict[str, Any]]:
    """The mails to staff that the gateway asks for, with what they say; waits for them."""

    async def look() -> list[Any]:
        async with shop.app.state.context.units.begin(shop.tenant_id) as uow:
            return list(
                await uow.rows(
                    text(
                        "SELECT data FROM gateway.outbox WHERE tenant_id = :t "
                        "AND type = 'gateway.staff_mail_requested' "
                        "AND data->>'recipient_email' = :email ORDER BY id"
                    ),
                    {"t": shop.tenant_id, "email": email},
                )
            )

    rows = await eventually(look, lambda found: len(found) >= count)
    assert len(rows) == count
    box = SecretBox(root_key)
    return [{**row.data, "text": box.open(row.data["sealed"])["text"]} for row in rows]


def link_in(mail: dict[str, Any]) -> str:
    """The link that a mail carries."""
    (line,) = [line for line in mail["text"].splitlines() if line.startswith("http")]
    return line


async def audited(shop: Shop, action: str) -> list[dict[str, Any]]:
    """What the audit log is told of an action."""
    async with shop.app.state.context.units.begin(shop.tenant_id) as uow:
        rows = await uow.rows(
            text(
                "SELECT data FROM gateway.outbox "
                "WHERE tenant_id = :t AND type = 'audit.recorded' ORDER BY id"
            ),
            {"t": shop.tenant_id},
        )
    records = [record for row in rows for record in row.data["records"]]
    return [record for record in records if record["action"] == action]


class _Interrupted(Passwords):
    """Finds a password right, and has something happen before anybody hears of it."""

    def __init__(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    async def verify(self, password: str, stored: str | None) -> bool:
        right = await super().verify(password, stored)
        if right:
            await self._meanwhile()
        return right


@contextmanager
def once_verified(app: FastAPI, meanwhile: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """Have something happen between a password's being found right and what follows from it."""
    house = app.state.house
    app.state.house = replace(house, passwords=_Interrupted(meanwhile))
    try:
        yield
    finally:
        app.state.house = house
