"""Consents that wait until the link in a mail was followed."""

import asyncio
from datetime import timedelta

import pytest

from services.customer.leads.submission_repository import SubmissionRepository
from shared.security.principal import PrincipalKind
from tests.customer.leads import (
    AGREED,
    BINH,
    Visitor,
    make_form,
    publishable,
    submit,
    the_lead,
)

FIELDS = [{"name": "name"}, {"name": "phone"}, {"name": "email", "required": True}]


@pytest.fixture
async def visitor(service, shop, root_key):
    client = service.client(shop, "public:pages", kind=PrincipalKind.PUBLIC, sees_pii=False)
    async with client:
        yield Visitor(client, shop, root_key)


@pytest.fixture
async def form(client):
    return await make_form(client, double_opt_in=True, fields=FIELDS)


@pytest.fixture
def asked(service, shop):
    """What mails were asked for."""

    async def told():
        return await service.told(shop, "customer.lead_confirmation_requested")

    return told


async def consents_of(client, lead):
    answer = await client.get(f"/v1/customers/{lead['customer']['id']}/consents")
    return answer.json()


async def test_a_consent_counts_once_the_button_of_the_mails_page_was_pressed(
    client, visitor, form, asked
):
    sent = await visitor.send(form, **BINH, consent__marketing__email="1")
    assert "xác nhận" in sent.text
    lead = await the_lead(client)
    assert (await consents_of(client, lead))["data"] == []
    (mail,) = await asked()
    assert (mail["email"], mail["locale"]) == (BINH["email"], "vi")

    shown = await visitor.visit(mail["url"])
    assert shown.status_code == 200
    assert "Tôi đồng ý nhận tin khuyến mãi qua email" in shown.text
    assert (await consents_of(client, lead))["data"] == [], "scanners of mail open links"

    pressed = await visitor.visit(mail["url"], press=True)
    assert "Đã xác nhận" in pressed.text
    consents = await consents_of(client, lead)
    assert [c["status"] for c in consents["current"]] == ["granted"]
    (record,) = consents["data"]
    assert record["proof"]["confirmed_at"] > record["proof"]["sent_at"]
    assert "Đã xác nhận" in (await visitor.visit(mail["url"])).text


async def test_pressed_twice_at_once_it_is_one_consent(client, service, shop, visitor, form, asked):
    async with publishable(service, shop) as page:
        await submit(page, form, consents=[AGREED])
    (mail,) = await asked()
    answers = await asyncio.gather(*(visitor.visit(mail["url"], press=True) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len((await consents_of(client, await the_lead(client)))["data"]) == 1


async def test_who_agreed_to_nothing_is_asked_for_nothing(client, form, asked):
    await submit(client, form)
    await the_lead(client)
    assert await asked() == []


async def test_what_is_kept_aside_sends_no_mail_until_it_is_accepted(
    client, service, shop, visitor, form, asked
):
    async with publishable(service, shop) as page:
        receipt = await submit(page, form, consents=[AGREED], honeypot="x")
    assert await asked() == []
    path = f"/v1/lead-forms/{form['id']}/submissions/{receipt['id']}"
    accepted = (await client.post(f"{path}/accept")).json()
    assert accepted["confirmation_sent_at"] is not None
    (mail,) = await asked()
    assert (await visitor.visit(mail["url"], press=True)).status_code == 200
    assert (await client.get(path)).json()["confirmed_at"] is not None


async def test_a_link_that_we_did_not_make_confirms_nothing(client, visitor, form, asked):
    await submit(client, form, consents=[AGREED])
    (mail,) = await asked()
    forged = f"{mail['url'][:-4]}AAAA"
    assert (await visitor.visit(forged)).status_code == 404
    assert (await visitor.visit(forged, press=True)).status_code == 404
    page_token = form["page_url"].rpartition("/")[2]
    other = mail["url"].rpartition("/")[0] + "/" + page_token
    assert (await visitor.visit(other, press=True)).status_code == 404
    assert (await consents_of(client, await the_lead(client)))["data"] == []


async def test_after_a_month_the_link_is_not_good_any_more(
    client, service, shop, visitor, form, asked
):
    receipt = await submit(client, form, consents=[AGREED])
    async with service.context.units.begin(shop) as uow:
        old = uow.clock.now() - timedelta(days=31)
        submissions = SubmissionRepository(uow)
        await submissions.save(receipt["id"], {"confirmation_sent_at": old})
        await uow.commit()
    (mail,) = await asked()
    assert (await visitor.visit(mail["url"], press=True)).status_code == 404
    assert (await consents_of(client, await the_lead(client)))["data"] == []


async def test_of_who_was_erased_since_the_link_confirms_nothing(client, visitor, form, asked):
    await submit(client, form, consents=[AGREED])
    (mail,) = await asked()
    lead = await the_lead(client)
    body = {"kind": "erasure", "customer_id": lead["customer"]["id"]}
    made = (await client.post("/v1/privacy-requests", json=body)).json()
    where = f"/v1/privacy-requests/{made['id']}"
    await client.post(f"{where}/identity-check", json={"method": "in_person"})
    assert (await client.post(f"{where}/execution")).status_code == 202

    assert (await visitor.visit(mail["url"])).status_code == 404
    assert (await visitor.visit(mail["url"], press=True)).status_code == 404
    consents = await consents_of(client, lead)
    assert (consents["current"], consents["data"]) == ([], [])
