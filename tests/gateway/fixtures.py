"""Real platforms' payloads, which lie beside the repository; tests that want them skip without."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(
    os.environ.get("CARELOOP_FIXTURES", Path(__file__).parents[3] / "shared" / "fixtures")
)
needs_fixtures = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the folder of platform payloads is not there"
)


def deliveries_of(platform: str) -> Iterator[tuple[str, dict[str, str], bytes]]:
    """Name, headers and raw body of everything there is of a platform."""
    for folder in (FOLDER / platform, FOLDER / "constructed" / platform):
        for path in sorted(folder.glob("*.json")):
            yield f"{folder.parent.name}/{path.stem}", *_delivery(platform, path)


def _delivery(platform: str, path: Path) -> tuple[dict[str, str], bytes]:
    content: Any = json.loads(path.read_text())
    headers: dict[str, str] = {}
    body = content
    if isinstance(content, dict) and "headers" in content:
        headers = dict(content["headers"])
        body = content.get("raw_body", content.get("body"))
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    named = {name.lower(): value for name, value in headers.items()}
    return {**_labels(platform, path), **named}, raw


def _labels(platform: str, path: Path) -> dict[str, str]:
    """The headers that a bare payload would have come with, from its file's name."""
    words = path.stem.split("__")[0].split("_")[0]
    if platform == "shopify":
        topic = words.replace(".", "/") if "." in words else f"rest/{path.stem}"
        return {"x-shopify-topic": topic, "x-shopify-webhook-id": f"file-{path.stem}"}
    if platform == "haravan":
        kinds = {"customer": "customers/update", "order": "orders/updated"}
        topic = words.replace(".", "/") if "." in words else kinds.get(words, path.stem)
        return {"x-haravan-topic": topic}
    if platform == "bigcommerce":
        return {}
    topics = {"docs_order": "order.updated", "docs_customer": "customer.updated"}
    if path.stem == "ping":
        return {}
    return {"x-wc-webhook-topic": topics.get(path.stem, words)}
