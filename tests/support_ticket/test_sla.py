"""Due times of tickets, over the API."""

import pytest

from tests.support_ticket.clock import TestClock, local
from tests.support_ticket.shop import Shop


def clocks(sla: dict) -> dict:
    return {clock["metric"]: clock for clock in sla["clocks"]}


@pytest.mark.capability(58)
async def test_due_times_skip_nights_and_tet(shop: Shop, clock: TestClock) -> None:
    """In 2027 the shop is closed from 4 to 10 February."""
    clock.set(local("2027-02-03T20:00"))
    ticket = await shop.ticket(urgency="high", type="refund")
    assert ticket["priority"] == "high"
    # An hour to the answer: until closing. Eight to the end: one today, seven after Tet.
    assert ticket["first_response_due_at"] == "2027-02-03T14:00:00Z"
    assert ticket["resolution_due_at"] == "2027-02-11T08:00:00Z"


@pytest.mark.capability(58)
async def test_a_request_in_the_middle_of_tet_is_due_after_it(shop: Shop, clock: TestClock) -> None:
    clock.set(local("2027-02-06T11:30"))
    ticket = await shop.ticket(urgency="critical")
    assert ticket["first_response_due_at"] == "2027-02-11T01:30:00Z"
    assert ticket["resolution_due_at"] == "2027-02-11T05:00:00Z"


@pytest.mark.capability(60)
async def test_waiting_for_the_customer_stops_the_clock_and_their_reply_resumes_it(
    shop: Shop, clock: TestClock
) -> None:
    customer = await shop.knows()
    ticket = await shop.ticket(
        urgency="critical", channel="web", requester={"customer_id": str(customer)}
    )
    path = f"/v1/tickets/{ticket['id']}"
    clock.advance(hours=1)
    await shop.post(f"{path}/replies", {"text": "Ấm nào ạ?", "status": "pending_customer"}, 201)
    waiting = clocks(await shop.get(f"{path}/sla"))["resolution"]
    assert (waiting["state"], waiting["due_at"]) == ("paused", None)
    assert waiting["remaining_seconds"] == 3 * 3600
    assert (await shop.get(path))["resolution_due_at"] is None
    clock.advance(hours=20)
    assert clocks(await shop.get(f"{path}/sla"))["resolution"]["remaining_seconds"] == 3 * 3600
    clock.set(local("2027-03-02T09:00"))
    async with shop.shopper(customer) as shopper:
        assert (await shopper.post(f"{path}/replies", json={"text": "Ấm đỏ"})).status_code == 201
    resumed = await shop.get(path)
    assert resumed["status"] == "open"
    assert resumed["resolution_due_at"] == "2027-03-02T05:00:00Z"


async def test_the_first_public_answer_is_the_first_response_and_nothing_else_is(
    shop: Shop, clock: TestClock
) -> None:
    ticket = await shop.ticket()
    path = f"/v1/tickets/{ticket['id']}"
    await shop.post(f"{path}/notes", {"text": "Xem kho"}, 201)
    await shop.post(f"{path}/transitions", {"to": "open"}, 200)
    assert (await shop.get(path))["first_responded_at"] is None
    clock.advance(minutes=30)
    await shop.post(f"{path}/replies", {"text": "Dạ chào chị"}, 201)
    clock.advance(minutes=30)
    await shop.post(f"{path}/replies", {"text": "Đã gửi"}, 201)
    answered = await shop.get(path)
    assert answered["first_responded_at"] == "2027-03-01T03:30:00Z"
    first = clocks(await shop.get(f"{path}/sla"))["first_response"]
    assert (first["state"], first["consumed_seconds"], first["is_late"]) == (
        "fulfilled",
        1800,
        False,
    )


async def test_resolving_without_an_answer_cancels_the_first_response(shop: Shop) -> None:
    ticket = await shop.ticket()
    await shop.resolve(ticket["id"])
    states = {
        metric: clock["state"]
        for metric, clock in clocks(await shop.get(f"/v1/tickets/{ticket['id']}/sla")).items()
    }
    assert states == {"first_response": "cancelled", "resolution": "fulfilled"}


async def test_a_higher_priority_is_due_earlier_with_the_time_used_up(
    shop: Shop, clock: TestClock
) -> None:
    ticket = await shop.ticket()
    assert ticket["priority"] == "normal"
    path = f"/v1/tickets/{ticket['id']}"
    clock.advance(hours=1)
    async with shop.api() as api:
        urgent = (await api.patch(path, json={"urgency": "critical"})).json()
    assert urgent["priority"] == "urgent"
    assert urgent["first_response_due_at"] == "2027-03-01T04:00:00Z"  # Used up: due now.
    assert urgent["resolution_due_at"] == "2027-03-01T07:00:00Z"


async def test_a_missed_target_is_not_saved_by_a_lower_priority(
    shop: Shop, clock: TestClock
) -> None:
    ticket = await shop.ticket(urgency="critical")
    path = f"/v1/tickets/{ticket['id']}"
    clock.advance(hours=1)
    async with shop.api() as api:
        lowered = (await api.patch(path, json={"urgency": "low"})).json()
    assert lowered["priority"] == "low"
    late = clocks(await shop.get(f"{path}/sla"))["first_response"]
    assert late["is_late"]
    assert late["due_at"] == ticket["first_response_due_at"]
    assert lowered["resolution_due_at"] > ticket["resolution_due_at"]


async def test_new_opening_hours_count_for_new_tickets_only(shop: Shop, clock: TestClock) -> None:
    before = await shop.ticket(urgency="critical")
    (calendar,) = (await shop.get("/v1/business-calendars"))["data"]
    path = f"/v1/business-calendars/{calendar['id']}"
    assert calendar["hours"]["timezone"] == "Asia/Ho_Chi_Minh"
    assert calendar["hours"]["holiday_country"] == "VN"
    assert calendar["hours"]["weekly"]["sunday"] == [{"opens": "08:00", "closes": "21:00"}]
    hours = calendar["hours"] | {
        "weekly": {"monday": [{"opens": "08:00", "closes": "12:00"}]},
        "overrides": {"2027-03-02": [{"opens": "13:00", "closes": "24:00"}]},
    }
    async with shop.api() as api:
        tag = (await api.get(path)).headers["etag"]
        body = {"name": "Giờ mới", "hours": hours}
        changed = await api.put(path, json=body, headers={"If-Match": tag})
        stale = await api.put(path, json=body, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert changed.json()["version"] == 2
    assert stale.status_code == 412
    after = await shop.ticket(urgency="critical")
    assert before["resolution_due_at"] == "2027-03-01T07:00:00Z"
    assert after["resolution_due_at"] == "2027-03-02T08:00:00Z"
    # The older ticket's clock keeps the hours it began with, even when it is paused and resumed.
    old = f"/v1/tickets/{before['id']}"
    await shop.post(f"{old}/transitions", {"to": "pending_customer"}, 200)
    clock.set(local("2027-03-03T10:00"))
    resumed = await shop.post(f"{old}/transitions", {"to": "open"}, 200)
    assert resumed["resolution_due_at"] == "2027-03-03T07:00:00Z"


async def test_a_new_promise_counts_for_new_tickets_only(shop: Shop) -> None:
    before = await shop.ticket()
    (policy,) = (await shop.get("/v1/sla-policies"))["data"]
    targets = policy["targets"] | {
        "normal": {"first_response_seconds": 600, "resolution_seconds": 1200}
    }
    async with shop.api() as api:
        path = f"/v1/sla-policies/{policy['id']}"
        changed = await api.put(
            path,
            json={"name": "Nhanh", "calendar_id": policy["calendar_id"], "targets": targets},
            headers={"If-Match": '"1"'},
        )
        assert changed.json()["version"] == 2
    after = await shop.ticket()
    assert after["resolution_due_at"] == "2027-03-01T03:20:00Z"
    sla = await shop.get(f"/v1/tickets/{before['id']}/sla")
    assert sla["policy"] == {"id": policy["id"], "version": 1}
    assert clocks(sla)["resolution"]["target_seconds"] == 26 * 3600


@pytest.mark.parametrize(
    "hours",
    [
        {
            "timezone": "Asia/Saigon_City",
            "weekly": {"monday": [{"opens": "08:00", "closes": "20:00"}]},
        },
        {"timezone": "UTC", "weekly": {}},
        {"timezone": "UTC", "weekly": {"monday": [{"opens": "20:00", "closes": "08:00"}]}},
        {
            "timezone": "UTC",
            "weekly": {
                "monday": [
                    {"opens": "08:00", "closes": "12:00"},
                    {"opens": "11:00", "closes": "18:00"},
                ]
            },
        },
        {
            "timezone": "UTC",
            "weekly": {"monday": [{"opens": "08:00", "closes": "20:00"}]},
            "holiday_country": "ZZ",
        },
    ],
)
async def test_hours_that_make_no_sense_are_refused(shop: Shop, hours: dict) -> None:
    (calendar,) = (await shop.get("/v1/business-calendars"))["data"]
    async with shop.api() as api:
        response = await api.put(
            f"/v1/business-calendars/{calendar['id']}", json={"name": "X", "hours": hours}
        )
    assert response.status_code == 422, response.text


async def test_calendars_and_policies_of_another_shop_are_nowhere(
    shop: Shop, other_shop: Shop
) -> None:
    (calendar,) = (await other_shop.get("/v1/business-calendars"))["data"]
    (policy,) = (await other_shop.get("/v1/sla-policies"))["data"]
    async with shop.api() as api:
        assert (await api.get(f"/v1/business-calendars/{calendar['id']}")).status_code == 404
        assert (await api.get(f"/v1/sla-policies/{policy['id']}")).status_code == 404
        (own,) = (await api.get("/v1/sla-policies")).json()["data"]
        borrowed = {"name": "X", "calendar_id": calendar["id"], "targets": own["targets"]}
        response = await api.put(f"/v1/sla-policies/{own['id']}", json=borrowed)
        assert response.status_code == 404


async def test_another_zone_of_the_shop_is_the_zone_of_its_hours(
    service, tenant, clock: TestClock
) -> None:
    london = await Shop(service, tenant).open(timezone="Europe/London", country="GB", locale="en")
    clock.set(local("2027-03-01T10:00"))  # Three in the morning in London.
    ticket = await london.ticket(urgency="critical")
    assert ticket["first_response_due_at"] == "2027-03-01T08:30:00Z"
