"""Lead forms over the API: what they may be made of, and how they change."""

import pytest

from tests.customer.leads import FORM, MARKETING, make_form


async def test_a_form_is_kept_as_it_was_made(client):
    form = await make_form(client)
    assert {name: form[name] for name in ("name", "default_intent", "active", "double_opt_in")} == {
        "name": "Đăng ký tư vấn",
        "default_intent": "wants_information",
        "active": True,
        "double_opt_in": False,
    }
    assert [field["name"] for field in form["fields"]] == ["name", "phone", "email", "message"]
    assert form["consents"][0]["text_version"] == 1
    path = f"/v1/lead-forms/{form['id']}"
    read = await client.get(path)
    assert read.json() == form
    assert read.headers["etag"] == '"1"'
    assert (await client.get("/v1/lead-forms")).json()["data"] == [form]


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"fields": [{"name": "name"}]}, "/body/fields"),
        ({"fields": [{"name": "email"}, {"name": "email"}]}, "/body/fields/1/name"),
        ({"own_fields": [{"key": "email", "label": {"vi": "x"}}]}, "/body/own_fields/0/key"),
        (
            {"own_fields": [{"key": "a", "label": {"vi": "x"}, "type": "choice"}]},
            "/body/own_fields/0/options",
        ),
        ({"consents": [MARKETING, MARKETING]}, "/body/consents/1"),
        ({"intents": ["wants_meeting"]}, "/body/default_intent"),
        ({"double_opt_in": True}, "/body/double_opt_in"),
        ({"redirect_url": "https://evil.example/x"}, "/body/redirect_url"),
        (
            {
                "redirect_url": "https://hoasen.example.evil.example/",
                "allowed_origins": ["https://hoasen.example"],
            },
            "/body/redirect_url",
        ),
        ({"redirect_url": "javascript:alert(1)"}, "/body/redirect_url"),
    ],
)
async def test_a_form_that_does_not_fit_together_is_refused(client, said, pointer):
    refused = await client.post("/v1/lead-forms", json={**FORM, **said})
    assert refused.status_code == 422
    assert [fault["pointer"] for fault in refused.json()["errors"]] == [pointer]


async def test_a_redirect_to_an_allowed_origin_is_taken(client):
    form = await make_form(
        client,
        allowed_origins=["https://hoasen.example:443"],
        redirect_url="https://hoasen.example/cam-on",
    )
    assert form["allowed_origins"] == ["https://hoasen.example"]
    assert form["redirect_url"] == "https://hoasen.example/cam-on"


async def test_words_that_change_get_a_new_version_and_others_keep_theirs(client):
    care = {"purpose": "care", "channel": "call", "text": {"vi": "Được gọi lại"}}
    form = await make_form(client, consents=[MARKETING, care])
    path = f"/v1/lead-forms/{form['id']}"
    reworded = {**MARKETING, "text": {"vi": "Tôi muốn nhận tin"}}
    changed = (await client.patch(path, json={"consents": [reworded, care]})).json()
    assert [c["text_version"] for c in changed["consents"]] == [2, 1]
    await client.patch(path, json={"consents": []})
    back = (await client.patch(path, json={"consents": [MARKETING]})).json()
    assert [c["text_version"] for c in back["consents"]] == [4]


async def test_a_change_is_checked_as_a_whole_and_against_its_version(client):
    form = await make_form(client)
    path = f"/v1/lead-forms/{form['id']}"
    assert (await client.patch(path, json={"intents": ["wants_meeting"]})).status_code == 422
    off = await client.patch(path, json={"active": False}, headers={"if-match": '"1"'})
    assert (off.json()["active"], off.json()["version"]) == (False, 2)
    stale = await client.patch(path, json={"active": True}, headers={"if-match": '"1"'})
    assert stale.status_code == 412
    assert (await client.patch(path, json={"title": None})).status_code == 422
    listed = (await client.get("/v1/lead-forms", params={"active": True})).json()
    assert listed["data"] == []


async def test_another_shop_cannot_reach_a_form(client, service, open_shop):
    form = await make_form(client)
    scopes = ("lead_forms:read", "lead_forms:write", "lead_submissions:write")
    async with service.client(await open_shop(), *scopes) as other:
        path = f"/v1/lead-forms/{form['id']}"
        assert (await other.get(path)).status_code == 404
        assert (await other.patch(path, json={"active": False})).status_code == 404
        sent = await other.post(f"{path}/submissions", json={"entered": {"email": "a@b.vn"}})
        assert sent.status_code == 404
        assert (await other.get("/v1/lead-forms")).json()["data"] == []
