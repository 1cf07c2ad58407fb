"""Lists by the shop's own fields: what is remembered of the fields, and what must be asked anew."""

from typing import Any

import pytest
from sqlalchemy import text as sql

from services.customer.customers.filtering import field_questions, read_query
from services.customer.customers.selection import Selection
from services.customer.fields.known import KnownFields
from shared.json import dumps
from tests.customer.loyalty.shop import ManualClock
from tests.customer.test_custom_fields import add, define

_GOLD = [{"value": "gold", "label": {"vi": "Vàng"}}]
_TIN = {"value": "tin", "label": {"vi": "Thiếc"}}
# As another process does it, of which this one hears nothing.
_OFFER = sql(
    "UPDATE customer.custom_field SET options = CAST(:options AS jsonb) "
    "WHERE tenant_id = :tenant AND key = 'level'"
)


async def listed(client, query: str) -> tuple[int, int]:
    answer = await client.get(f"/v1/customers?{query}")
    return answer.status_code, len(answer.json().get("data", ()))


async def test_what_a_field_becomes_holds_from_the_next_list_on(client):
    field = await define(client, "level", "enum", options=_GOLD)
    await add(client, level="gold")
    assert await listed(client, "attributes[level]=gold") == (200, 1)
    assert await listed(client, "attributes[level]=tin") == (422, 0)
    address = f"/v1/custom-fields/{field['id']}"
    changed = await client.patch(address, json={"options": [*_GOLD, _TIN]})
    assert changed.status_code == 200, changed.text
    assert await listed(client, "attributes[level]=tin") == (200, 0)

    await define(client, "size", "number")
    assert await listed(client, "attributes[size]=39&sort=-attributes.size") == (200, 0)
    sizes = (await client.get("/v1/custom-fields")).json()["data"]
    size = next(each for each in sizes if each["key"] == "size")
    assert (await client.delete(f"/v1/custom-fields/{size['id']}")).status_code == 204
    assert await listed(client, "attributes[size]=39") == (422, 0)
    assert await listed(client, "sort=-attributes.size") == (422, 0)


class Asking:
    """A unit of work that counts its statements."""

    def __init__(self, uow, clock) -> None:
        self._uow, self.clock, self.statements = uow, clock, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._uow, name)

    async def rows(self, *asked):
        self.statements += 1
        return await self._uow.rows(*asked)


@pytest.mark.parametrize(("sees_personal", "remembered"), [(True, True), (False, False)])
async def test_fields_are_remembered_for_a_second_by_those_who_see_everything(
    client, service, shop, sees_personal: bool, remembered: bool
):
    await define(client, "level", "enum", options=_GOLD)
    known, given = KnownFields(), [("attributes[level]", "gold")]
    clock = ManualClock()

    async def ask() -> int:
        async with service.context.units.begin(shop) as uow:
            asking = Asking(uow, clock)
            selection = Selection(
                asking,
                given=read_query(given),
                questions=field_questions(given),
                sees_personal=sees_personal,
                known=known,
            )
            await selection.wanted(currency="VND")
            return asking.statements

    assert [await ask(), await ask()] == [1, 0 if remembered else 1]
    clock.advance(seconds=1)
    assert await ask() == 1


async def test_what_another_process_has_added_is_found_and_no_fault(client, service, shop):
    await define(client, "level", "enum", options=_GOLD)
    assert await listed(client, "attributes[level]=gold") == (200, 0)
    async with service.context.units.begin(shop) as uow:
        options = dumps([*_GOLD, _TIN]).decode()
        await uow.execute(_OFFER, {"tenant": shop, "options": options})
        await uow.commit()
    assert await listed(client, "attributes[level]=tin") == (200, 0)
    assert await listed(client, "attributes[level]=zinc") == (422, 0)
