"""What staff owe their customers: reminders, calls to make, appointments, calendars."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.customer.appointments.tasks import AppointmentReminders
from services.customer.tasks.tasks import TaskReminders
from shared.contracts.gateway import StaffChanged, StaffState
from shared.ids import TenantId, new_id
from shared.security.principal import PrincipalKind, Visibility
from tests.support.harness import ServiceHarness

NOON = datetime(2027, 3, 1, 5, 0, tzinfo=UTC)
SHOWN = {"proof": {"call": "2027-02-01"}}
APPOINTMENTS = ("appointments:read", "appointments:write")


def at(**later: float) -> str:
    return (NOON + timedelta(**later)).isoformat()


def ago(**earlier: float) -> str:
    return (datetime.now(UTC) - timedelta(**earlier)).isoformat()


@pytest.fixture
def hire(service: ServiceHarness, shop: TenantId):
    async def hired(staff_id: UUID | None = None, **state: Any) -> UUID:
        who = staff_id or new_id()
        known = {"staff_id": who, "name": "Hoa", "email": "hoa@shop.vn", "role": "agent"}
        event = StaffChanged(staff=StaffState(**{**known, **state}))
        await service.receive(shop, "gateway", [(who, event)])
        return who

    return hired


@pytest.fixture
def make(client: httpx.AsyncClient):
    async def made(path: str, **body: Any) -> dict[str, Any]:
        answer = await client.post(f"/v1/{path}", json=body)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    return made


@pytest.fixture
async def customer(make) -> dict[str, Any]:
    return await make("customers", name="Lan", phone="0912345678")


@pytest.fixture
def meeting(make, customer):
    async def made(**said: Any) -> dict[str, Any]:
        known = {"customer_id": customer["id"], "title": "Thử áo dài"}
        return await make(
            "appointments", **{**known, "starts_at": at(), "ends_at": at(hours=1), **said}
        )

    return made


class TestTasks:
    async def test_a_task_is_reminded_of_once(self, client, service, shop, make):
        due = await make("tasks", title="Gọi", due_at=ago(minutes=1))
        await make("tasks", title="Mai", due_at=at())
        await make("tasks", title="Không nhắc", due_at=ago(days=1), reminder_at=None)
        done = await make("tasks", title="Xong", due_at=ago(minutes=1))
        await client.patch(f"/v1/tasks/{done['id']}", json={"status": "done"})
        reminders = TaskReminders(service.context.units)
        # Two workers at once.
        await asyncio.gather(reminders.sweep(), reminders.sweep())
        await reminders.sweep()
        [event] = await service.told(shop, "customer.task_due")
        assert event["task"]["task_id"] == due["id"]
        assert (await client.get(f"/v1/tasks/{due['id']}")).json()["reminded_at"] is not None

    async def test_another_time_is_another_reminder(self, client, service, shop, make):
        reminders = TaskReminders(service.context.units)
        task = await make("tasks", title="Gọi", due_at=ago(minutes=2))
        path = f"/v1/tasks/{task['id']}"
        await reminders.sweep_tenant(shop)
        moved = (await client.patch(path, json={"due_at": ago(minutes=1)})).json()
        assert moved["reminder_at"] == moved["due_at"]
        assert moved["reminded_at"] is None
        await client.patch(path, json={"note": "A"})
        assert [await reminders.sweep_tenant(shop) for _ in range(2)] == [1, 0]
        early = {"reminder_at": at(hours=-1), "due_at": at()}
        assert (await client.patch(path, json=early)).json()["reminder_at"] != at()
        later_due = (await client.patch(path, json={"due_at": at(days=1)})).json()
        assert datetime.fromisoformat(later_due["reminder_at"]) == NOON - timedelta(hours=1)

    @pytest.mark.capability(22)
    async def test_calls_come_in_the_order_to_make_them(
        self, client, service, shop, hire, make, customer
    ):
        lan, chi = await hire(), await hire()
        call = {"kind": "call", "assignee_id": str(lan), "customer_id": customer["id"]}
        whenever = await make("tasks", title="whenever", **call)
        tomorrow = await make("tasks", title="tomorrow", due_at=at(days=1), **call)
        today = await make("tasks", title="today", due_at=at(), **call)
        urgent = await make("tasks", title="urgent", priority=3, **call)
        done = await make("tasks", title="done", **call)
        result = {"status": "done", "result_code": "no_answer"}
        finished = (await client.patch(f"/v1/tasks/{done['id']}", json=result)).json()
        assert finished["result_code"] == "no_answer"
        await make("tasks", title="no call", assignee_id=str(lan))
        await make("tasks", title="hers", **{**call, "assignee_id": str(chi)})
        found, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            asked = {"assignee_id": str(lan), "limit": 1, **more}
            page = (await client.get("/v1/tasks/call-list", params=asked)).json()
            found += page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        expected = [urgent, today, tomorrow, whenever]
        assert [one["id"] for one in found] == [one["id"] for one in expected]
        assert {one["customer_phone"] for one in found} == {"+84912345678"}
        assert all(one["may_call"] for one in found)
        async with service.client(
            shop, "tasks:read", kind=PrincipalKind.STAFF, actor_id=str(lan)
        ) as own:
            mine = (await own.get("/v1/tasks/call-list")).json()["data"]
            assert len(mine) == 4
        assert (await client.get("/v1/tasks/call-list")).status_code == 422

    async def test_who_said_stop_is_not_called(self, client, hire, make, customer):
        lan = await hire()
        for customer_id in (customer["id"], None):
            task = {"kind": "call", "title": "Gọi", "assignee_id": str(lan)}
            await make("tasks", **task, customer_id=customer_id)
        stop = {"purpose": "care", "channel": "call", "status": "withdrawn"}
        await client.post(f"/v1/customers/{customer['id']}/consents", json=stop)
        asked = {"assignee_id": str(lan)}
        calls = (await client.get("/v1/tasks/call-list", params=asked)).json()["data"]
        assert [call["may_call"] for call in calls] == [False, False]

    async def test_whose_data_rest_is_not_called(self, client, hire, make, customer):
        lan = await hire()
        task = {"kind": "call", "title": "Gọi", "assignee_id": str(lan)}
        await make("tasks", **task, customer_id=customer["id"])
        asked = {"assignee_id": str(lan)}
        [before] = (await client.get("/v1/tasks/call-list", params=asked)).json()["data"]
        await make("privacy-requests", kind="restriction", customer_id=customer["id"])
        [after] = (await client.get("/v1/tasks/call-list", params=asked)).json()["data"]
        assert (before["may_call"], after["may_call"]) == (True, False)


class TestAppointments:
    @pytest.mark.capability(22)
    async def test_an_appointment_is_made_moved_and_kept(self, client, customer, meeting, hire):
        lan = await hire()
        made = await meeting(staff_id=str(lan), place="12 Lê Lợi")
        assert made["status"] == "planned"
        assert datetime.fromisoformat(made["reminder_at"]) == NOON - timedelta(hours=1)
        path = f"/v1/appointments/{made['id']}"
        assert (await client.get(path)).json() == made
        move = {"starts_at": at(days=1), "ends_at": at(days=1, hours=1)}
        moved = (await client.patch(path, json=move, headers={"if-match": '"1"'})).json()
        assert datetime.fromisoformat(moved["reminder_at"]) == NOON + timedelta(hours=23)
        stale = await client.patch(path, json={"title": "B"}, headers={"if-match": '"1"'})
        assert stale.status_code == 412
        kept = (await client.patch(path, json={"status": "kept"})).json()
        assert (kept["status"], kept["allowed_transitions"]) == ("kept", ["missed"])
        refused = await client.patch(path, json={"status": "cancelled"})
        assert refused.status_code == 409
        assert refused.json()["code"] == "transition_not_allowed"
        timeline = f"/v1/customers/{customer['id']}/timeline"
        told = (await client.get(timeline, params={"kind": "appointment"})).json()["data"]
        assert [entry["type"].split(".")[1] for entry in told] == ["kept", "moved", "planned"]

    async def test_nobody_is_booked_twice_at_once(self, client, customer, hire):
        lan = await hire()
        body = {
            "customer_id": customer["id"],
            "staff_id": str(lan),
            "title": "Thử áo",
            "starts_at": at(),
            "ends_at": at(hours=1),
        }
        answers = await asyncio.gather(
            *(client.post("/v1/appointments", json=body) for _ in range(6))
        )
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [201, *[409] * 5]
        [made] = [answer.json() for answer in answers if answer.status_code == 201]
        refused = next(answer.json() for answer in answers if answer.status_code == 409)
        assert (refused["code"], refused["appointment_ids"]) == ("staff_booked", [made["id"]])

    async def test_periods_that_only_touch_do_not_collide(self, client, meeting, hire):
        lan, chi = str(await hire()), str(await hire())
        first = await meeting(staff_id=lan)
        await meeting(staff_id=lan, starts_at=at(hours=1), ends_at=at(hours=2))
        await meeting(staff_id=lan, starts_at=at(hours=-1), ends_at=at())
        await meeting(staff_id=chi)
        await meeting()
        body = {**first, "starts_at": at(hours=-3), "ends_at": at(hours=20)}
        wanted = {name: body[name] for name in ("customer_id", "staff_id", "title")}
        long = {**wanted, "starts_at": body["starts_at"], "ends_at": body["ends_at"]}
        assert (await client.post("/v1/appointments", json=long)).status_code == 409
        forced = await client.post("/v1/appointments", json={**long, "overbook": True})
        assert (forced.status_code, forced.json()["overbooked"]) == (201, True)

    async def test_a_cancelled_one_leaves_its_time_to_others(self, client, meeting, hire):
        lan = str(await hire())
        first = await meeting(staff_id=lan)
        path = f"/v1/appointments/{first['id']}"
        await client.patch(path, json={"status": "cancelled"})
        await meeting(staff_id=lan)
        back = await client.patch(path, json={"status": "planned"})
        assert (back.status_code, back.json()["code"]) == (409, "staff_booked")
        forced = await client.patch(path, json={"status": "planned", "overbook": True})
        assert forced.json()["overbooked"] is True

    async def test_what_cannot_be_is_refused(self, client, customer, hire):
        left = await hire(active=False)
        body = {
            "customer_id": customer["id"],
            "title": "A",
            "starts_at": at(),
            "ends_at": at(hours=1),
        }
        for said, status, code in (
            ({"ends_at": at()}, 422, "period_not_valid"),
            ({"ends_at": at(hours=25)}, 422, "period_not_valid"),
            ({"staff_id": str(left)}, 422, "unknown_staff"),
            ({"customer_id": str(new_id())}, 404, "customer_not_found"),
        ):
            refused = await client.post("/v1/appointments", json={**body, **said})
            assert (refused.status_code, refused.json()["code"]) == (status, code)

    @pytest.mark.parametrize("status", ["kept", "missed", "cancelled"])
    async def test_what_no_appointment_can_be_none_becomes_that_is_planned_no_more(
        self, client, meeting, hire, status
    ):
        made = await meeting(staff_id=str(await hire()))
        path = f"/v1/appointments/{made['id']}"
        await client.patch(path, json={"status": status})
        for said, code in (
            ({"ends_at": at(hours=-1)}, "period_not_valid"),
            ({"starts_at": at(days=-2)}, "period_not_valid"),
            ({"staff_id": str(new_id())}, "unknown_staff"),
        ):
            refused = await client.patch(path, json=said)
            assert (refused.status_code, refused.json()["code"]) == (422, code)
        later = {"starts_at": at(hours=2), "ends_at": at(hours=3), "staff_id": str(await hire())}
        assert (await client.patch(path, json=later)).json()["staff_id"] == later["staff_id"]

    @pytest.mark.capability(23)
    async def test_staff_and_willing_customers_are_reminded_once(
        self, client, service, shop, customer, meeting, hire
    ):
        lan = str(await hire())
        soon = datetime.now(UTC) + timedelta(minutes=30)
        times = {"starts_at": soon.isoformat(), "ends_at": (soon + timedelta(hours=1)).isoformat()}
        near = await meeting(staff_id=lan, **times)
        await meeting(staff_id=lan)
        await meeting(remind_minutes=None, **times)
        dropped = await meeting(**times)
        await client.patch(f"/v1/appointments/{dropped['id']}", json={"status": "cancelled"})
        for channel, status in (("zalo", "granted"), ("email", "withdrawn")):
            answer = {"purpose": "care", "channel": channel, "status": status, **SHOWN}
            await client.post(f"/v1/customers/{customer['id']}/consents", json=answer)
        marketing = {"purpose": "marketing", "channel": "sms", "status": "granted", **SHOWN}
        await client.post(f"/v1/customers/{customer['id']}/consents", json=marketing)
        reminders = AppointmentReminders(service.context.units)
        await asyncio.gather(reminders.sweep(), reminders.sweep())
        await reminders.sweep()
        [event] = await service.told(shop, "customer.appointment_due")
        told = event["appointment"]
        assert (told["appointment_id"], told["staff_id"]) == (near["id"], lan)
        assert told["customer_channels"] == ["zalo"]
        later = {name: at.replace("+00:00", "Z") for name, at in times.items()}
        moved = {**later, "remind_minutes": 45}
        await client.patch(f"/v1/appointments/{near['id']}", json=moved)
        assert await reminders.sweep_tenant(shop) == 1

    async def test_nobody_is_reminded_of_what_has_begun(self, client, service, shop, meeting):
        over = {"starts_at": ago(days=2), "ends_at": ago(days=2, hours=-1)}
        assert (await meeting(**over))["reminder_at"] is None
        moved = await meeting()
        path = f"/v1/appointments/{moved['id']}"
        assert (await client.patch(path, json=over)).json()["reminder_at"] is None
        # Planned ahead, and not reminded of in time.
        late = await meeting()
        async with service.context.units.begin(shop) as uow:
            await uow.execute(
                text(
                    "UPDATE customer.appointment SET starts_at = now() - interval '1 hour',"
                    " ends_at = now(), reminder_at = now() - interval '2 hours'"
                    " WHERE tenant_id = :tenant AND id = :id"
                ),
                {"tenant": shop, "id": late["id"]},
            )
            await uow.commit()
        assert await AppointmentReminders(service.context.units).sweep_tenant(shop) == 0
        assert await service.told(shop, "customer.appointment_due") == []
        read = (await client.get(f"/v1/appointments/{late['id']}")).json()
        assert (read["reminder_at"], read["reminded_at"]) == (None, None)

    async def test_no_channel_is_told_of_who_must_not_be_written_to(
        self, client, service, shop, make, meeting
    ):
        soon = datetime.now(UTC) + timedelta(minutes=30)
        times = {"starts_at": soon.isoformat(), "ends_at": (soon + timedelta(hours=1)).isoformat()}
        over = {"at": ago(days=2), "expires_at": ago(days=1)}
        rests, is_over = await make("customers", name="Mai"), await make("customers", name="Bo")
        said = ((rests, "sms", {}), (is_over, "zalo", over), (is_over, "sms", {}))
        for person, channel, until in said:
            answer = {"purpose": "care", "channel": channel, "status": "granted", **SHOWN}
            await make(f"customers/{person['id']}/consents", **answer, **until)
        for person in (rests, is_over):
            await meeting(customer_id=person["id"], **times)
        await make("privacy-requests", kind="restriction", customer_id=rests["id"])
        await AppointmentReminders(service.context.units).sweep_tenant(shop)
        told = await service.told(shop, "customer.appointment_due")
        due = [event["appointment"] for event in told]
        channels = {each["customer_id"]: each["customer_channels"] for each in due}
        assert channels == {rests["id"]: [], is_over["id"]: ["sms"]}

    async def test_lists_are_in_time_and_filtered(self, client, make, customer, meeting, hire):
        lan, other = str(await hire()), await make("customers", name="Bo")
        second = await meeting(starts_at=at(hours=2), ends_at=at(hours=3))
        first = await meeting(staff_id=lan)
        others = await meeting(
            customer_id=other["id"], starts_at=at(days=1), ends_at=at(days=1, hours=1)
        )
        await client.patch(f"/v1/appointments/{second['id']}", json={"status": "missed"})
        for params, expected in (
            ({}, [first, second, others]),
            ({"customer_id": customer["id"]}, [first, second]),
            ({"staff_id": lan}, [first]),
            ({"status": "missed"}, [second]),
            ({"starts_at[gte]": at(hours=1)}, [second, others]),
            ({"starts_at[lt]": at(hours=1)}, [first]),
        ):
            found = (await client.get("/v1/appointments", params=params)).json()["data"]
            assert [one["id"] for one in found] == [one["id"] for one in expected], params

    async def test_staff_see_appointments_of_customers_they_see(
        self, client, service, shop, make, meeting, hire
    ):
        lan, chi = str(await hire()), str(await hire())
        hers = await make("customers", name="Chi's", owner_id=chi)
        own = await meeting(staff_id=lan)
        hidden = await meeting(staff_id=chi, customer_id=hers["id"])
        async with service.client(
            shop,
            *APPOINTMENTS,
            kind=PrincipalKind.STAFF,
            actor_id=lan,
            visibility=Visibility.OWN,
        ) as limited:
            found = (await limited.get("/v1/appointments")).json()["data"]
            assert [one["id"] for one in found] == [own["id"]]
            path = f"/v1/appointments/{hidden['id']}"
            assert (await limited.get(path)).status_code == 404
            assert (await limited.patch(path, json={"title": "B"})).status_code == 404
            body = {
                "customer_id": hers["id"],
                "title": "A",
                "starts_at": at(),
                "ends_at": at(hours=1),
            }
            assert (await limited.post("/v1/appointments", json=body)).status_code == 404


class TestCalendars:
    @pytest.fixture
    def visit(self, service: ServiceHarness, shop: TenantId):
        """Opens an address as a calendar program does."""

        async def visited(url: str) -> httpx.Response:
            async with service.client(shop, "public:pages", kind=PrincipalKind.PUBLIC) as visitor:
                return await visitor.get(httpx.URL(url).path)

        return visited

    async def test_whoever_has_the_address_reads_the_calendar(
        self, client, customer, meeting, hire, visit
    ):
        lan, chi = str(await hire()), str(await hire())
        title = "Thử áo; quần, " + "vải lụa tơ tằm " * 10
        soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
        times = {"starts_at": soon.isoformat(), "ends_at": (soon + timedelta(hours=1)).isoformat()}
        made = await meeting(staff_id=lan, title=title, place="12 Lê Lợi", **times)
        off = await meeting(staff_id=lan, overbook=True, **times)
        await client.patch(f"/v1/appointments/{off['id']}", json={"status": "cancelled"})
        await meeting(staff_id=chi, **times)
        opened = await client.put(f"/v1/appointments/calendars/{lan}")
        assert (opened.status_code, opened.headers["cache-control"]) == (200, "no-store")
        read = await visit(opened.json()["url"])
        assert read.status_code == 200
        assert read.headers["content-type"].startswith("text/calendar")
        assert all(len(line) <= 75 for line in read.content.split(b"\r\n"))
        lines = read.content.decode().replace("\r\n ", "").split("\r\n")
        assert lines[0] == "BEGIN:VCALENDAR"
        assert lines[-2:] == ["END:VCALENDAR", ""]
        assert [line for line in lines if line.startswith("UID")] == [
            f"UID:{one['id']}@careloop" for one in (made, off)
        ]
        said = title.strip().replace(";", "\\;").replace(",", "\\,")
        assert f"SUMMARY:{said} ({customer['code']})" in lines
        assert f"DTSTART:{soon:%Y%m%dT%H%M%SZ}" in lines
        assert [line for line in lines if line.startswith("STATUS")] == [
            "STATUS:CONFIRMED",
            "STATUS:CANCELLED",
        ]
        assert [line for line in lines if line.startswith("TRIGGER")] == ["TRIGGER:-PT1H"]
        assert "Lan" not in read.text

    async def test_an_address_is_good_until_there_is_another(
        self, client, hire, visit, service, open_shop
    ):
        lan = await hire()
        path = f"/v1/appointments/calendars/{lan}"
        assert (await client.get(path)).status_code == 404
        first = (await client.put(path)).json()["url"]
        second = (await client.put(path)).json()["url"]
        assert "url" not in (await client.get(path)).json()
        assert [(await visit(url)).status_code for url in (first, second)] == [404, 200]
        async with service.client(
            await open_shop(), "public:pages", kind=PrincipalKind.PUBLIC
        ) as stranger:
            assert (await stranger.get(httpx.URL(second).path)).status_code == 404
        assert (await client.delete(path)).status_code == 204
        assert (await client.delete(path)).status_code == 404
        assert (await visit(second)).status_code == 404
        third = (await client.put(path)).json()["url"]
        await hire(lan, active=False, version=2)
        assert (await visit(third)).status_code == 404, "who has left has no calendar"
        assert (await client.put(path)).json()["code"] == "unknown_staff"

    async def test_staff_with_limited_sight_have_their_own_calendar_only(self, service, shop, hire):
        lan, chi = await hire(), await hire()
        async with service.client(
            shop,
            *APPOINTMENTS,
            kind=PrincipalKind.STAFF,
            actor_id=str(lan),
            visibility=Visibility.TEAM,
        ) as limited:
            assert (await limited.put(f"/v1/appointments/calendars/{lan}")).status_code == 200
            for method in ("PUT", "GET", "DELETE"):
                refused = await limited.request(method, f"/v1/appointments/calendars/{chi}")
                assert refused.json()["code"] == "not_your_calendar"
