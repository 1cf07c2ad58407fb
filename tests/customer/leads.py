"""Lead forms, filled in over the API and by the page, for tests of leads."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from services.customer.leads.form_tokens import FormTokens
from shared.ids import TenantId, new_id
from shared.security.principal import PRINCIPAL_HEADER, Principal, PrincipalKind
from tests.support.harness import ServiceHarness

MARKETING = {
    "purpose": "marketing",
    "channel": "email",
    "text": {"vi": "Tôi đồng ý nhận tin khuyến mãi qua email", "en": "Send me offers by email"},
}
FORM: dict[str, Any] = {
    "name": "Đăng ký tư vấn",
    "title": {"vi": "Nhận tư vấn miễn phí", "en": "Get free advice"},
    "fields": [
        {"name": "name", "required": True},
        {"name": "phone"},
        {"name": "email"},
        {"name": "message"},
    ],
    "own_fields": [
        {"key": "shoe_size", "label": {"vi": "Cỡ giày"}, "type": "number"},
        {
            "key": "branch",
            "label": {"vi": "Chi nhánh", "en": "Branch"},
            "type": "choice",
            "options": [
                {"value": "hn", "label": {"vi": "Hà Nội"}},
                {"value": "sg", "label": {"vi": "Sài Gòn"}},
            ],
        },
    ],
    "consents": [MARKETING],
    "thank_you": {"vi": "Chúng tôi sẽ gọi lại.", "en": "We will call you back."},
}
BINH = {"name": "Trần Thị Bình", "phone": "0912 345 678", "email": "Binh@example.com"}
AGREED = {"purpose": "marketing", "channel": "email", "text_version": 1}


async def make_form(client: httpx.AsyncClient, **said: Any) -> dict[str, Any]:
    answer = await client.post("/v1/lead-forms", json={**FORM, **said})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def submit(
    client: httpx.AsyncClient, form: dict[str, Any], *, status: int = 201, **body: Any
) -> dict[str, Any]:
    answer = await client.post(
        f"/v1/lead-forms/{form['id']}/submissions", json={"entered": BINH, **body}
    )
    assert answer.status_code == status, answer.text
    return answer.json()


async def the_lead(client: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    answer = await client.get("/v1/leads", params=params)
    assert answer.status_code == 200, answer.text
    (lead,) = answer.json()["data"]
    return lead


@asynccontextmanager
async def publishable(
    service: ServiceHarness, shop: TenantId, *, client_ip: str = ""
) -> AsyncIterator[httpx.AsyncClient]:
    """What stands in a web page: it may send, and nothing else."""
    scopes = frozenset({"lead_submissions:write"})
    principal = Principal(
        shop, PrincipalKind.API_KEY, "page", scopes, new_id().hex, client_ip=client_ip
    )
    async with service.client(shop) as client:
        client.headers[PRINCIPAL_HEADER] = service.context.principals.mint(principal)
        yield client


class Visitor:
    """Somebody with a browser, at the pages of a shop's forms."""

    def __init__(self, client: httpx.AsyncClient, shop: TenantId, root_key: str) -> None:
        self._client = client
        self._tokens = FormTokens(root_key=root_key, tenant_id=shop)

    async def open(self, form: dict[str, Any], query: str = "", **headers: str) -> httpx.Response:
        return await self._client.get(urlsplit(form["page_url"]).path + query, headers=headers)

    async def visit(self, url: str, *, press: bool = False) -> httpx.Response:
        path = urlsplit(url).path
        return await (self._client.post(path) if press else self._client.get(path))

    def token(self, form: dict[str, Any], *, open_for: timedelta = timedelta(minutes=1)) -> str:
        return self._tokens.mint(UUID(form["id"]), datetime.now(UTC) - open_for)

    async def send(
        self,
        form: dict[str, Any],
        query: str = "",
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        **fields: str,
    ) -> httpx.Response:
        """Send the form; names of ours are written with `__` for their dots."""
        named = {name.replace("__", "."): value for name, value in fields.items()}
        return await self._client.post(
            urlsplit(form["page_url"]).path + query,
            data={"form.token": token or self.token(form), **named},
            headers=headers,
        )


def text_of(html: str) -> str:
    """What a page says, without its tags."""
    return unescape(re.sub(r"<[^>]+>", " ", html))
