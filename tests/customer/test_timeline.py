"""The timeline: what every part of the system tells of a customer, in order."""

from uuid import UUID

import pytest

from shared.contracts.messaging import InboundMessageReceived, MessageSent, MessageState
from shared.contracts.segmentation import Membership, SegmentEntered, SegmentLeft
from shared.contracts.support_ticket import (
    Recipient,
    SurveyAnswered,
    TicketCreated,
    TicketReplied,
    TicketResolved,
)
from shared.ids import new_id
from tests.customer.told import DAY, later, ticket


@pytest.fixture
async def customer_id(client):
    body = {"name": "Lan", "email": "lan@example.com"}
    return UUID((await client.post("/v1/customers", json=body)).json()["id"])


@pytest.fixture
def timeline(client, customer_id):
    async def read(**options):
        path = f"/v1/customers/{customer_id}/timeline"
        answer = await client.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return read


def membership(customer_id, at=DAY):
    return Membership(
        segment_id=new_id(),
        segment_key="new_customers",
        segment_name="Khách mới",
        rule_version=1,
        customer_id=customer_id,
        at=at,
        reason="first order",
    )


def message(customer_id, **columns):
    known = {
        "message_id": new_id(),
        "version": 1,
        "customer_id": customer_id,
        "channel": "email",
        "message_class": "care",
        "status": "sent",
        "origin": "automation",
        "subject": "Cảm ơn bạn",
        "planned_at": DAY,
        "finished_at": later(minutes=2),
    }
    return MessageState(**{**known, **columns})


async def test_all_services_tell_one_story_newest_first(service, shop, customer_id, timeline):
    ours = ticket(customer_id)
    replied = TicketReplied(
        ticket=ours,
        message_id=new_id(),
        agent_name="Hoa",
        body="Xin lỗi",
        recipient=Recipient(customer_id=customer_id),
    )
    inbound = InboundMessageReceived(
        inbound_id=new_id(),
        channel="zalo",
        external_id="z-1",
        customer_id=customer_id,
        text="Áo bị rách",
        received_at=later(minutes=3),
    )
    await service.receive(
        shop,
        "segmentation",
        [
            (customer_id, SegmentEntered(membership=membership(customer_id, later(minutes=1)))),
            (customer_id, SegmentLeft(membership=membership(customer_id, later(minutes=6)))),
        ],
    )
    await service.receive(
        shop,
        "messaging",
        [(new_id(), MessageSent(message=message(customer_id))), (new_id(), inbound)],
    )
    resolved = ticket(customer_id, resolution="exchange", resolved_at=later(minutes=5))
    await service.receive(
        shop,
        "support_ticket",
        [
            (new_id(), TicketCreated(ticket=ticket(customer_id, opened_at=later(minutes=4)))),
            (new_id(), TicketResolved(ticket=resolved)),
            (new_id(), replied),
        ],
    )
    told = (await timeline())["data"]
    by_time = [entry for entry in told if entry["occurred_at"] < "2026-03-02"]
    assert [entry["type"] for entry in by_time] == [
        "segment.left",
        "ticket.resolved",
        "ticket.created",
        "message.received",
        "message.sent",
        "segment.entered",
    ]
    assert {"ticket.replied", "customer.created"} == {
        entry["type"] for entry in told if entry not in by_time
    }
    assert {entry["source"] for entry in told} == {
        "customer",
        "segmentation",
        "messaging",
        "support_ticket",
    }
    notes = [entry for entry in told if "Xin lỗi" in str(entry)]
    assert notes == [], "what was written stands in the ticket, not here"


async def test_titles_speak_the_readers_language(service, shop, customer_id, timeline):
    event = TicketCreated(ticket=ticket(customer_id))
    await service.receive(shop, "support_ticket", [(new_id(), event)])
    vietnamese = (await timeline())["data"][-1]
    english = (await timeline(headers={"accept-language": "en-US,vi;q=0.5"}))["data"][-1]
    assert vietnamese["title"] == "Yêu cầu T-000045: Áo bị rách"
    assert english["title"] == "Ticket T-000045: Áo bị rách"
    assert english["data"]["ticket_id"] == str(event.ticket.ticket_id)


async def test_what_happened_to_strangers_is_passed_over(service, shop, timeline):
    strangers = [
        (new_id(), TicketCreated(ticket=ticket(new_id()))),
        (new_id(), TicketCreated(ticket=ticket(None))),
    ]
    await service.receive(shop, "support_ticket", strangers)
    assert [entry["type"] for entry in (await timeline())["data"]] == ["customer.created"]


@pytest.mark.capability(127)
async def test_a_long_timeline_of_all_services_pages_to_its_end_without_gaps(
    service, shop, customer_id, timeline
):
    # Many at the same instant: the id breaks the tie.
    moments = [later(minutes=n // 10) for n in range(95)]
    entered = [SegmentEntered(membership=membership(customer_id, at)) for at in moments[::3]]
    sent = [MessageSent(message=message(customer_id, finished_at=at)) for at in moments[1::3]]
    opened = [TicketCreated(ticket=ticket(customer_id, opened_at=at)) for at in moments[2::3]]
    for source, events in (
        ("segmentation", entered), ("messaging", sent), ("support_ticket", opened)
    ):  # fmt: skip
        await service.receive(shop, source, [(new_id(), event) for event in events])
    seen, cursor = [], None
    while True:
        params = {"limit": 20} | ({"cursor": cursor} if cursor else {})
        read = await timeline(params=params)
        seen += [(entry["occurred_at"], entry["id"], entry["source"]) for entry in read["data"]]
        cursor = read["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 96
    assert [entry[:2] for entry in seen] == sorted({entry[:2] for entry in seen}, reverse=True)
    assert {source for *_, source in seen} == {
        *("customer", "segmentation", "messaging", "support_ticket")
    }


async def test_strangers_have_no_timeline(client):
    answer = await client.get(f"/v1/customers/{new_id()}/timeline")
    assert answer.status_code == 404
    assert answer.json()["code"] == "customer_not_found"


async def test_changes_of_the_profile_name_the_fields(client, customer_id, timeline):
    await client.patch(f"/v1/customers/{customer_id}", json={"city": "Huế", "tags": ["VIP"]})
    changed = (await timeline())["data"][0]
    assert changed["type"] == "customer.changed"
    assert changed["data"]["fields"] == ["city", "tags"]


async def test_an_answered_survey_is_told(service, shop, customer_id, timeline):
    event = SurveyAnswered(
        survey_id=new_id(), ticket=ticket(customer_id), score=5, answered_at=later(days=1)
    )
    await service.receive(shop, "support_ticket", [(new_id(), event)])
    entry = next(e for e in (await timeline())["data"] if e["type"] == "survey.answered")
    assert (entry["data"]["score"], entry["data"]["scale_max"]) == (5, 5)


async def test_a_timeline_can_be_of_some_types_only(service, shop, customer_id, timeline):
    event = SurveyAnswered(
        survey_id=new_id(), ticket=ticket(customer_id), score=5, answered_at=later(days=1)
    )
    await service.receive(shop, "support_ticket", [(new_id(), event)])
    some = await timeline(params={"type": "survey.answered,order.placed"})
    assert [entry["type"] for entry in some["data"]] == ["survey.answered"]
    assert (await timeline(params={"type": "order.placed"}))["data"] == []


@pytest.mark.capability(3)
async def test_a_customer_is_seen_from_four_sides(service, shop, client, customer_id, timeline):
    """Contact data, purchases, contacts and feedback; what grows is paged."""
    for number in ("1", "2", "3"):
        order = {
            "customer_id": str(customer_id),
            "external_id": number,
            "financial_status": "paid",
            "total": {"amount": "350000", "currency": "VND"},
            "placed_at": later(days=int(number)).isoformat(),
        }
        assert (await client.post("/v1/orders", json=order)).status_code == 201
    told = []
    for day in (1, 2):
        told.append(
            (new_id(), TicketCreated(ticket=ticket(customer_id, opened_at=later(days=day))))
        )
        survey = SurveyAnswered(
            survey_id=new_id(),
            ticket=ticket(customer_id),
            score=3 + day,
            answered_at=later(days=day),
        )
        told.append((new_id(), survey))
    await service.receive(shop, "support_ticket", told)
    path = f"/v1/customers/{customer_id}"
    assert (await client.get(path)).json()["email"] == "lan@example.com"

    async def paged(where, **params):
        """Everything, one at a time."""
        found, cursor = [], None
        while True:
            asked = {**params, "limit": 1, **({"cursor": cursor} if cursor else {})}
            page = (await client.get(where, params=asked)).json()
            assert len(page["data"]) == 1
            found += page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    orders = await paged(f"{path}/orders")
    assert [one["external_id"] for one in orders] == ["3", "2", "1"]
    contacts = await paged(f"{path}/timeline", type="ticket.created,message.sent")
    assert [entry["type"] for entry in contacts] == ["ticket.created"] * 2
    feedback = await paged(f"{path}/timeline", type="survey.answered")
    assert [entry["data"]["score"] for entry in feedback] == [5, 4]


async def test_what_people_wrote_is_hidden_from_who_may_not_see_personal_data(
    service, shop, client, customer_id
):
    body = {"customer_id": str(customer_id), "title": "Gọi lại cho chị Lan 0912345678"}
    assert (await client.post("/v1/tasks", json=body)).status_code == 201
    path = f"/v1/customers/{customer_id}/timeline?kind=task"
    [entry] = (await client.get(path)).json()["data"]
    assert "Lan" in entry["title"]
    assert "Lan" in entry["data"]["title"]

    async with service.client(shop, "customers:read", sees_pii=False) as masked:
        answer = await masked.get(path)
    [entry] = answer.json()["data"]
    assert entry["title"] == "Việc cần làm: ***"
    assert "0912345678" not in answer.text


async def test_what_customers_say_of_how_it_went_is_hidden_as_well(service, shop, customer_id):
    event = SurveyAnswered(
        survey_id=new_id(), ticket=ticket(customer_id), score=1, comment="Gọi 0912345678",
        answered_at=later(days=1),
    )  # fmt: skip
    await service.receive(shop, "support_ticket", [(new_id(), event)])
    path = f"/v1/customers/{customer_id}/timeline?kind=survey"
    for sees_pii, comment in ((True, "Gọi 0912345678"), (False, "***")):
        async with service.client(shop, "customers:read", sees_pii=sees_pii) as reader:
            [entry] = (await reader.get(path)).json()["data"]
        assert (entry["data"]["comment"], entry["data"]["score"]) == (comment, 1)
