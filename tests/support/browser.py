"""A real browser for pages that people open: Debian's Chromium, driven over its own protocol."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PHONE = {"width": 390, "height": 844}


def find_browser() -> str | None:
    """The browser of this machine, if it has one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@asynccontextmanager
async def phone_page(
    profile: Path, *, locale: str, javascript: bool = False
) -> AsyncIterator[Page]:
    """A page on a phone-sized screen; skips the test when there is no browser."""
    program = find_browser()
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=program,
            headless=True,
            args=list(_FLAGS),
            viewport=_PHONE,
            locale=locale,
            java_script_enabled=javascript,
        )
        try:
            yield context.pages[0] if context.pages else await context.new_page()
        finally:
            await context.close()
