"""The demo shop of `careloop up`: made once, remembered in `.careloop/demo.json`."""

import asyncio
import json
import secrets
from typing import Any

import httpx
from rich.console import Console

from cli.demo.client import Api
from cli.demo.narration import StoryFailed
from cli.demo.shop import Shop, open_shop
from cli.installation import Installation, write_private

Json = dict[str, Any]

_PEOPLE = (
    ("Trần Văn Hùng", "0987654321", "hung.tran@example.com", "Hà Nội", 2_450_000),
    ("Lê Thị Mai", "0356789012", "mai.le@example.com", "Đà Nẵng", 890_000),
    ("Phạm Quốc Bảo", "01695678945", "bao.pham@example.com", "TP. Hồ Chí Minh", 12_600_000),
    ("Đặng Thu Thảo", "0703456789", "thao.dang@example.com", "Cần Thơ", 0),
    ("Võ Ngọc Ánh", "0888123456", "anh.vo@example.com", "Huế", 315_000),
)


def ensure_demo_shop(installation: Installation) -> Json:
    """The demo shop's credentials; makes the shop when it is missing. Raises StoryFailed."""
    try:
        return asyncio.run(_ensure(installation))
    except httpx.HTTPError as error:
        raise StoryFailed(f"The demo shop could not be made: {error!r}") from error


def show_demo_shop(demo: Json, installation: Installation, console: Console) -> None:
    """Tell a new user where to look and what to type."""
    base, key = demo["base_url"], demo["api_key"]
    shopify = next(c for c in demo["connections"] if c["platform"] == "shopify")
    console.print(
        f"\n[bold green]Careloop is running[/bold green] at {base}\n"
        f"  API docs   {base}/docs\n"
        f"  Login      {demo['owner']['email']}  password {demo['owner']['password']}\n"
        f"  API key    {key}\n"
        f"  Shopify    {base}/v1/hooks/shopify/{shopify['id']}\n"
        f"  Outgoing mail is kept in {installation.home / 'mail'}\n"
        f"  The same in {installation.demo_file}\n\n"
        "Try:\n"
        f"  curl -s '{base}/v1/customers?q=tran+van+hung' -H 'Authorization: Bearer {key}'\n"
        f"  curl -s {base}/v1/segments -H 'Authorization: Bearer {key}'\n"
        f"  curl -s {base}/v1/reports/care-loop -H 'Authorization: Bearer {key}'\n\n"
        "[dim]make demo tells the whole loop. Ctrl-C stops everything.[/dim]",
        soft_wrap=True,
    )


async def _ensure(installation: Installation) -> Json:
    async with httpx.AsyncClient(
        base_url=installation.base_url, timeout=30, trust_env=False
    ) as http:
        known = _remembered(installation)
        if known is not None and await _still_works(http, known):
            known["base_url"] = installation.base_url
            write_private(installation.demo_file, known)
            return known
        shop = await _open(http, installation.environment["CARELOOP_OPERATOR_KEY"])
        await _fill(Api(http, shop.api_key))
    demo = _as_json(shop, installation.base_url)
    write_private(installation.demo_file, demo)
    return demo


def _remembered(installation: Installation) -> Json | None:
    try:
        known: Json = json.loads(installation.demo_file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return known if {"api_key", "owner", "connections"} <= known.keys() else None


async def _still_works(http: httpx.AsyncClient, known: Json) -> bool:
    headers = {"Authorization": f"Bearer {known['api_key']}"}
    return (await http.get("/v1/auth/me", headers=headers)).is_success


async def _open(http: httpx.AsyncClient, operator_key: str) -> Shop:
    try:
        return await open_shop(http, operator_key=operator_key, name="Hoa Sen", slug="hoa-sen")
    except StoryFailed:
        # The name is taken by a shop whose credentials are lost.
        slug = f"hoa-sen-{secrets.token_hex(3)}"
        return await open_shop(http, operator_key=operator_key, name="Hoa Sen", slug=slug)


async def _fill(api: Api) -> None:
    """A few customers with orders, so that lists and segments show something."""
    for number, (name, phone, email, city, spent) in enumerate(_PEOPLE, start=1):
        customer = await api.post(
            "/v1/customers", {"name": name, "phone": phone, "email": email, "city": city}
        )
        if spent:
            await api.post("/v1/orders", _order(customer["id"], number, spent))


def _order(customer_id: str, number: int, spent: int) -> Json:
    total = {"amount": str(spent), "currency": "VND"}
    return {
        "customer_id": customer_id,
        "source": "pos",
        "external_id": f"POS-{number:04d}",
        "number": f"POS-{number:04d}",
        "financial_status": "paid",
        "total": total,
        "lines": [{"title": "Áo dài lụa", "quantity": 1, "unit_price": total, "total": total}],
    }


def _as_json(shop: Shop, base_url: str) -> Json:
    return {
        "base_url": base_url,
        "api_key": shop.api_key,
        "owner": {"email": shop.owner_email, "password": shop.owner_password},
        "tenant_id": shop.tenant_id,
        "connections": [
            {"platform": c.platform, "id": c.id, "secret": c.secret} for c in shop.connections
        ],
    }
