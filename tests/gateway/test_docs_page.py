"""The docs page in a real browser, which may reach nothing but the gateway."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.gateway.test_http_upstream import serving
from tests.support.browser import find_browser, phone_page


@pytest.mark.browser
@pytest.mark.skipif(find_browser() is None, reason="no Chromium: apt-get install chromium")
async def test_the_docs_show_every_tag_and_ask_no_other_host(
    gateway: FastAPI, tmp_path: Path
) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    async with (
        serving(gateway) as url,
        phone_page(tmp_path / "profile", locale="en-US", javascript=True) as page,
    ):
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda line: complaints.append(line.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"{url}/docs")
        for tag in ("auth", "staff", "connections", "hooks"):
            await page.locator(f"#operations-tag-{tag}").wait_for()
        await page.locator("#operations-tag-staff").click()
        # The page writes the dot of an operation id with a backslash before it.
        await page.locator(r'[id="operations-staff-staff\\.create"]').wait_for()
    others = [each for each in asked if not each.startswith((url, "data:", "blob:"))]
    assert others == []
    assert complaints == []
