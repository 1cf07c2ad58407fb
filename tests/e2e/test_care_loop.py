"""The main job: the whole care loop on real processes, in both topologies."""

from pathlib import Path

import httpx
import pytest

from cli.demo.narration import Script, Step
from cli.demo.story import COMMENT, CareLoop
from cli.mail_catcher import caught
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
