"""Who gets which customers: by rules as they come, by jobs in bulk, and why."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.customer.assignment.choosing import (
    Availability,
    Facts,
    Rule,
    Shift,
    choose,
    on_shift,
)
from services.customer.jobs import build_job_kinds
from shared.contracts.gateway import PlatformIdentity, StaffChanged, StaffState
from shared.ids import TenantId, new_id
from shared.jobs.runner import JobRunner
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.leads import BINH, make_form, submit
from tests.customer.told import platform_order
from tests.support.harness import ServiceHarness

RULES = "/v1/assignment-rules"


@pytest.fixture
def hire(service: ServiceHarness, shop: TenantId):
    async def hired(staff_id: UUID | None = None, **state: Any) -> str:
        who = staff_id or new_id()
        known = {"staff_id": who, "name": "Hoa", "email": "hoa@shop.vn", "role": "agent"}
        event = StaffChanged(staff=StaffState(**{**known, **state}))
        await service.receive(shop, "gateway", [(who, event)])
        return str(who)

    return hired


@pytest.fixture
def rule(client: httpx.AsyncClient):
    async def made(*staff_ids: str, **said: Any) -> dict[str, Any]:
        body = {"name": "Cho mọi người", "staff_ids": staff_ids, **said}
        answer = await client.post(RULES, json=body)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    return made


@pytest.fixture
def newcomer(client: httpx.AsyncClient):
    async def came(**known: Any) -> dict[str, Any]:
        answer = await client.post("/v1/customers", json={"name": "Lan", **known})
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    return came


async def _task(client: httpx.AsyncClient, **said: Any) -> str:
    answer = await client.post("/v1/tasks", json={"title": "Gọi", **said})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def _appointment(
    client: httpx.AsyncClient, customer_id: str, staff_id: str, *, days: int, overbook: bool = False
) -> str:
    starts_at = (datetime.now(UTC) + timedelta(days=days)).replace(hour=3, minute=0)
    body = {
        "customer_id": customer_id,
        "staff_id": staff_id,
        "title": "Thử áo",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        "overbook": overbook,
    }
    answer = await client.post("/v1/appointments", json=body)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def _of(client: httpx.AsyncClient, what: str, thing_id: str) -> str:
    """Whose a task or an appointment is."""
    found = (await client.get(f"/v1/{what}/{thing_id}")).json()
    whose: str = found["assignee_id" if what == "tasks" else "staff_id"]
    return whose


class TestRules:
    async def test_rules_are_made_changed_and_deleted(self, client, hire, rule):
        lan, chi = await hire(), await hire()
        late = await rule(lan, position=200)
        early = await rule(chi, lan, chi, conditions={"sources": ["pos"]}, position=1)
        assert early["staff_ids"] == [chi, lan]
        listed = (await client.get(RULES)).json()["data"]
        assert [one["id"] for one in listed] == [early["id"], late["id"]]
        path = f"{RULES}/{late['id']}"
        assert (await client.get(path)).json() == late
        changed = await client.patch(path, json={"position": 0}, headers={"if-match": '"1"'})
        assert (changed.json()["position"], changed.json()["staff_ids"]) == (0, [lan])
        stale = await client.delete(path, headers={"if-match": '"1"'})
        assert stale.status_code == 412
        assert (await client.delete(path)).status_code == 204
        assert (await client.get(path)).json()["code"] == "assignment_rule_not_found"
        gone = await hire(active=False)
        for staff_ids in ([gone], [str(new_id())]):
            refused = await client.post(RULES, json={"name": "A", "staff_ids": staff_ids})
            assert refused.json()["code"] == "unknown_staff"

    async def test_conditions_are_changed_as_a_whole(self, client, hire, rule):
        conditions = {"sources": ["pos"], "tags": ["VIP"]}
        made = await rule(await hire(), conditions=conditions)
        path = f"{RULES}/{made['id']}"
        changed = await client.patch(path, json={"conditions": {"tags": ["sỉ"]}})
        assert changed.status_code == 200, changed.text
        nothing = {"sources": [], "provinces": [], "value_tiers": []}
        assert changed.json()["conditions"] == {**nothing, "tags": ["sỉ"]}

    @pytest.mark.capability(117)
    async def test_newcomers_go_round_with_the_reason(
        self, client, service, shop, hire, rule, newcomer
    ):
        lan, chi = await hire(), await hire()
        made = await rule(lan, chi)
        customers = [await newcomer() for _ in range(5)]
        assert [one["owner_id"] for one in customers] == [lan, chi, lan, chi, lan]
        [log] = (await client.get(f"/v1/customers/{customers[1]['id']}/assignments")).json()["data"]
        assert (log["from_owner_id"], log["to_owner_id"], log["rule_id"]) == (None, chi, made["id"])
        assert log["explanation"]["strategy"] == "round_robin"
        assert log["explanation"]["candidates"] == [lan, chi]
        told = (await client.get(f"/v1/customers/{customers[1]['id']}/timeline")).json()["data"]
        assert {entry["type"] for entry in told} == {"customer.created", "customer.assigned"}
        events = await service.told(shop, "customer.created")
        assert [event["customer"]["owner_id"] for event in events] == [lan, chi, lan, chi, lan]

    async def test_many_who_come_at_once_are_shared_out_evenly(self, hire, rule, newcomer):
        staff = [await hire() for _ in range(3)]
        await rule(*staff)
        customers = await asyncio.gather(*(newcomer() for _ in range(12)))
        assert Counter(one["owner_id"] for one in customers) == dict.fromkeys(staff, 4)

    @pytest.mark.capability(117)
    async def test_an_owner_who_is_named_is_kept(self, client, hire, rule, newcomer):
        lan, chi = await hire(), await hire()
        await rule(lan)
        body = {"name": "Bo"}
        path = "/v1/customers/by-external-id/pos/7"
        first = (await client.put(path, json={**body, "owner_id": chi})).json()
        again = (await client.put(path, json={"city": "Huế"})).json()
        assert (first["owner_id"], again["owner_id"]) == (chi, chi)
        log = f"/v1/customers/{first['id']}/assignments"
        assert (await client.get(log)).json()["data"] == []

    async def test_customers_of_platforms_are_given_too(self, client, service, shop, hire, rule):
        lan, chi = await hire(), await hire()
        await rule(lan, chi, conditions={"sources": ["shopify"]})
        told = [
            platform_order(f"820982911946154{n}", buyer=PlatformIdentity(external_id=f"{n}"))
            for n in range(101, 105)
        ]
        await service.receive(shop, "gateway", told)
        listed = (await client.get("/v1/customers")).json()["data"]
        assert Counter(one["owner_id"] for one in listed) == {lan: 2, chi: 2}

    @pytest.mark.capability(117)
    async def test_leads_of_forms_are_given_too(self, client, service, shop, hire, rule):
        lan, chi = await hire(), await hire()
        made = await rule(lan, chi, conditions={"sources": ["lead_form"]})
        form = await make_form(client)
        for number in range(4):
            await submit(client, form, entered={**BINH, "email": f"binh{number}@example.com"})
        leads = (await client.get("/v1/leads")).json()["data"]
        found = [lead["customer"]["id"] for lead in reversed(leads)]
        listed = {one["id"]: one for one in (await client.get("/v1/customers")).json()["data"]}
        assert [listed[each]["owner_id"] for each in found] == [lan, chi, lan, chi]
        [log] = (await client.get(f"/v1/customers/{found[0]}/assignments")).json()["data"]
        assert (log["to_owner_id"], log["rule_id"]) == (lan, made["id"])
        events = await service.told(shop, "customer.created")
        assert [event["customer"]["owner_id"] for event in events] == [lan, chi, lan, chi]

    @pytest.mark.capability(117)
    async def test_conditions_say_which_rule_it_is(self, client, hire, rule, newcomer):
        south, vip, rest = await hire(), await hire(), await hire()
        await rule(vip, position=1, conditions={"tags": ["VIP"], "sources": ["pos", "web"]})
        await rule(south, position=2, conditions={"provinces": ["Cà Mau"]})
        await rule(rest, position=3, active=False)
        for known, owner in (
            ({"tags": ["VIP"], "source": "pos"}, vip),
            ({"tags": ["VIP"], "source": "fair", "province": "Cà Mau"}, south),
            ({"province": "ca mau"}, south),
            ({"province": "Huế"}, None),
        ):
            asked = (await client.post(f"{RULES}/explain", json=known)).json()
            assert asked["owner_id"] == owner, "asking tells what will be"
            assert (await newcomer(**known))["owner_id"] == owner

    @pytest.mark.capability(117)
    async def test_who_has_the_fewest_gets_the_next(self, client, hire, rule, newcomer):
        lan, chi = await hire(), await hire()
        for owner in (lan, lan, chi):
            await newcomer(owner_id=owner)
        await rule(lan, chi, strategy="least_load")
        given = [await newcomer() for _ in range(3)]
        assert [one["owner_id"] for one in given] == [chi, lan, chi]
        [log] = (await client.get(f"/v1/customers/{given[1]['id']}/assignments")).json()["data"]
        assert log["explanation"]["loads"] == {lan: 2, chi: 2}

    async def test_who_has_left_gets_nobody(self, hire, rule, newcomer):
        who = new_id()
        lan, chi = await hire(who), await hire()
        await rule(lan, chi, strategy="fixed")
        assert (await newcomer())["owner_id"] == lan
        await hire(who, active=False, version=2)
        assert (await newcomer())["owner_id"] == chi

    async def test_a_rule_is_changed_after_one_of_its_staff_has_left(self, client, hire, rule):
        who = new_id()
        lan, chi, binh = await hire(who), await hire(), await hire()
        path = f"{RULES}/{(await rule(lan, chi))['id']}"
        await hire(who, active=False, version=2)
        for said in ({"name": "B", "staff_ids": [lan, chi]}, {"staff_ids": [binh, chi, lan]}):
            changed = await client.patch(path, json=said)
            assert changed.json()["staff_ids"] == said["staff_ids"], changed.text
        await client.patch(path, json={"staff_ids": [chi]})
        refused = await client.patch(path, json={"staff_ids": [chi, lan]})
        assert refused.json()["code"] == "unknown_staff"

    async def test_only_who_is_on_shift_gets_customers(self, client, hire, rule, newcomer):
        lan, chi = await hire(), await hire()
        await rule(lan, chi, on_shift_only=True)
        assert (await newcomer())["owner_id"] is None
        week = [{"weekday": day, "starts": "00:00", "ends": "24:00"} for day in range(1, 8)]
        path = f"{RULES}/shifts/{chi}"
        put = await client.put(path, json={"shifts": week[::-1]})
        assert (put.status_code, put.json()["shifts"]) == (200, week)
        assert (await client.get(path)).json() == put.json()
        assert (await newcomer())["owner_id"] == chi
        assert (await client.put(path, json={"shifts": []})).json()["shifts"] == []
        assert (await newcomer())["owner_id"] is None
        overlapping = [week[0], {"weekday": 1, "starts": "08:00", "ends": "09:00"}]
        refused = (await client.put(path, json={"shifts": overlapping})).json()
        assert refused["code"] == "shifts_overlap"
        assert [each["pointer"] for each in refused["errors"]] == ["/body/shifts"]

    @pytest.mark.parametrize(
        ("starts", "ends"), [("10:00", "09:00"), ("22:00", "02:00"), ("09:00", "09:00")]
    )
    async def test_a_shift_ends_on_its_day_after_it_begins(self, client, hire, starts, ends):
        path = f"{RULES}/shifts/{await hire()}"
        good = {"weekday": 2, "starts": "08:00", "ends": "12:00"}
        wrong = {"weekday": 1, "starts": starts, "ends": ends}
        answer = await client.put(path, json={"shifts": [good, wrong]})
        assert (answer.status_code, answer.json()["code"]) == (422, "shift_ends_before_start")
        (fault,) = answer.json()["errors"]
        assert fault["pointer"] == "/body/shifts/1/ends"
        assert "midnight" in fault["detail"]
        assert (await client.get(path)).json()["shifts"] == []

    async def test_another_shop_has_rules_of_its_own(self, client, service, open_shop, hire, rule):
        made = await rule(await hire())
        scopes = ("assignment_rules:read", "assignment_rules:write", "customers:write")
        async with service.client(await open_shop(), *scopes) as other:
            assert (await other.get(f"{RULES}/{made['id']}")).status_code == 404
            assert (await other.get(RULES)).json()["data"] == []
            created = (await other.post("/v1/customers", json={"name": "A"})).json()
            assert created["owner_id"] is None


class TestSkills:
    async def test_a_rule_gives_customers_to_who_can_do_what_it_asks(
        self, client, hire, rule, newcomer
    ):
        lan, chi, mai = await hire(), await hire(), await hire()
        both = await client.put(
            f"{RULES}/skills/{chi}", json={"skills": ["may đo", "tiếng Anh", "may đo"]}
        )
        assert both.json()["skills"] == ["may đo", "tiếng Anh"]
        await client.put(f"{RULES}/skills/{mai}", json={"skills": ["tiếng Anh"]})
        asked = await rule(lan, chi, mai, skills=["tiếng Anh"])
        assert asked["skills"] == ["tiếng Anh"]
        owners = [(await newcomer())["owner_id"] for _ in range(4)]
        assert owners == [chi, mai, chi, mai]
        path = f"{RULES}/{asked['id']}"
        changed = await client.patch(path, json={"skills": ["tiếng Anh", "may đo"]})
        assert changed.status_code == 200
        assert [(await newcomer())["owner_id"] for _ in range(2)] == [chi, chi]
        await client.put(f"{RULES}/skills/{chi}", json={"skills": []})
        assert (await client.get(f"{RULES}/skills/{chi}")).json()["skills"] == []
        assert (await newcomer())["owner_id"] is None, "nobody can do both"

    async def test_skills_of_whom_nobody_knows_are_refused(self, client):
        refused = await client.put(f"{RULES}/skills/{new_id()}", json={"skills": ["bay"]})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_staff")


class TestReassignment:
    @pytest.fixture
    def run(self, service: ServiceHarness):
        async def ran() -> None:
            async def nobody(_tenant: TenantId) -> None:
                """A wake-up that reaches nobody."""

            context = service.context
            settings = context.settings.model_copy(update={"reassignment_page": 2})
            kinds = build_job_kinds(replace(context, settings=settings))
            await JobRunner(units=context.units, kinds=kinds, wake=nobody).sweep()

        return ran

    @pytest.mark.capability(117)
    async def test_all_customers_of_somebody_go_to_others_in_turn(
        self, client, service, shop, hire, newcomer, run
    ):
        lan, chi, mai = await hire(), await hire(), await hire()
        theirs = [await newcomer(owner_id=lan, tags=["VIP"]) for _ in range(5)]
        kept = [await newcomer(owner_id=lan), await newcomer(owner_id=mai, tags=["VIP"])]
        body = {"from_owner_id": lan, "to_staff_ids": [chi, mai], "filter": {"tag": "VIP"}}
        started = await client.post(f"{RULES}/reassignments", json=body)
        assert started.status_code == 202
        await run()
        async with service.client(shop, "jobs:read") as watcher:
            job = (await watcher.get(started.headers["location"])).json()
        assert (job["status"], job["done"]) == ("succeeded", 5)
        owners = [
            (await client.get(f"/v1/customers/{one['id']}")).json()["owner_id"] for one in theirs
        ]
        assert Counter(owners) == {chi: 3, mai: 2}
        for one in kept:
            same = (await client.get(f"/v1/customers/{one['id']}")).json()
            assert same["owner_id"] == one["owner_id"]
        log = (await client.get(f"/v1/customers/{theirs[0]['id']}/assignments")).json()["data"]
        assert [(one["from_owner_id"], one["job_id"]) for one in log] == [(lan, job["id"])]
        events = await service.told(shop, "customer.updated")
        assert len(events) == 5

    async def test_open_tasks_go_along_unless_it_is_said_otherwise(
        self, client, service, shop, hire, newcomer, run
    ):
        lan, chi, mai = await hire(), await hire(), await hire()
        who, merged = await newcomer(owner_id=lan), await newcomer()
        merges = f"/v1/customers/{who['id']}/merges"
        assert (await client.post(merges, json={"customer_ids": [merged["id"]]})).is_success
        open_, of_merged, done, of_other, loose = [
            await _task(client, customer_id=customer, assignee_id=assignee)
            for customer, assignee in (
                *((who["id"], lan), (merged["id"], lan), (who["id"], lan)),
                *((who["id"], mai), (None, lan)),
            )
        ]
        await client.patch(f"/v1/tasks/{done}", json={"status": "done"})
        met = await _appointment(client, who["id"], lan, days=3)
        body = {"from_owner_id": lan, "to_staff_ids": [chi]}
        started = await client.post(f"{RULES}/reassignments", json=body)
        await run()
        assignees = [await _of(client, "tasks", one) for one in (open_, of_merged, done)]
        assert assignees == [chi, chi, lan]
        assert [await _of(client, "tasks", one) for one in (of_other, loose)] == [mai, lan]
        assert await _of(client, "appointments", met) == lan
        log = (await client.get(f"/v1/customers/{who['id']}/assignments")).json()["data"]
        moved = Counter((one["subject"], one["subject_id"]) for one in log)
        assert moved == {("customer", None): 1, ("task", open_): 1, ("task", of_merged): 1}
        assert {one["job_id"] for one in log} == {started.json()["id"]}

        back = {"from_owner_id": chi, "to_staff_ids": [mai], "hand_over": []}
        await client.post(f"{RULES}/reassignments", json=back)
        await run()
        assert await _of(client, "tasks", open_) == chi

    async def test_who_leaves_hands_everything_over_at_once(
        self, client, service, shop, hire, newcomer, run
    ):
        lan, chi, mai = await hire(), await hire(), await hire()
        who, of_chi = await newcomer(owner_id=lan), await newcomer(owner_id=chi)
        tasks = [
            await _task(client, customer_id=customer, assignee_id=lan)
            for customer in (who["id"], of_chi["id"], None, None)
        ]
        booked = await _appointment(client, of_chi["id"], chi, days=2)
        theirs = [
            await _appointment(client, who["id"], lan, days=2),
            await _appointment(client, of_chi["id"], lan, days=4),
        ]
        over = await _appointment(client, who["id"], lan, days=-2)
        await hire(UUID(lan), version=2, active=False)
        body = {"from_staff_id": lan, "to_staff_ids": [chi]}
        started = await client.post(f"{RULES}/handovers", json=body)
        assert started.status_code == 202, started.text
        await run()
        async with service.client(shop, "jobs:read") as watcher:
            job = (await watcher.get(started.headers["location"])).json()
        assert job["status"] == "succeeded"
        assert {await _of(client, "tasks", one) for one in tasks} == {chi}
        assert {await _of(client, "appointments", one) for one in theirs} == {chi}
        assert await _of(client, "appointments", over) == lan
        read = [(await client.get(f"/v1/appointments/{one}")).json() for one in theirs]
        assert [one["overbooked"] for one in read] == [True, False], "chi has another one then"
        assert await _of(client, "appointments", booked) == chi

        path = f"{RULES}/reassignments/{job['id']}/undo"
        refused = await client.post(path)
        assert (refused.status_code, refused.json()["code"]) == (409, "former_staff")
        await hire(UUID(lan), version=3, active=True)
        await client.patch(f"/v1/tasks/{tasks[1]}", json={"assignee_id": mai})
        await client.patch(f"/v1/tasks/{tasks[2]}", json={"status": "done"})
        assert (await client.post(path)).status_code == 202
        await run()
        assert [await _of(client, "tasks", one) for one in tasks] == [lan, mai, chi, lan]
        assert {await _of(client, "appointments", one) for one in theirs} == {lan}
        owner = (await client.get(f"/v1/customers/{who['id']}")).json()["owner_id"]
        assert owner == lan
        log = (await client.get(f"/v1/customers/{who['id']}/assignments")).json()["data"]
        given = [(one["subject"], one["to_owner_id"]) for one in log]
        assert Counter(given) == {
            (subject, heir): 1
            for subject in ("customer", "task", "appointment")
            for heir in (chi, lan)
        }

    async def test_appointments_are_overbooked_as_long_as_whoever_has_them_has_others_then(
        self, client, hire, newcomer, run
    ):
        lan, chi = await hire(), await hire()
        who, of_chi = await newcomer(owner_id=lan), await newcomer(owner_id=chi)
        await _appointment(client, of_chi["id"], chi, days=2)
        theirs = [
            await _appointment(client, who["id"], lan, days=days, overbook=True)
            for days in (2, 4, 4)
        ]

        async def overbooked() -> list[bool]:
            read = [(await client.get(f"/v1/appointments/{one}")).json() for one in theirs]
            return [one["overbooked"] for one in read]

        assert await overbooked() == [False, False, True]
        body = {"from_owner_id": lan, "to_staff_ids": [chi], "hand_over": ["appointments"]}
        job = (await client.post(f"{RULES}/reassignments", json=body)).json()
        await run()
        assert await overbooked() == [True, False, True]
        undone = await client.post(f"{RULES}/reassignments/{job['id']}/undo")
        assert undone.status_code == 202, undone.text
        await run()
        assert {await _of(client, "appointments", one) for one in theirs} == {lan}
        assert await overbooked() == [False, False, True]

    async def test_only_what_has_ended_and_was_a_reassignment_is_undone(
        self, client, service, shop, hire, run
    ):
        lan, chi = await hire(), await hire()
        body = {"from_owner_id": lan, "to_staff_ids": [chi]}
        started = (await client.post(f"{RULES}/reassignments", json=body)).json()
        path = f"{RULES}/reassignments/{started['id']}/undo"
        refused = await client.post(path)
        assert (refused.status_code, refused.json()["code"]) == (409, "job_not_ended")
        await run()
        undone = await client.post(path)
        assert undone.status_code == 202
        await run()
        path = f"{RULES}/reassignments/{undone.json()['id']}/undo"
        assert (await client.post(path)).status_code == 404
        assert (await client.post(f"{RULES}/reassignments/{new_id()}/undo")).status_code == 404

    async def test_who_does_not_see_everybody_moves_nobody(self, service, shop, client, hire):
        lan, chi = await hire(), await hire()
        body = {"from_owner_id": lan, "to_staff_ids": [chi]}
        async with service.client(
            shop,
            *("assignment_rules:write", "customers:write"),
            kind=PrincipalKind.STAFF,
            actor_id=lan,
            visibility=Visibility.TEAM,
        ) as limited:
            assert (await limited.post(f"{RULES}/reassignments", json=body)).status_code == 403
        for wrong in ({"to_staff_ids": [lan]}, {"to_staff_ids": [str(new_id())]}):
            refused = await client.post(f"{RULES}/reassignments", json={**body, **wrong})
            assert refused.status_code == 422


class TestChoosing:
    STAFF = tuple(UUID(int=n) for n in range(1, 6))

    @given(
        staff=st.lists(st.sampled_from(STAFF), min_size=1, unique=True),
        there=st.lists(st.sets(st.sampled_from(STAFF)), min_size=1, max_size=12),
    )
    def test_in_turn_nobody_who_is_there_is_passed_over_twice(self, staff, there):
        """Held against a queue: who was given a customer goes to the end of the round."""
        rule = Rule(id=UUID(int=9), name="A", strategy="round_robin", staff_ids=staff)
        last = None
        for present in there:
            available = Availability(active=present)
            choice = choose([replace(rule, last_staff_id=last)], Facts("api"), available)
            start = staff.index(last) + 1 if last in staff else 0
            queue = [staff[(start + n) % len(staff)] for n in range(len(staff))]
            expected = next((who for who in queue if who in present), None)
            assert (choice.owner_id if choice else None) == expected
            last = expected or last

    def test_shifts_are_on_the_clocks_of_the_shop(self):
        lan = UUID(int=1)
        shifts = {lan: [Shift(1, 8 * 60, 17 * 60)]}
        # Monday 1 March 2027, 08:00 to 17:00 in Vietnam is 01:00 to 10:00 UTC.
        for hour, minute, works in ((0, 59, False), (1, 0, True), (9, 59, True), (10, 0, False)):
            now = datetime(2027, 3, 1, hour, minute, tzinfo=UTC)
            assert bool(on_shift(shifts, now=now, timezone="Asia/Ho_Chi_Minh")) == works
        sunday = datetime(2027, 2, 28, 2, tzinfo=UTC)
        assert on_shift(shifts, now=sunday, timezone="Asia/Ho_Chi_Minh") == set()
