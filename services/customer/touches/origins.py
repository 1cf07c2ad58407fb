"""Where a visit came from, read off the address of the page and what the browser said. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from shared.text import tidy

UTM: Final = ("source", "medium", "campaign", "term", "content")
"""The parts of a campaign's parameters: `utm_source` and so on."""

# Whose click ids these are; the first that is there names the source when nothing else does.
CLICK_IDS: Final[Mapping[str, str]] = {
    "gclid": "google",
    "gbraid": "google",
    "wbraid": "google",
    "fbclid": "facebook",
    "zclid": "zalo",
    "zarsrc": "zalo",
    "ttclid": "tiktok",
    "msclkid": "bing",
}
PARAMETERS: Final = (*(f"utm_{part}" for part in UTM), *CLICK_IDS)
DIRECT: Final = "direct"
MAX_VALUE: Final = 500
MAX_ADDRESS: Final = 2000
_MAX_SOURCE: Final = 100


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of a visit. `source` is never empty: `direct` when nothing was said."""

    source: str = DIRECT
    medium: str | None = None
    campaign: str | None = None
    term: str | None = None
    content: str | None = None
    click_ids: dict[str, str] = field(default_factory=dict)
    referrer: str | None = None
    landing_page: str | None = None

    def as_row(self) -> dict[str, Any]:
        """The columns of a touch that it fills."""
        return {name: getattr(self, name) for name in self.__slots__}


def origin_of(
    parameters: Mapping[str, str], *, referrer: str | None, landing_page: str | None
) -> Origin:
    """The origin that `utm_…` and click ids tell, or else the referrer. Never raises.

    What names a campaign wins over a click id, and that over the page that linked to us.
    """
    utm = {part: tidy(parameters.get(f"utm_{part}"), max_length=MAX_VALUE) for part in UTM}
    ids = {name: tidy(parameters.get(name), max_length=MAX_VALUE) for name in CLICK_IDS}
    click_ids = {name: value for name, value in ids.items() if value}
    referrer = tidy(referrer, max_length=MAX_ADDRESS)
    landing_page = tidy(landing_page, max_length=MAX_ADDRESS)
    own_host = _host(landing_page)
    came_from = _host(referrer)
    source = (
        utm.pop("source")
        or next((CLICK_IDS[name] for name in click_ids), None)
        or (came_from if came_from != own_host else None)
        or DIRECT
    )
    return Origin(
        source=source.lower()[:_MAX_SOURCE],
        **utm,
        click_ids=click_ids,
        referrer=referrer,
        landing_page=landing_page,
    )


def _host(address: str | None) -> str | None:
    """The host of an address without its `www.`; None when it has none."""
    try:
        host = urlsplit(address or "").hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None
