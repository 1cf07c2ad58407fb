"""Asking customers how it went, and the page they answer on."""

import asyncio
import re
from urllib.parse import urlparse
from uuid import uuid4

import httpx
import pytest

from shared.security.link_tokens import LinkTarget, LinkTokens
from tests.support_ticket.clock import TestClock
from tests.support_ticket.shop import Shop


async def invited(shop: Shop, **customer: object) -> tuple[dict, str]:
    """A resolved ticket, and the path of its survey's page."""
    known = await shop.knows(**{"email": "duc@example.com", **customer})
    ticket = await shop.ticket(subject="Ấm <b>rò</b>", requester={"customer_id": str(known)})
    await shop.resolve(ticket["id"])
    told = (await shop.told("support_ticket.survey_invited"))[-1]
    assert told["url"].startswith("https://care.example/pages/surveys/")
    return ticket, urlparse(told["url"]).path


async def submit(shop: Shop, path: str, **fields: object) -> httpx.Response:
    async with shop.anybody() as anybody:
        return await anybody.post(path, data=fields)


async def look(shop: Shop, path: str, **headers: str) -> httpx.Response:
    async with shop.anybody() as anybody:
        return await anybody.get(path, headers=headers)


@pytest.mark.capability(64)
async def test_resolving_invites_the_customer_once(shop: Shop) -> None:
    ticket, _ = await invited(shop)
    (told,) = await shop.told("support_ticket.survey_invited")
    assert told["recipient"]["email"] == "duc@example.com"
    assert told["ticket"]["ticket_id"] == ticket["id"]
    assert told["ticket"]["status"] == "resolved"
    (survey,) = (await shop.get(f"/v1/surveys?ticket_id={ticket['id']}"))["data"]
    assert (survey["episode"], survey["answered_at"]) == (1, None)
    await shop.post(f"/v1/tickets/{ticket['id']}/resolution", {"kind": "answer"}, 409)
    await shop.post(f"/v1/tickets/{ticket['id']}/transitions", {"to": "closed"}, 200)
    assert len(await shop.told("support_ticket.survey_invited")) == 1


async def test_an_answer_is_kept_with_the_ticket_and_told(shop: Shop) -> None:
    ticket, path = await invited(shop)
    response = await submit(shop, path, score="2", comment=" Chờ lâu quá\r\nlần sau nhanh hơn ")
    assert response.status_code == 200
    assert "Cảm ơn bạn" in response.text
    seen = await shop.get(f"/v1/tickets/{ticket['id']}")
    assert seen["csat"] == 2
    (answer,) = (await shop.get("/v1/survey-responses?max_score=2"))["data"]
    assert (answer["score"], answer["scale_max"], answer["ticket_id"]) == (2, 5, ticket["id"])
    assert answer["comment"] == "Chờ lâu quá\nlần sau nhanh hơn"
    (told,) = await shop.told("support_ticket.survey_answered")
    assert (told["score"], told["comment"], told["kind"]) == (2, answer["comment"], "csat")
    assert told["ticket"]["csat"] == 2
    updated = (await shop.told("support_ticket.ticket_updated"))[-1]
    assert updated["ticket"] == told["ticket"]
    (episode,) = (await shop.get(f"/v1/tickets/{ticket['id']}/episodes"))["data"]
    assert episode["csat"] == 2
    assert (await shop.get("/v1/survey-responses?max_score=1"))["data"] == []


async def test_the_first_of_two_answers_stays(shop: Shop) -> None:
    ticket, path = await invited(shop)
    await submit(shop, path, score="2")
    again = await submit(shop, path, score="5")
    assert again.status_code == 200
    assert "đã đánh giá rồi" in again.text
    assert "đã đánh giá rồi" in (await look(shop, path)).text
    assert (await shop.get(f"/v1/tickets/{ticket['id']}"))["csat"] == 2


async def test_of_answers_at_the_same_time_one_counts(shop: Shop) -> None:
    ticket, path = await invited(shop)
    responses = await asyncio.gather(*(submit(shop, path, score=s) for s in (1, 2, 3, 4, 5) * 2))
    assert {r.status_code for r in responses} == {200}
    assert sum("Cảm ơn bạn!</h1>" in r.text for r in responses) == 1
    (told,) = await shop.told("support_ticket.survey_answered")
    assert (await shop.get(f"/v1/tickets/{ticket['id']}"))["csat"] == told["score"]
    (answer,) = (await shop.get("/v1/survey-responses"))["data"]
    assert answer["score"] == told["score"]


async def test_looking_at_the_page_changes_nothing(shop: Shop) -> None:
    ticket, path = await invited(shop)
    before, told = await shop.get(f"/v1/tickets/{ticket['id']}"), await shop.told()
    async with shop.anybody() as anybody:
        for query in ("", "?score=5", "?lang=en&score=1"):
            assert (await anybody.get(path + query)).status_code == 200
            head = await anybody.head(path + query)
            assert head.status_code == 200
    assert await shop.get(f"/v1/tickets/{ticket['id']}") == before
    assert await shop.told() == told
    assert (await shop.get("/v1/survey-responses"))["data"] == []


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "", "vi"),
        ("", "en-US,en;q=0.9", "en"),
        ("", "de, vi;q=0.4, en;q=0.3", "vi"),
        ("", "en;q=0, fr", "vi"),
        ("", "en;q=x", "vi"),
        ("?lang=vi", "en", "vi"),
        ("?lang=en", "vi", "en"),
    ],
)
async def test_the_page_speaks_the_readers_language(
    shop: Shop, query: str, accepted: str, language: str
) -> None:
    _, path = await invited(shop)
    page = await look(shop, path + query, **{"Accept-Language": accepted})
    assert f'<html lang="{language}">' in page.text
    assert ("Rate our support" in page.text) == (language == "en")


async def test_the_page_speaks_the_customers_language_when_the_browser_says_none(
    shop: Shop,
) -> None:
    _, path = await invited(shop, locale="en-GB")
    assert '<html lang="en">' in (await look(shop, path)).text


async def test_the_page_is_a_plain_accessible_form(shop: Shop) -> None:
    ticket, path = await invited(shop)
    html = (await look(shop, path)).text
    assert "<script" not in html
    assert "Ấm &lt;b&gt;rò&lt;/b&gt;" in html
    assert ticket["code"] in html
    assert "Tiệm Gốm Nhà Mây" in html
    assert html.index("<fieldset") < html.index("<legend>") < html.index('type="radio"')
    controls = set(re.findall(r'<(?:input|textarea)[^>]* id="([^"]+)"', html))
    assert controls == {"comment", *(f"score-{n}" for n in range(1, 6))}
    assert controls <= set(re.findall(r'<label[^>]* for="([^"]+)"', html))
    assert 'name="viewport"' in html


async def test_the_page_is_locked_down(shop: Shop) -> None:
    _, path = await invited(shop)
    for response in (await look(shop, path), await submit(shop, path, score="9")):
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["cache-control"] == "no-store"
        assert "noindex" in response.headers["x-robots-tag"]
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Vui lòng chọn"),
        ({"score": "0"}, "Vui lòng chọn"),
        ({"score": "6"}, "Vui lòng chọn"),
        ({"score": "2.5", "comment": "giữ lại"}, "giữ lại</textarea>"),
        ({"score": "3", "comment": "x" * 2001}, "dài quá 2000"),
    ],
)
async def test_an_answer_that_says_nothing_is_asked_for_again(
    shop: Shop, fields: dict[str, str], said: str
) -> None:
    _, path = await invited(shop)
    response = await submit(shop, path, **fields)
    assert response.status_code == 422
    assert said in response.text
    assert 'role="alert"' in response.text
    assert (await shop.get("/v1/survey-responses"))["data"] == []
    if "comment" in fields and fields["score"] == "3":
        assert 'value="3" required checked' in response.text


async def test_a_comment_of_the_greatest_length_is_taken(shop: Shop) -> None:
    _, path = await invited(shop)
    assert (await submit(shop, path, score="4", comment="ễ" * 2000)).status_code == 200
    (answer,) = (await shop.get("/v1/survey-responses"))["data"]
    assert len(answer["comment"]) == 2000


async def test_a_link_nobody_sent_leads_nowhere(shop: Shop, root_key: str) -> None:
    _, path = await invited(shop)
    real = path.rsplit("/", 1)[1]
    links = LinkTokens(root_key=root_key, purpose="survey")
    unknown = links.mint(LinkTarget(shop.tenant, uuid4()))
    other_purpose = LinkTokens(root_key=root_key, purpose="unsubscribe")
    wrong_key = LinkTokens(root_key="x" * 40, purpose="survey")
    for token in (
        "nonsense",
        real[:-3] + ("A" if real[-3] != "A" else "B") + real[-2:],
        unknown,
        other_purpose.mint(LinkTarget(shop.tenant, uuid4())),
        wrong_key.mint(LinkTarget(shop.tenant, uuid4())),
    ):
        for response in (
            await look(shop, f"/pages/surveys/{token}?lang=en"),
            await submit(shop, f"/pages/surveys/{token}?lang=en", score="5"),
        ):
            assert response.status_code == 404
            assert "This link is not valid" in response.text
            assert response.headers["cache-control"] == "no-store"


async def test_a_link_of_one_shop_does_not_open_in_another(shop: Shop, other_shop: Shop) -> None:
    _, path = await invited(shop)
    assert (await look(other_shop, path)).status_code == 404
    assert (await submit(other_shop, path, score="5")).status_code == 404
    assert (await shop.get("/v1/survey-responses"))["data"] == []


async def test_a_stranger_is_asked_at_their_address(shop: Shop) -> None:
    ticket = await shop.ticket(requester={"contact": {"phone": "0912345678"}})
    await shop.resolve(ticket["id"])
    (told,) = await shop.told("support_ticket.survey_invited")
    assert told["recipient"]["phone"] == "+84912345678"


async def test_somebody_who_cannot_be_reached_is_not_asked(shop: Shop) -> None:
    await shop.hears(shop.message("Ấm", channel="zalo", sender_name="Ai đó"))
    (ticket,) = (await shop.get("/v1/tickets"))["data"]
    await shop.resolve(ticket["id"])
    assert await shop.told("support_ticket.survey_invited") == []


async def test_a_late_answer_goes_to_the_round_it_was_asked_about(
    shop: Shop, clock: TestClock
) -> None:
    ticket, first_page = await invited(shop)
    path = f"/v1/tickets/{ticket['id']}"
    await shop.post(f"{path}/transitions", {"to": "open"}, 200)
    await shop.resolve(ticket["id"])
    second_page = urlparse((await shop.told("support_ticket.survey_invited"))[-1]["url"]).path
    assert second_page != first_page
    await submit(shop, second_page, score="5")
    clock.advance(minutes=1)
    await submit(shop, first_page, score="1")
    one, two = (await shop.get(f"{path}/episodes"))["data"]
    assert (one["csat"], two["csat"]) == (1, 5)
    answers = (await shop.get(f"/v1/survey-responses?ticket_id={ticket['id']}"))["data"]
    assert [(a["episode"], a["score"]) for a in answers] == [(1, 1), (2, 5)]
