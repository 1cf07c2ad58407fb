"""Where customers like to be written to: returned, and kept to by messages, on real processes."""

from typing import Any

import httpx
import pytest

from cli.demo.client import Api, until
from cli.demo.shop import open_shop
from cli.mail_catcher import caught
from shared.ids import new_id
from tests.support.house import House

ANSWER = {
    "template": "ticket_reply",
    "variables": {"ticket": {"code": "T-7", "subject": "Hỏi"}, "reply": {"body": "Đáp"}},
}


@pytest.fixture
async def http(house: House):
    async with httpx.AsyncClient(base_url=house.base_url, timeout=30, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("house", ["all_in_one"], indirect=True)
@pytest.mark.capability(9)
async def test_the_preferred_channel_is_returned_and_used_where_messages_name_none(
    house: House, http: httpx.AsyncClient
) -> None:
    slug = f"channel-{new_id().hex[-8:]}"
    shop = await open_shop(http, operator_key=house.operator_key, name="Hoa Mai", slug=slug)
    api = Api(http, shop.api_key)
    await until(lambda: api.get("/v1/templates"), lambda page: page["data"], what="templates")

    async def known(customer: dict[str, Any], preferred: str | None) -> dict[str, Any]:
        """What messaging has of a customer, once the customer service has told it."""
        return await until(
            lambda: api.get(f"/v1/preferences/{customer['id']}"),
            lambda found: found["preferred_channel"] == preferred,
            what="the preference in messaging",
        )

    async def written(customer: dict[str, Any], **more: str) -> dict[str, Any]:
        body = {**ANSWER, "to": {"customer_id": customer["id"]}, **more}
        asked = await api.post("/v1/messages", body)
        return await until(
            lambda: api.get(f"/v1/messages/{asked['id']}"),
            lambda message: message["finished_at"],
            what="the outcome of a message",
        )

    people: dict[str | None, dict[str, Any]] = {}
    for preferred, chosen_by, unmet in (
        ("email", "preference", None),
        ("zalo", "fallback", "zalo"),
        (None, "fallback", None),
    ):
        address = f"{preferred}.{new_id().hex}@example.com".lower()
        said = {"name": "An", "email": address, "preferred_channel": preferred}
        customer = people[preferred] = await api.post("/v1/customers", said)
        assert (await api.get(f"/v1/customers/{customer['id']}"))["preferred_channel"] == preferred
        told = await known(customer, preferred)
        message = await written(customer)
        for each in (told, message):
            assert (each["channel"], each["channel_chosen_by"]) == ("email", chosen_by)
            assert each["unmet_preference"] == unmet
        assert message["status"] == "sent"
        assert [m for m in caught(house.mail.folder) if address in str(m["To"])]

    named = await written(people["zalo"], channel="email")
    assert (named["channel_chosen_by"], named["unmet_preference"]) == ("request", None)

    # Another wish counts from the next message on, and the feed says how each went.
    answer = await http.patch(
        f"/v1/customers/{people['zalo']['id']}",
        json={"preferred_channel": "email"},
        headers={"authorization": f"Bearer {shop.api_key}"},
    )
    assert answer.is_success, answer.text
    await known(people["zalo"], "email")
    assert (await written(people["zalo"]))["channel_chosen_by"] == "preference"
    feed = await until(
        lambda: api.get("/v1/events", types="message.sent", limit=100),
        lambda page: len(page["data"]) == 5,
        what="five messages in the feed",
    )
    messages = [each["data"]["message"] for each in feed["data"]]
    assert [(m["channel_chosen_by"], m["unmet_preference"]) for m in messages] == [
        ("preference", None),
        ("fallback", "zalo"),
        ("fallback", None),
        ("request", None),
        ("preference", None),
    ]
