"""What forms are sent over the API, the leads that are made of it, and what becomes of them."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from services.customer.leads.forgetting import FINGERPRINTS, fingerprint_forgetting
from services.customer.privacy.people import PeopleRepository
from services.customer.schema import metadata
from shared.contracts.gateway import StaffChanged, StaffState
from shared.ids import new_id
from shared.privacy.data import PersonalData
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.leads import AGREED, BINH, make_form, publishable, submit, the_lead
from tests.customer.merging import Merging

ZALO = {
    "utm_source": "Zalo",
    "utm_campaign": "tet-2026",
    "click_ids": {"gclid": "EAIaIQ"},
    "referrer": "https://zalo.me/",
    "landing_page": "https://www.hoasen.example/ao-dai?utm_source=zalo",
}
PAID = {"financial_status": "paid", "total": {"amount": "250000", "currency": "VND"}}


MERGE = text(
    "UPDATE customer.customer SET parent_id = :root, merged_into = :root "
    "WHERE tenant_id = :tenant AND id = :id"
)


@pytest.fixture
async def form(client):
    return await make_form(client)


@pytest.fixture
def hired(service, shop):
    """Somebody new who works here; their id."""

    async def hire():
        who = new_id()
        state = StaffState(staff_id=who, name="Lan", email=f"{who.hex}@shop.vn", role="agent")
        await service.receive(shop, "gateway", [(who, StaffChanged(staff=state))])
        return who

    return hire


async def of_lead(client, lead, what=""):
    answer = await client.get(f"/v1/customers/{lead['customer']['id']}{what}")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.capability(8)
async def test_a_submission_makes_a_lead_with_intent_and_source_page(client, service, shop, form):
    entered = {**BINH, "shoe_size": 38, "branch": "sg", "message": "Gọi tôi sau 18h"}
    receipt = await submit(
        client, form, entered=entered, intent="wants_meeting", consents=[AGREED], attribution=ZALO
    )
    assert receipt["thank_you"] == "Chúng tôi sẽ gọi lại."
    lead = await the_lead(client)
    assert (lead["intent"], lead["source"], lead["converted_at"]) == ("wants_meeting", "zalo", None)
    assert lead["source_page"] == ZALO["landing_page"]
    assert (lead["form_id"], lead["submission_id"]) == (form["id"], receipt["id"])
    customer = await of_lead(client, lead)
    assert {n: customer[n] for n in ("stage", "name", "phone", "email", "source")} == {
        "stage": "lead",
        "name": "Trần Thị Bình",
        "phone": "+84912345678",
        "email": "binh@example.com",
        "source": "lead_form",
    }
    assert customer["attributes"] == {"shoe_size": 38, "branch": "sg"}
    assert [c["status"] for c in customer["consents"]] == ["granted"]
    identities = await of_lead(client, lead, "/identities")
    assert {i["standing"] for i in identities["data"]} == {"claimed"}
    timeline = await of_lead(client, lead, "/timeline")
    assert "lead.captured" in [entry["type"] for entry in timeline["data"]]
    (told,) = await service.told(shop, "customer.lead_captured")
    assert (told["lead"]["lead_id"], told["lead"]["intent"]) == (lead["id"], "wants_meeting")
    assert str(told["key"]) == customer["id"]


async def test_what_was_agreed_to_can_be_proved_in_the_words_of_then(client, service, shop, form):
    reworded = [{**form["consents"][0], "text": {"vi": "Lời khác"}}]
    reworded[0].pop("text_version")
    path = f"/v1/lead-forms/{form['id']}"
    assert (await client.patch(path, json={"consents": reworded})).status_code == 200
    async with publishable(service, shop, client_ip="203.0.113.9") as page:
        await submit(page, form, consents=[AGREED], language="en", source_page="https://a.example/")
    (record,) = (await of_lead(client, await the_lead(client), "/consents"))["data"]
    assert (record["source"], record["status"]) == ("lead_form", "granted")
    proof = record["proof"]
    assert (proof["text_version"], proof["wording"]) == ("1", "Send me offers by email")
    assert (proof["ip"], proof["page"]) == ("203.0.113.9", "https://a.example/")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"entered": {"phone": "0912345678"}}, ["/body/entered/name"]),
        ({"entered": {"name": "An"}}, ["/body/entered/phone"]),
        ({"entered": {**BINH, "phone": "12"}}, ["/body/entered/phone"]),
        ({"entered": {**BINH, "email": "an@"}}, ["/body/entered/email"]),
        ({"entered": {**BINH, "shoe_size": "lớn"}}, ["/body/entered/shoe_size"]),
        ({"entered": {**BINH, "branch": "dn"}}, ["/body/entered/branch"]),
        ({"entered": {**BINH, "colour": "đỏ"}}, ["/body/entered/colour"]),
        ({"consents": [{**AGREED, "text_version": 7}]}, ["/body/consents/0/text_version"]),
    ],
)
async def test_what_the_form_cannot_take_is_refused(client, form, body, pointers):
    refused = await submit(client, form, status=422, **body)
    assert [fault["pointer"] for fault in refused["errors"]] == pointers
    assert (await client.get("/v1/leads")).json()["data"] == []


async def test_a_consent_that_is_needed_is_asked_for(client):
    form = await make_form(client)
    needed = [{**form["consents"][0], "required": True}]
    needed[0].pop("text_version")
    strict = await make_form(client, consents=needed)
    refused = await submit(client, strict, status=422)
    assert [fault["pointer"] for fault in refused["errors"]] == ["/body/consents"]
    await submit(client, strict, consents=[AGREED])


async def test_an_intent_that_is_not_offered_is_refused(client):
    form = await make_form(client, intents=["follows_brand"], default_intent="follows_brand")
    await submit(client, form, status=422, intent="wants_meeting")
    await submit(client, form)
    assert (await the_lead(client))["intent"] == "follows_brand"


async def test_nothing_a_stranger_types_changes_a_customer(client, service, shop, form):
    known = {"name": "Bình", "email": BINH["email"], "email_verified": True}
    before = (await client.post("/v1/customers", json=known)).json()
    async with publishable(service, shop) as page:
        await submit(page, form, consents=[AGREED])
    after = (await client.get(f"/v1/customers/{before['id']}")).json()
    assert after == before
    lead = await the_lead(client)
    assert lead["customer"]["id"] != before["id"]
    pairs = await client.get("/v1/duplicates")
    assert len(pairs.json()["data"]) == 1
    assert before["id"] in pairs.text
    assert lead["customer"]["id"] in pairs.text


async def test_the_same_sent_again_is_one_submission(client, service, shop, form):
    async with publishable(service, shop) as page:
        answers = await asyncio.gather(
            *(
                page.post(f"/v1/lead-forms/{form['id']}/submissions", json={"entered": BINH})
                for _ in range(5)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
        assert len({answer.json()["id"] for answer in answers}) == 1
        await submit(page, form, entered={**BINH, "message": "Thêm một câu hỏi"})
    assert len((await client.get("/v1/leads")).json()["data"]) == 2


async def test_a_publishable_key_may_only_send(service, shop, client, form):
    async with publishable(service, shop) as page:
        receipt = await submit(page, form)
        path = f"/v1/lead-forms/{form['id']}"
        for forbidden in (path, f"{path}/submissions", f"{path}/submissions/{receipt['id']}"):
            assert (await page.get(forbidden)).status_code == 403
        assert (await page.get("/v1/leads")).status_code == 403
        accept = f"{path}/submissions/{receipt['id']}/accept"
        assert (await page.post(accept)).status_code == 403
        customer_id = (await the_lead(client))["customer"]["id"]
        await submit(page, form, status=403, customer_id=customer_id)


async def test_a_form_that_is_closed_takes_nothing(client, form):
    await client.patch(f"/v1/lead-forms/{form['id']}", json={"active": False})
    assert (await submit(client, form, status=409))["code"] == "lead_form_closed"


async def test_who_wants_a_meeting_is_followed_up_by_staff(client):
    follow_up = {"within_hours": 4, "assignee_role": "manager"}
    form = await make_form(client, follow_up=follow_up)
    assert form["follow_up"]["intents"] == ["wants_meeting"]
    await submit(client, form, intent="wants_information")
    assert (await client.get("/v1/tasks")).json()["data"] == []
    entered = {**BINH, "message": "Gọi tôi"}
    await submit(client, form, entered=entered, intent="wants_meeting")
    (task,) = (await client.get("/v1/tasks")).json()["data"]
    lead = await the_lead(client, intent="wants_meeting")
    assert (task["customer_id"], task["kind"]) == (lead["customer"]["id"], "call")
    assert task["title"] == f"{lead['customer']['code']}: Đăng ký tư vấn"
    assert task["assignee_role"] == "manager"
    due, made = (datetime.fromisoformat(task[name]) for name in ("due_at", "created_at"))
    assert due - made == timedelta(hours=4)
    assert task["reminder_at"] == task["due_at"]


class TestKnown:
    """A backend of the shop's that knows who sent it."""

    async def test_what_a_known_customer_sends_is_theirs_and_changes_no_profile(self, client, form):
        known = (await client.post("/v1/customers", json={"name": "Bình"})).json()
        await submit(client, form, customer_id=known["id"], consents=[AGREED], attribution=ZALO)
        lead = await the_lead(client)
        assert lead["customer"]["id"] == known["id"]
        after = (await client.get(f"/v1/customers/{known['id']}")).json()
        assert (after["name"], after["email"], after["phone"]) == ("Bình", None, None)
        assert [c["status"] for c in after["consents"]] == ["granted"]

    async def test_what_they_said_last_is_what_they_want(self, client, form):
        known = (await client.post("/v1/customers", json={"name": "Bình"})).json()
        for intent in ("follows_brand", "wants_meeting"):
            await submit(client, form, customer_id=known["id"], intent=intent)
        lead = await the_lead(client)
        assert (lead["intent"], lead["version"]) == ("wants_meeting", 2)

    async def test_what_they_send_at_the_same_time_is_one_lead(self, client, service, shop, form):
        known = (await client.post("/v1/customers", json={"name": "Bình"})).json()
        messages = [{**BINH, "message": str(number)} for number in range(4)]
        await asyncio.gather(
            *(submit(client, form, entered=each, customer_id=known["id"]) for each in messages)
        )
        assert (await the_lead(client))["customer_id"] == known["id"]
        assert len(await service.told(shop, "customer.lead_captured")) == 1
        body = {"customer_id": known["id"], "intent": "wants_meeting"}
        assert (await client.post("/v1/leads", json=body)).json()["code"] == "already_lead"

    async def test_of_two_who_enter_a_lead_at_once_one_does(self, client):
        known = (await client.post("/v1/customers", json={"name": "Bình"})).json()
        body = {"customer_id": known["id"], "intent": "wants_meeting"}
        answers = await asyncio.gather(*(client.post("/v1/leads", json=body) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]

    async def test_who_is_a_customer_already_is_no_lead(self, client, form):
        body = {"name": "Bình", "stage": "customer"}
        known = (await client.post("/v1/customers", json=body)).json()
        await submit(client, form, customer_id=known["id"])
        assert (await client.get("/v1/leads")).json()["data"] == []
        created = await client.post(
            "/v1/leads", json={"customer_id": known["id"], "intent": "wants_meeting"}
        )
        assert created.json()["code"] == "already_customer"

    async def test_staff_enter_a_lead_and_change_what_it_wants(self, client):
        known = (await client.post("/v1/customers", json={"name": "Bình"})).json()
        body = {
            "customer_id": known["id"],
            "intent": "follows_brand",
            "source_page": "Hội chợ xuân",
            "attribution": {"utm_source": "fair"},
        }
        created = await client.post("/v1/leads", json=body)
        assert created.status_code == 201, created.text
        lead = created.json()
        assert (lead["source"], lead["source_page"]) == ("fair", "Hội chợ xuân")
        assert (await client.post("/v1/leads", json=body)).json()["code"] == "already_lead"
        path = created.headers["location"]
        changed = await client.patch(
            path, json={"intent": "wants_meeting"}, headers={"if-match": '"1"'}
        )
        assert (changed.json()["intent"], changed.headers["etag"]) == ("wants_meeting", '"2"')
        stale = await client.patch(
            path, json={"intent": "follows_brand"}, headers={"if-match": '"1"'}
        )
        assert stale.status_code == 412


class TestKeptAside:
    @pytest.fixture
    async def suspected(self, client, service, shop, form):
        async with publishable(service, shop) as page:
            receipt = await submit(page, form, honeypot="https://spam.example", consents=[AGREED])
        return f"/v1/lead-forms/{form['id']}/submissions/{receipt['id']}"

    async def test_what_a_program_sent_is_kept_aside_and_can_be_accepted(
        self, client, service, shop, form, suspected
    ):
        kept = (await client.get(suspected)).json()
        assert (kept["status"], kept["suspicions"]) == ("suspected", ["honeypot"])
        assert kept["allowed_transitions"] == ["accepted", "rejected"]
        assert (await client.get("/v1/customers")).json()["data"] == []
        waiting = await client.get(suspected.rpartition("/")[0], params={"status": "suspected"})
        assert [each["id"] for each in waiting.json()["data"]] == [kept["id"]]
        accepted = await client.post(f"{suspected}/accept")
        assert accepted.status_code == 200, accepted.text
        lead = await the_lead(client)
        assert accepted.json()["customer_id"] == lead["customer"]["id"]
        assert (await of_lead(client, lead))["consents"][0]["status"] == "granted"
        assert len(await service.told(shop, "customer.lead_captured")) == 1
        again = await client.post(f"{suspected}/accept")
        assert (again.status_code, again.json()["allowed_transitions"]) == (409, [])

    async def test_rejected_it_is_nobody(self, client, suspected):
        rejected = (await client.post(f"{suspected}/reject")).json()
        assert (rejected["status"], rejected["customer_id"]) == ("rejected", None)
        assert (await client.post(f"{suspected}/accept")).status_code == 409
        assert (await client.get("/v1/leads")).json()["data"] == []

    @pytest.mark.parametrize(
        "address",
        [
            {"email": "BINH@Example.com"},
            {"phone": "0912 345 678"},
            {"phone": "(+84) 912-345-678"},
        ],
    )
    async def test_it_is_told_and_erased_with_the_person_whose_address_was_entered(
        self, client, service, shop, form, address
    ):
        async with publishable(service, shop) as page:
            theirs = await submit(page, form, honeypot="x", entered={"name": "Bình", **address})
            other = {"name": "Lan", "phone": "0912 345 679", "email": "lan@example.com"}
            others = await submit(page, form, honeypot="x", entered=other)
        known = {"email": "binh@example.com", "phone": "+84912345678"}
        customer = await client.post("/v1/customers", json={"name": "Bình", **known})
        customer_id = UUID(customer.json()["id"])
        async with service.context.units.begin(shop) as uow:
            person = await PeopleRepository(uow).person([customer_id])
            shares = {s.table: s for s in await PersonalData(uow, metadata).read(person)}
        assert [row["id"] for row in shares["lead_submission"].rows] == [UUID(theirs["id"])]

        body = {"kind": "erasure", "customer_id": str(customer_id)}
        made = (await client.post("/v1/privacy-requests", json=body)).json()
        where = f"/v1/privacy-requests/{made['id']}"
        await client.post(f"{where}/identity-check", json={"method": "in_person"})
        assert (await client.post(f"{where}/execution")).status_code == 202
        sent = f"/v1/lead-forms/{form['id']}/submissions"
        kept = (await client.get(f"{sent}/{theirs['id']}")).json()
        assert not any(kept["entered"].values())
        assert kept["allowed_transitions"] == ["rejected"]
        assert (await client.get(f"{sent}/{others['id']}")).json()["entered"]["name"] == "Lan"
        refused = await client.post(f"{sent}/{theirs['id']}/accept")
        assert (refused.status_code, refused.json()["code"]) == (409, "lead_submission_decided")
        assert (await client.post(f"{sent}/{theirs['id']}/reject")).status_code == 200

    async def test_of_two_who_accept_at_once_one_makes_the_lead(self, client, suspected):
        answers = await asyncio.gather(*(client.post(f"{suspected}/accept") for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        await the_lead(client)

    async def test_too_many_from_one_address_are_kept_aside(self, client, service, shop, form):
        async with publishable(service, shop, client_ip="203.0.113.7") as page:
            for number in range(21):
                entered = {"name": "Bình", "phone": f"09123456{number:02}"}
                await submit(page, form, entered=entered)
        path = f"/v1/lead-forms/{form['id']}/submissions"
        (kept,) = (await client.get(path, params={"status": "suspected"})).json()["data"]
        assert kept["suspicions"] == ["too_many"]
        async with publishable(service, shop, client_ip="203.0.113.8") as other:
            receipt = await submit(other, form)
        assert (await client.get(f"{path}/{receipt['id']}")).json()["status"] == "accepted"

    async def test_too_many_of_one_contact_are_kept_aside(self, client, service, shop, form):
        async with publishable(service, shop) as page:
            for number in range(11):
                await submit(page, form, entered={**BINH, "message": str(number)})
        path = f"/v1/lead-forms/{form['id']}/submissions"
        (kept,) = (await client.get(path, params={"status": "suspected"})).json()["data"]
        assert (kept["suspicions"], kept["entered"]["message"]) == (["too_many"], "10")

    async def test_links_are_kept_aside_and_a_trusted_backend_is_believed(
        self, client, service, shop, form
    ):
        entered = {**BINH, "name": "Xem http://spam.example"}
        async with publishable(service, shop) as page:
            receipt = await submit(page, form, entered=entered)
        path = f"/v1/lead-forms/{form['id']}/submissions/{receipt['id']}"
        assert (await client.get(path)).json()["suspicions"] == ["links"]
        await submit(client, form, entered={**entered, "message": "từ hệ thống của cửa hàng"})
        await the_lead(client)


class TestConversion:
    @pytest.fixture
    def pay(self, client):
        async def paid(lead, **order):
            body = {**PAID, "customer_id": lead["customer"]["id"], "external_id": "1", **order}
            answer = await client.post("/v1/orders", json=body)
            assert answer.status_code in {200, 201}, answer.text

        return paid

    @pytest.mark.capability(7)
    async def test_the_first_paid_order_makes_a_customer_of_a_lead(
        self, client, service, shop, form, pay
    ):
        await submit(client, form, attribution=ZALO)
        lead = await the_lead(client)
        await pay(lead, financial_status="pending")
        assert (await the_lead(client, converted=False))["id"] == lead["id"]
        await pay(lead)
        converted = await the_lead(client, converted=True)
        assert converted["converted_at"] is not None
        assert converted["customer"]["stage"] == "customer"
        assert (await of_lead(client, lead))["stage"] == "customer"
        await pay(lead, external_id="2")
        (told,) = await service.told(shop, "customer.lead_converted")
        assert (told["lead_id"], told["form_id"]) == (lead["id"], form["id"])
        assert (told["customer_id"], told["source"]) == (lead["customer"]["id"], "zalo")

    async def test_a_conversion_is_told_of_leads_that_sent_no_form_too(
        self, client, service, shop, pay
    ):
        customer = (await client.post("/v1/customers", json={"name": "Lan"})).json()
        await pay({"customer": customer})
        (told,) = await service.told(shop, "customer.lead_converted")
        assert (told["customer_id"], told["lead_id"]) == (customer["id"], None)

    async def test_the_report_counts_per_form_and_source(self, client, form, pay):
        other = await make_form(client, name="Bản tin")
        await submit(client, form, attribution=ZALO)
        await pay(await the_lead(client))
        for number in range(2):
            entered = {**BINH, "message": str(number)}
            await submit(client, form, entered=entered, attribution=ZALO)
        await submit(client, other)
        report = (await client.get("/v1/leads/report")).json()
        assert report["total"] == {"leads": 4, "converted": 1, "conversion_rate": 0.25}
        assert [
            (r["form_name"], r["source"], r["leads"], r["converted"], r["conversion_rate"])
            for r in report["data"]
        ] == [("Đăng ký tư vấn", "zalo", 3, 1, 0.3333), ("Bản tin", "direct", 1, 0, 0.0)]
        later = {"captured_at[gte]": "2199-01-01T00:00:00Z"}
        empty = (await client.get("/v1/leads/report", params=later)).json()
        assert empty["total"] == {"leads": 0, "converted": 0, "conversion_rate": None}


class TestList:
    async def test_leads_are_filtered_and_paged(self, client, form):
        other = await make_form(client, name="Bản tin")
        await submit(client, form, intent="wants_meeting")
        await submit(client, form, entered={**BINH, "message": "2"}, intent="follows_brand")
        await submit(client, other, attribution=ZALO)
        assert (await the_lead(client, intent="wants_meeting"))["form_id"] == form["id"]
        assert (await the_lead(client, form_id=other["id"]))["source"] == "zalo"
        assert (await the_lead(client, source="zalo"))["form_id"] == other["id"]
        first = (await client.get("/v1/leads", params={"limit": 2})).json()
        rest = await client.get("/v1/leads", params={"limit": 2, "cursor": first["next_cursor"]})
        listed = [*first["data"], *rest.json()["data"]]
        assert [lead["source"] for lead in listed] == ["zalo", "direct", "direct"]
        assert rest.json()["next_cursor"] is None
        none = await client.get("/v1/leads", params={"captured_at[lt]": "2026-01-01T00:00:00Z"})
        assert none.json()["data"] == []

    async def test_staff_see_the_leads_that_they_own_and_those_of_nobody(
        self, client, service, shop, form, hired
    ):
        mine, theirs = await hired(), await hired()
        for number, owner in enumerate((mine, theirs, None)):
            await submit(client, form, entered={**BINH, "name": f"Khách {number}"})
            lead = (await client.get("/v1/leads")).json()["data"][0]
            body = {"owner_id": str(owner) if owner else None}
            await client.patch(f"/v1/customers/{lead['customer']['id']}", json=body)
        seen = service.client(
            shop,
            *("leads:read", "leads:write", "lead_submissions:read", "touches:read"),
            kind=PrincipalKind.STAFF,
            actor_id=str(mine),
            visibility=Visibility.OWN,
        )
        foreign = await the_lead(client, owner_id=str(theirs))
        async with seen as staff:
            names = [x["customer"]["name"] for x in (await staff.get("/v1/leads")).json()["data"]]
            assert names == ["Khách 2", "Khách 0"]
            assert (await staff.get(f"/v1/leads/{foreign['id']}")).status_code == 404
            change = await staff.patch(f"/v1/leads/{foreign['id']}", json={"intent": None})
            assert change.status_code == 422
            body = {"intent": "wants_meeting"}
            change = await staff.patch(f"/v1/leads/{foreign['id']}", json=body)
            assert change.status_code == 404
            report = (await staff.get("/v1/leads/report")).json()
            assert report["total"]["leads"] == 2
            path = f"/v1/lead-forms/{form['id']}/submissions"
            assert len((await staff.get(path)).json()["data"]) == 2
            touches = f"/v1/customers/{foreign['customer']['id']}/touches"
            assert (await staff.get(touches)).status_code == 404

    async def test_personal_data_are_masked_for_those_who_may_not_see_them(
        self, client, service, shop, form
    ):
        await submit(client, form)
        scopes = ("leads:read", "lead_submissions:read")
        async with service.client(shop, *scopes, sees_pii=False) as blind:
            listed = (await blind.get("/v1/leads")).text
            sent = (await blind.get(f"/v1/lead-forms/{form['id']}/submissions")).text
        for secret in ("Bình", "912345678", "binh@"):
            assert secret not in listed
            assert secret.lower() not in sent.lower()

    async def test_it_is_known_afterwards_whose_lead_was_looked_at(
        self, client, service, shop, form
    ):
        await submit(client, form)
        lead = await the_lead(client)
        told = await service.told(shop, "audit.recorded")
        reads = [r for event in told for r in event["records"] if r["kind"] == "read"]
        (read,) = [r for r in reads if r["action"] == "leads.list"]
        assert {(s["object"], s["id"]) for s in read["subjects"]} == {
            ("lead", lead["id"]),
            ("customer", lead["customer_id"]),
        }

    async def test_another_shop_sees_nothing(self, client, service, open_shop, form):
        await submit(client, form)
        lead = await the_lead(client)
        async with service.client(await open_shop(), "leads:read", "touches:read") as other:
            assert (await other.get("/v1/leads")).json()["data"] == []
            assert (await other.get(f"/v1/leads/{lead['id']}")).status_code == 404
            assert (await other.get("/v1/leads/report")).json()["total"]["leads"] == 0
            touches = f"/v1/customers/{lead['customer']['id']}/touches"
            assert (await other.get(touches)).status_code == 404


class TestMerged:
    """Two captures of one person, the second merged into the first."""

    @pytest.fixture
    async def merged(self, client, service, shop, form):
        for number in range(2):
            entered = {**BINH, "name": f"Bình {number}"}
            await submit(client, form, entered=entered, attribution=ZALO if number else {})
        second, first = (await client.get("/v1/leads")).json()["data"]
        async with service.context.units.begin(shop) as uow:
            ids = {"id": UUID(second["customer"]["id"]), "root": UUID(first["customer"]["id"])}
            await uow.execute(MERGE, {"tenant": shop, **ids})
            await uow.commit()
        return first, second

    async def test_both_leads_are_shown_as_the_person_s(self, client, merged):
        first, second = merged
        listed = (await client.get("/v1/leads")).json()["data"]
        assert [lead["id"] for lead in listed] == [second["id"], first["id"]]
        assert {lead["customer"]["id"] for lead in listed} == {first["customer"]["id"]}
        assert {lead["customer"]["name"] for lead in listed} == {"Bình 0"}

    async def test_touches_of_all_records_are_the_person_s(self, client, merged):
        for lead in merged:
            touches = await of_lead(client, lead, "/touches?limit=1")
            assert [touch["source"] for touch in touches["data"]] == ["zalo"]
            assert (touches["first"]["source"], touches["last"]["source"]) == ("direct", "zalo")
            rest = await of_lead(client, lead, f"/touches?cursor={touches['next_cursor']}")
            assert [touch["source"] for touch in rest["data"]] == ["direct"]

    async def test_an_order_of_the_person_converts_all_and_is_told_once(
        self, client, service, shop, merged
    ):
        first, _ = merged
        body = {**PAID, "customer_id": first["customer"]["id"], "external_id": "1"}
        assert (await client.post("/v1/orders", json=body)).status_code == 201
        listed = (await client.get("/v1/leads", params={"converted": True})).json()["data"]
        assert len(listed) == 2
        (told,) = await service.told(shop, "customer.lead_converted")
        assert told["lead_id"] == first["id"]

    async def test_what_the_person_sends_again_is_the_same_lead(self, client, form, merged):
        first, second = merged
        await submit(client, form, customer_id=second["customer"]["id"], intent="wants_meeting")
        listed = (await client.get("/v1/leads")).json()["data"]
        assert {lead["id"]: lead["intent"] for lead in listed} == {
            first["id"]: "wants_meeting",
            second["id"]: "wants_information",
        }


async def test_touches_of_a_customer_have_a_first_and_a_last(client, form):
    await submit(client, form, attribution=ZALO)
    customer_id = (await the_lead(client))["customer"]["id"]
    touch = {
        "customer_id": customer_id,
        "click_ids": {"fbclid": "IwAR0"},
        "occurred_at": "2026-01-05T01:00:00Z",
        "landing_page": "https://www.hoasen.example/",
    }
    created = await client.post("/v1/touches", json=touch)
    assert (created.status_code, created.json()["source"]) == (201, "facebook")
    read = (await client.get(f"/v1/customers/{customer_id}/touches")).json()
    assert [t["source"] for t in read["data"]] == ["zalo", "facebook"]
    assert (read["first"]["source"], read["last"]["source"]) == ("facebook", "zalo")
    assert read["last"]["click_ids"] == {"gclid": "EAIaIQ"}
    assert (read["last"]["campaign"], read["last"]["form_id"]) == ("tet-2026", form["id"])
    unknown = await client.post("/v1/touches", json={"customer_id": str(new_id())})
    assert unknown.status_code == 404
    strange = await client.post("/v1/touches", json={**touch, "click_ids": {"xclid": "1"}})
    assert strange.status_code == 422
    future = {**touch, "occurred_at": "2190-01-01T00:00:00Z"}
    assert (await client.post("/v1/touches", json=future)).status_code == 422


async def test_the_lead_of_a_merged_record_is_converted_as_long_as_the_person_is_a_customer(
    client, service, shop
):
    merging = Merging(client)
    bought, leads = await merging.make(name="Lan"), []
    for name in ("Lan N.", "Lan Nguyễn"):
        who = await merging.make(name=name)
        body = {"customer_id": who["id"], "intent": "wants_information"}
        made = await client.post("/v1/leads", json=body)
        assert made.status_code == 201, made.text
        leads.append((who, made.json()["id"]))
    (first, before), (second, later) = leads
    await merging.buy(bought, 500_000)
    merged = await merging.merge(bought, first)

    async def converted() -> list[bool]:
        read = [(await client.get(f"/v1/leads/{one}")).json() for one in (before, later)]
        return [one["converted_at"] is not None for one in read]

    assert await converted() == [True, False]
    for wanted, expected in (("true", before), ("false", later)):
        found = (await client.get("/v1/leads", params={"converted": wanted})).json()["data"]
        assert [one["id"] for one in found] == [expected]
    await merging.undo(merged)
    assert await converted() == [False, False]

    # What another's order has converted is open again when they part.
    together = await merging.merge(first, second)
    await merging.buy(first, 300_000)
    assert await converted() == [True, True]
    await merging.undo(together)
    assert await converted() == [True, False]
    await merging.buy(second, 100_000)
    assert await converted() == [True, True]
    told = await service.told(shop, "customer.lead_converted")
    assert told[-1]["lead_id"] == later


async def test_a_digest_of_what_was_sent_is_kept_for_a_day(client, service, shop, form):
    units = service.context.units
    await submit(client, form)

    async def digests(*, older: timedelta):
        async with units.begin(shop) as uow:
            asked = {"at": uow.clock.now() - older, "t": shop}
            table = "customer.lead_fingerprint"
            await uow.execute(
                text(f"UPDATE {table} SET received_at = :at WHERE tenant_id = :t"),
                asked,
            )
            await uow.commit()
        await fingerprint_forgetting(units).run()
        async with units.begin(shop) as uow:
            kept = f"SELECT count(*) FROM {table} WHERE tenant_id = :t"
            return await uow.scalar(text(kept), {"t": shop})

    assert await digests(older=FINGERPRINTS.life - timedelta(hours=1)) == 1
    assert await digests(older=FINGERPRINTS.life + timedelta(hours=1)) == 0
    assert shop not in await units.tenants(FINGERPRINTS.listing)
    assert (await the_lead(client))["intent"]
