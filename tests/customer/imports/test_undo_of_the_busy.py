"""Whom somebody has worked with since an import is not emptied when that is taken back."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import pytest

from shared.ids import TenantId
from tests.customer.imports.conftest import SCOPES
from tests.customer.imports.shop import Importing, table
from tests.support.harness import ServiceHarness

MORE = tuple(
    f"{resource}:{verb}"
    for resource in ("loyalty", "vouchers", "referrals", "touches", "pii")
    for verb in ("read", "write")
)
HEAD = ("Tên", "SĐT", "Email", "email marketing", "Ngày đồng ý", "Nội dung đồng ý", "Ghi chú")
WORKED_WITH, OTHER, FRIEND = "Lan", "Mai", "Tú"

Work = Callable[[httpx.AsyncClient, Mapping[str, str]], Awaitable[None]]


@pytest.fixture
async def client(service: ServiceHarness, shop: TenantId):
    async with service.client(shop, *SCOPES, *MORE) as client:
        yield client


async def made(client: httpx.AsyncClient, path: str, **body: Any) -> Any:
    answer = await client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def give_voucher(client: httpx.AsyncClient, ids: Mapping[str, str]) -> None:
    value = {"amount": "50000", "currency": "VND"}
    voucher = await made(client, "/v1/vouchers", name="Tết", kind="amount", value=value)
    await made(client, f"/v1/vouchers/{voucher['id']}/codes", customer_ids=[ids[WORKED_WITH]])


async def hand_out_referral_code(client: httpx.AsyncClient, ids: Mapping[str, str]) -> None:
    await made(client, "/v1/referrals/codes", customer_id=ids[WORKED_WITH])


async def bring_by_friend(client: httpx.AsyncClient, ids: Mapping[str, str]) -> None:
    body = {"referrer_points": 100, "friend_points": 50}
    answer = await client.put("/v1/referrals/programme", json=body)
    assert answer.is_success, answer.text
    friend = await made(client, "/v1/customers", name=FRIEND)
    code = (await made(client, "/v1/referrals/codes", customer_id=friend["id"]))["code"]
    await made(client, "/v1/referrals", code=code, customer_id=ids[WORKED_WITH])


async def tell_of_visit(client: httpx.AsyncClient, ids: Mapping[str, str]) -> None:
    await made(client, "/v1/touches", customer_id=ids[WORKED_WITH], utm_source="facebook")


async def add_number(client: httpx.AsyncClient, ids: Mapping[str, str]) -> None:
    path = f"/v1/customers/{ids[WORKED_WITH]}/identities"
    await made(client, path, kind="phone", value="+84987654321")


async def hold(client: httpx.AsyncClient, ids: Mapping[str, str]) -> None:
    await made(client, "/v1/legal-holds", customer_id=ids[WORKED_WITH], reason="Kiện")


async def tell_apart(client: httpx.AsyncClient, ids: Mapping[str, str]) -> None:
    friend = await made(client, "/v1/customers", name=FRIEND)
    pair = {"customer_id": ids[WORKED_WITH], "other_id": friend["id"]}
    await made(client, "/v1/duplicates", **pair, status="dismissed")


async def agree_again(client: httpx.AsyncClient, ids: Mapping[str, str]) -> None:
    said = {"purpose": "marketing", "channel": "email", "status": "granted", "source": "web"}
    path = f"/v1/customers/{ids[WORKED_WITH]}/consents"
    await made(client, path, **said, proof={"form": "tin"})


@pytest.mark.parametrize(
    "work",
    [
        *(give_voucher, hand_out_referral_code, bring_by_friend, tell_of_visit),
        *(add_number, hold, tell_apart, agree_again),
    ],
    ids=lambda work: work.__name__,
)
async def test_whoever_has_something_since_is_kept(importing: Importing, work: Work) -> None:
    rest = ("yes", "01/03/2026", "Đồng ý", "Thích trà")
    rows = [
        (WORKED_WITH, "0912345601", "lan@example.com", *rest),
        (OTHER, "0912345602", "mai@example.com", *rest),
    ]
    done = await importing.take_in(table(HEAD, *rows))
    ids = {one["name"]: one["id"] for one in await importing.customers()}
    await work(importing.client, ids)
    undone = await importing.undo(done)
    assert [undone["undo"][word] for word in ("removed", "kept")] == [1, 1]
    names = {one["id"]: one["name"] for one in await importing.customers()}
    assert names[ids[WORKED_WITH]] == WORKED_WITH
    assert ids[OTHER] not in names


async def test_of_whom_another_file_has_told_something_since_is_kept(
    importing: Importing,
) -> None:
    rows = [(WORKED_WITH, "0912345601"), (OTHER, "0912345602")]
    done = await importing.take_in(table(HEAD[:2], *rows))
    head = ("Tên", "SĐT", "Ghi chú")
    further = [(*rows[0], "Thích trà"), (*rows[1], "")]
    again = await importing.take_in(table(head, *further))
    assert (again["run"]["updated"], again["run"]["unchanged"]) == (1, 1)
    undone = await importing.undo(done)
    assert [undone["undo"][word] for word in ("removed", "kept")] == [1, 1]
    assert [one["name"] for one in await importing.customers()] == [WORKED_WITH]
