"""The main job: the whole care loop on real processes, in both topologies."""

import json
from pathlib import Path

import httpx
import pytest

from cli.demo.client import Api, until
from cli.demo.narration import Script, Step
from cli.demo.shop import open_shop
from cli.demo.story import COMMENT, CareLoop
from cli.mail_catcher import caught
from shared.ids import new_id
from tests.support.browser import find_browser, phone_page
from tests.support.house import House


class Told:
    """Keeps what was told."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def tell(self, step: Step) -> None:
        self.steps.append(step)


@pytest.fixture
async def http(house: House):
    async with httpx.AsyncClient(base_url=house.base_url, timeout=30, trust_env=False) as client:
        yield client


def care_loop(house: House, http: httpx.AsyncClient, told: Told, answer_survey=None) -> CareLoop:
    return CareLoop(
        http,
        operator_key=house.operator_key,
        mailbox=lambda: caught(house.mail.folder),
        script=Script(told),
        answer_survey=answer_survey,
    )


@pytest.mark.capability(64, 65, 89)
async def test_the_whole_care_loop(house: House, http: httpx.AsyncClient) -> None:
    told = Told()
    await care_loop(house, http, told).tell()
    assert [step.error for step in told.steps] == [None] * 10
    grouped = next(step for step in told.steps if step.title == "Grouped and thanked")
    assert grouped.effects_ms["in the segment new_customers"] < 5000


@pytest.mark.browser
@pytest.mark.skipif(find_browser() is None, reason="no Chromium: apt-get install chromium")
async def test_the_survey_is_answered_in_a_real_browser_without_javascript(
    house: House, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    async def answer(url: str) -> None:
        async with phone_page(tmp_path / "profile", locale="vi-VN") as page:
            await page.goto(url)
            assert await page.locator("html").get_attribute("lang") == "vi"
            assert not await page.evaluate(
                "document.documentElement.scrollWidth > window.innerWidth"
            ), "the page fits a phone"
            await page.get_by_role("radio").nth(1).check()
            await page.get_by_role("textbox").fill(COMMENT)
            await page.get_by_role("button").click()
            await page.goto(url)
            assert await page.get_by_role("radio").count() == 0, "a second visit asks nothing"

    told = Told()
    await care_loop(house, http, told, answer).tell()
    assert [step.error for step in told.steps] == [None] * 10


@pytest.mark.browser
@pytest.mark.skipif(find_browser() is None, reason="no Chromium: apt-get install chromium")
async def test_the_survey_page_speaks_english_too(
    house: House, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    async def answer(url: str) -> None:
        async with phone_page(tmp_path / "profile", locale="en-GB") as page:
            await page.goto(url)
            assert await page.locator("html").get_attribute("lang") == "en"
            await page.get_by_role("radio").nth(1).check()
            await page.get_by_role("button").click()

    told = Told()
    await care_loop(house, http, told, answer).tell()
    assert told.steps[-1].ok


@pytest.mark.capability(24)
async def test_work_in_every_service_reaches_the_audit_log(house: House) -> None:
    async with httpx.AsyncClient(base_url=house.base_url, timeout=30, trust_env=False) as http:
        slug = f"audit-{new_id().hex[-10:]}"
        shop = await open_shop(http, operator_key=house.operator_key, name="Hoa Mai", slug=slug)
        api = Api(http, shop.api_key)
        # A ticket needs the shop's defaults, which its service makes when it hears of the shop.
        await until(lambda: api.get("/v1/queues"), lambda page: page["data"], what="queues")
        customer = await api.post("/v1/customers", {"name": "Nguyễn Văn Đức"})
        ticket = await api.post(
            "/v1/tickets",
            {
                "subject": "Đổi cỡ",
                "text": "Áo chật quá",
                "requester": {"contact": {"email": "duc@example.com"}},
            },
        )
        await api.get(f"/v1/customers/{customer['id']}")

        async def actions(object_id: str) -> list[tuple[str, str, str]]:
            page = await api.get("/v1/audit-log", object_id=object_id)
            return [(entry["kind"], entry["action"], entry["actor_kind"]) for entry in page["data"]]

        found = await until(
            lambda: actions(customer["id"]), lambda seen: len(seen) == 2, what="entries"
        )
        assert found == [
            ("read", "customers.get", "api_key"),
            ("change", "customers.create", "api_key"),
        ]
        await until(
            lambda: actions(ticket["id"]),
            lambda seen: ("change", "tickets.create", "api_key") in seen,
            what="the ticket's entry",
        )


async def test_an_export_is_followed_to_its_file(house: House, http: httpx.AsyncClient) -> None:
    """A job in the worker's process, its progress and its file through the one public door."""
    slug = f"export-{new_id().hex[-8:]}"
    shop = await open_shop(http, operator_key=house.operator_key, name="Hoa Mai", slug=slug)
    api = Api(http, shop.api_key)
    await api.post("/v1/customers", {"name": "Đặng Thị Hương", "city": "Huế"})
    job = await api.post("/v1/exports", {"format": "ndjson"})
    headers = {"authorization": f"Bearer {shop.api_key}"}

    last: dict[str, object] = {}
    async with http.stream("GET", f"/v1/jobs/{job['id']}/events", headers=headers) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                last = json.loads(line.removeprefix("data: "))
    assert (last["status"], last["done"]) == ("succeeded", 1)

    file = await http.get(f"/v1/jobs/{job['id']}/result", headers=headers)
    assert json.loads(file.text)["name"] == "Đặng Thị Hương"
    listed = await api.get("/v1/jobs", kind="customer_export")
    assert [found["id"] for found in listed["data"]] == [job["id"]]
    refused = await http.post(f"/v1/jobs/{job['id']}/cancel", headers=headers)
    assert (refused.status_code, refused.json()["allowed_transitions"]) == (409, [])
