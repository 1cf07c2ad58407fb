"""What retention rules end, they end in the whole house."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from shared.settings import SCHEMAS
from tests.privacy.conftest import HouseShop

SCOPES = [
    f"{resource}:{verb}"
    for resource in ("customers", "retention", "privacy", "jobs")
    for verb in ("read", "write")
]
EMAIL = "ngoc.lan@example.com"
_LONG_AGO = datetime(2019, 1, 1, tzinfo=UTC)


async def lead_from_long_ago(shop: HouseShop) -> dict[str, Any]:
    async with shop.client("customer", *SCOPES) as client:
        body = {"name": "Trần Thị Ngọc Lan", "email": EMAIL, "birth_date": "1990-02-03"}
        answer = await client.post("/v1/customers", json=body)
    assert answer.status_code == 201, answer.text
    async with shop.house.parts["customer"].context.units.begin(shop.tenant) as uow:
        aged = text("UPDATE customer.customer SET created_at = :then WHERE tenant_id = :tenant")
        await uow.execute(aged, {"then": _LONG_AGO, "tenant": shop.tenant})
        await uow.commit()
    await shop.settle()
    return dict(answer.json())


async def followed(shop: HouseShop, **rule: Any) -> dict[str, Any]:
    """A run of one rule, done in every part."""
    said = {"name": "Quá hạn", "clock": "last_activity", "period": "P2Y", "active": True}
    async with shop.client("customer", *SCOPES) as client:
        made = await client.post("/v1/retention/rules", json={**said, **rule})
        assert made.status_code == 201, made.text
        run = (await client.post("/v1/retention/runs", json={})).json()
        await shop.house.finish_jobs(shop.tenant)
        await shop.settle()
        return dict((await client.get(f"/v1/retention/runs/{run['id']}")).json())


async def test_a_person_whose_time_is_over_ends_everywhere_with_a_receipt(shop: HouseShop) -> None:
    lead = await lead_from_long_ago(shop)
    run = await followed(shop, data=["record"], action="anonymise", applies_to="leads")
    assert run["rules"][0]["amounts"] == {"record": 1}
    for part, table in (("segmentation", "profile"), ("messaging", "recipient")):
        assert EMAIL not in str(await shop.rows(part, table)), part
    async with shop.client("customer", *SCOPES) as client:
        [ended] = (await client.get(f"/v1/retention/runs/{run['id']}/erasures")).json()["data"]
        assert ended["customer_id"] == lead["id"]
        assert ended["finished_at"] is not None
        receipt = ended["receipt"]
        assert {part["part"] for part in receipt["parts"]} == set(SCHEMAS)
        assert receipt["request_id"] is None
        given = {"receipt": receipt, "signature": ended["signature"]}
        verify = "/v1/privacy-requests/receipt-verifications"
        assert (await client.post(verify, json=given)).json()["valid"]
    kinds = {row.type for row in await shop.rows("gateway", "event")}
    assert kinds >= {"customer.erased", "retention_run.finished"}


async def test_an_emptied_field_is_empty_with_everybody_who_heard_of_it(shop: HouseShop) -> None:
    await lead_from_long_ago(shop)
    assert "1990" in str(await shop.rows("segmentation", "profile"))
    await followed(shop, data=["birth_date", "email"])
    for part, table in (("segmentation", "profile"), ("messaging", "recipient")):
        rows = str(await shop.rows(part, table))
        assert EMAIL not in rows, part
        assert "1990, 2, 3" not in rows, part
