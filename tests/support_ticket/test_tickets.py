"""Opening, reading, classifying and moving tickets over the API."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest

from tests.support_ticket.shop import Shop


@pytest.mark.capability(52)
@pytest.mark.parametrize("channel", ["phone", "email", "web", "facebook", "zalo", "marketplace"])
async def test_a_request_from_any_channel_is_a_ticket_with_channel_contact_and_text(
    shop: Shop, channel: str
) -> None:
    contact = {"name": "Hoa", "email": "Hoa@Example.com", "phone": "01695678945"}
    created = await shop.ticket(channel=channel, requester={"contact": contact})
    assert created["code"].startswith("T-")
    assert created["channel"] == channel
    assert created["contact"] == {
        "name": "Hoa",
        "email": "hoa@example.com",
        "phone": "+84395678945",
    }
    messages = await shop.get(f"/v1/tickets/{created['id']}/messages")
    assert [(m["kind"], m["text"]) for m in messages["data"]] == [
        ("customer", "Ấm trà bị rò nước.")
    ]


async def test_opening_a_ticket_is_told_with_its_full_state(shop: Shop) -> None:
    created = await shop.ticket(type="complaint", urgency="high")
    (told,) = await shop.told()
    assert told["type"] == "support_ticket.ticket_created"
    assert str(told["key"]) == told["ticket"]["ticket_id"] == created["id"]
    for name in ("code", "subject", "type", "urgency", "priority", "status", "version"):
        assert told["ticket"][name] == created[name]


async def test_codes_of_a_shop_are_its_own_and_never_repeat(shop: Shop, other_shop: Shop) -> None:
    tickets = await asyncio.gather(*(shop.ticket() for _ in range(20)))
    assert len({ticket["code"] for ticket in tickets}) == 20
    assert (await other_shop.ticket())["code"] == "T-000001"


@pytest.mark.capability(55)
async def test_type_urgency_and_customer_value_decide_the_priority(shop: Shop) -> None:
    plain, best = await shop.knows(), await shop.knows(value_tier="vip")
    ask = {"type": "complaint", "urgency": "normal"}
    of_plain = await shop.ticket(**ask, requester={"customer_id": str(plain)})
    of_best = await shop.ticket(**ask, requester={"customer_id": str(best)})
    assert (of_plain["priority"], of_best["priority"]) == ("normal", "urgent")


@pytest.mark.capability(55)
async def test_a_shop_can_rank_by_rules_of_its_own(shop: Shop) -> None:
    async with shop.api() as api:
        rules = (await api.get("/v1/ticket-rules/priority")).json()["policy"]
        refunds = {"name": "Refunds first", "priority": "urgent", "types": ["refund"]}
        changed = await api.put("/v1/ticket-rules/priority", json={**rules, "rules": [refunds]})
        assert changed.status_code == 200
        stale = await api.put("/v1/ticket-rules/priority", json=rules, headers={"If-Match": '"0"'})
        assert stale.status_code == 412
    assert (await shop.ticket(type="refund", urgency="low"))["priority"] == "urgent"
    assert (await shop.ticket(type="question", urgency="low"))["priority"] == "low"


async def test_tickets_go_to_the_agents_in_turn(shop: Shop) -> None:
    agents = {str(await shop.hires(name)) for name in ("An", "Bình", "Chi")}
    tickets = await asyncio.gather(*(shop.ticket() for _ in range(12)))
    shares = Counter(ticket["assignee_id"] for ticket in tickets)
    assert set(shares) == agents
    assert set(shares.values()) == {4}


async def test_only_active_staff_who_take_tickets_get_them(shop: Shop) -> None:
    agent = await shop.hires("An")
    await shop.hires("Bình", role="analyst")
    leaving = await shop.hires("Chi")
    await shop.hires("Chi", staff_id=leaving, active=False, version=2)
    await shop.hires("Chi", staff_id=leaving, active=True, version=1)  # Told late.
    tickets = [await shop.ticket() for _ in range(4)]
    assert {ticket["assignee_id"] for ticket in tickets} == {str(agent)}
    (queue,) = (await shop.get("/v1/queues"))["data"]
    assert [member["agent_id"] for member in queue["members"]] == [str(agent)]


async def test_without_agents_a_ticket_waits_unassigned(shop: Shop) -> None:
    ticket = await shop.ticket()
    assert ticket["assignee_id"] is None
    waiting = await shop.get("/v1/tickets?assignee=none")
    assert [found["id"] for found in waiting["data"]] == [ticket["id"]]


@pytest.mark.capability(53)
async def test_an_unknown_contact_is_linked_by_normalised_address(shop: Shop) -> None:
    known = await shop.knows(email="duc@example.com", phone="+84912345678")
    by_phone = await shop.ticket(requester={"contact": {"phone": "0912 345 678"}})
    by_email = await shop.ticket(requester={"contact": {"email": "DUC@example.com"}})
    assert by_phone["customer_id"] == by_email["customer_id"] == str(known)


@pytest.mark.capability(53)
async def test_a_stranger_is_linked_as_soon_as_the_customer_is_known(shop: Shop) -> None:
    ticket = await shop.ticket(requester={"contact": {"email": "new@example.com"}})
    assert ticket["customer_id"] is None
    customer = await shop.knows(email="new@example.com")
    linked = await shop.get(f"/v1/tickets/{ticket['id']}")
    assert linked["customer_id"] == str(customer)
    told = await shop.told("support_ticket.ticket_updated")
    assert told[-1]["ticket"]["customer_id"] == str(customer)
    assert told[-1]["ticket"]["version"] > ticket["version"]


async def test_an_address_that_two_customers_have_links_to_neither(shop: Shop) -> None:
    await shop.knows(phone="+84912345678")
    await shop.knows(phone="+84912345678")
    ticket = await shop.ticket(requester={"contact": {"phone": "0912345678"}})
    assert ticket["customer_id"] is None


@pytest.mark.capability(56)
async def test_classifying_sets_assignee_due_time_and_plan_in_the_assignment_table(
    shop: Shop,
) -> None:
    ticket = await shop.ticket()
    agent = await shop.hires("An")
    async with shop.api() as api:
        response = await api.patch(
            f"/v1/tickets/{ticket['id']}",
            json={
                "type": "refund",
                "urgency": "critical",
                "assignee_id": str(agent),
                "plan": "Đổi ấm mới trong ngày",
            },
        )
    assert response.status_code == 200
    (row,) = (await shop.get("/v1/tickets?status=new,open"))["data"]
    assert row["priority"] == "urgent"
    assert row["assignee_id"] == str(agent)
    assert row["plan"] == "Đổi ấm mới trong ngày"
    assert row["resolution_due_at"] == "2027-03-01T07:00:00Z"  # Four hours from ten o'clock.


async def test_a_change_based_on_an_older_version_is_refused(shop: Shop) -> None:
    ticket = await shop.ticket()
    path = f"/v1/tickets/{ticket['id']}"
    async with shop.api() as api:
        tag = (await api.get(path)).headers["etag"]
        first = await api.patch(path, json={"subject": "Ấm vỡ"}, headers={"If-Match": tag})
        second = await api.patch(path, json={"urgency": "high"}, headers={"If-Match": tag})
    assert first.status_code == 200
    assert first.headers["etag"] != tag
    assert second.status_code == 412
    assert second.json()["code"] == "stale_version"
    assert (await shop.get(path))["urgency"] == "normal"


async def test_concurrent_changes_of_one_version_have_one_winner(shop: Shop) -> None:
    ticket = await shop.ticket()
    async with shop.api() as api:
        responses = await asyncio.gather(
            *(
                api.patch(
                    f"/v1/tickets/{ticket['id']}",
                    json={"subject": f"Lần {n}"},
                    headers={"If-Match": '"1"'},
                )
                for n in range(6)
            )
        )
    assert Counter(r.status_code for r in responses) == {200: 1, 412: 5}


async def test_a_ticket_is_assigned_only_to_staff_who_take_tickets(shop: Shop) -> None:
    ticket = await shop.ticket()
    analyst = await shop.hires("Bình", role="analyst")
    async with shop.api() as api:
        for nobody in (analyst, uuid4()):
            response = await api.patch(
                f"/v1/tickets/{ticket['id']}", json={"assignee_id": str(nobody)}
            )
            assert response.status_code == 422
            assert response.json()["errors"][0]["pointer"] == "/body/assignee_id"


async def test_one_idempotency_key_opens_one_ticket(shop: Shop) -> None:
    body = {
        "subject": "Ấm bị rò",
        "text": "Ấm trà bị rò nước.",
        "requester": {"contact": {"email": "hoa@example.com"}},
    }
    async with shop.api() as api:
        headers = {"Idempotency-Key": "order-17"}
        first, second = await asyncio.gather(
            *(api.post("/v1/tickets", json=body, headers=headers) for _ in range(2))
        )
        other = await api.post("/v1/tickets", json={**body, "subject": "Khác"}, headers=headers)
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert other.status_code == 422
    assert len((await shop.get("/v1/tickets"))["data"]) == 1
    assert len(await shop.told("support_ticket.ticket_created")) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"subject": "A", "text": "B"}, "/body/requester"),
        ({"subject": "", "text": "B", "requester": {"customer_id": str(uuid4())}}, "/body/subject"),
        ({"subject": "A", "text": "B", "requester": {}}, "/body/requester"),
        (
            {"subject": "A", "text": "B", "requester": {"contact": {"phone": "12"}}},
            "/body/requester/contact/phone",
        ),
        (
            {"subject": "A", "text": "B", "requester": {"contact": {"name": "Hoa"}}},
            "/body/requester/contact",
        ),
        ({"subject": "A", "text": "B", "kind": "x"}, "/body/kind"),
    ],
)
async def test_a_request_that_says_too_little_is_refused_with_the_field(
    shop: Shop, body: dict[str, object], pointer: str
) -> None:
    async with shop.api() as api:
        response = await api.post("/v1/tickets", json=body)
    assert response.status_code == 422
    assert pointer in {fault["pointer"] for fault in response.json()["errors"]}


async def test_a_list_pages_through_every_ticket_once_newest_first(shop: Shop, clock) -> None:
    created = []
    for _ in range(7):
        created.append((await shop.ticket())["id"])
        clock.advance(seconds=1)
    seen, cursor = [], ""
    while cursor is not None:
        page = await shop.get(f"/v1/tickets?limit=3{cursor and f'&cursor={cursor}'}")
        seen += [ticket["id"] for ticket in page["data"]]
        cursor = page["next_cursor"]
    assert seen == created[::-1]


async def test_a_list_can_be_narrowed(shop: Shop) -> None:
    customer = await shop.knows()
    agent = await shop.hires()
    refund = await shop.ticket(type="refund", requester={"customer_id": str(customer)})
    question = await shop.ticket(type="question", urgency="critical")
    await shop.resolve(question["id"])
    for query, expected in (
        ("type=refund", [refund]),
        ("type=refund,question", [question, refund]),
        ("status=resolved,closed", [question]),
        ("priority=urgent", [question]),
        (f"customer_id={customer}", [refund]),
        (f"assignee={agent}&status=new", [refund]),
        (f"code={refund['code']}", [refund]),
        (f"customer_id={uuid4()}", []),
    ):
        found = (await shop.get(f"/v1/tickets?{query}"))["data"]
        assert [ticket["id"] for ticket in found] == [ticket["id"] for ticket in expected], query
    async with shop.api() as api:
        assert (await api.get("/v1/tickets?status=lost")).status_code == 422
        assert (await api.get("/v1/tickets?cursor=nonsense")).status_code == 422


@pytest.mark.capability(57)
async def test_a_ticket_goes_from_receiving_to_closing_and_no_other_way(shop: Shop) -> None:
    ticket = await shop.ticket()
    path = f"/v1/tickets/{ticket['id']}"
    assert ticket["status"] == "new"
    assert ticket["allowed_transitions"] == ["open", "pending_customer", "on_hold", "resolved"]
    refused = await shop.post(f"{path}/transitions", {"to": "closed"}, 409)
    assert refused["code"] == "transition_not_allowed"
    assert refused["allowed_transitions"] == ticket["allowed_transitions"]
    for to in ("open", "on_hold", "pending_customer", "open"):
        moved = await shop.post(f"{path}/transitions", {"to": to}, 200)
        assert moved["status"] == to
    await shop.resolve(ticket["id"])
    assert (await shop.get(path))["allowed_transitions"] == ["open", "closed"]
    await shop.post(f"{path}/resolution", {"kind": "answer"}, 409)
    await shop.post(f"{path}/transitions", {"to": "on_hold"}, 409)
    closed = await shop.post(f"{path}/transitions", {"to": "closed"}, 200)
    assert closed["closed_at"] is not None
    await shop.post(f"{path}/transitions", {"to": "closed"}, 409)
    statuses = [told["ticket"]["status"] for told in await shop.told()][1:]
    assert [s for s in statuses if s] == [
        "open",
        "on_hold",
        "pending_customer",
        "open",
        "resolved",
        "resolved",
        "closed",
    ]


@pytest.mark.capability(28)
async def test_a_ticket_of_another_shop_is_nowhere(shop: Shop, other_shop: Shop) -> None:
    ticket = await other_shop.ticket()
    path = f"/v1/tickets/{ticket['id']}"
    async with shop.api() as api:
        assert (await api.get("/v1/tickets")).json()["data"] == []
        for response in (
            await api.get(path),
            await api.get(f"{path}/messages"),
            await api.get(f"{path}/sla"),
            await api.get(f"{path}/episodes"),
            await api.get(f"{path}/resolution"),
            await api.patch(path, json={"urgency": "high"}),
            await api.post(f"{path}/replies", json={"text": "x"}),
            await api.post(f"{path}/notes", json={"text": "x"}),
            await api.post(f"{path}/transitions", json={"to": "open"}),
            await api.post(f"{path}/resolution", json={"kind": "answer"}),
        ):
            assert response.status_code == 404, response.request.url
    assert (await other_shop.get(path))["version"] == 1


async def test_an_agent_sees_who_the_customer_is(shop: Shop) -> None:
    customer = await shop.knows(value_tier="gold")
    ticket = await shop.ticket(requester={"customer_id": str(customer)})
    await shop.ticket(requester={"customer_id": str(customer)})
    seen = (await shop.get(f"/v1/tickets/{ticket['id']}"))["customer"]
    assert seen["name"] == "Nguyễn Văn Đức"
    assert seen["value_tier"] == "gold"
    assert seen["open_tickets"] == 2
    assert seen["segments"] == []


async def test_a_shop_that_is_not_set_up_yet_says_so(service, tenant) -> None:
    new_shop = Shop(service, tenant)
    async with new_shop.api() as api:
        response = await api.post(
            "/v1/tickets",
            json={"subject": "A", "text": "B", "requester": {"customer_id": str(uuid4())}},
        )
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
