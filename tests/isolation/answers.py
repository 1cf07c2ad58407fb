"""Answers, made comparable: what says nothing of the object that was asked for is left out."""

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_NUMBER = re.compile(r"\d{3,}")
_SECRETS = frozenset({"key", "hint", "secret", "token", "slug", "signing_secret"})


def comparable(answer: httpx.Response, named: Mapping[str, str]) -> tuple[int, Any]:
    """Status and body of an answer, whatever the objects that the request named are called.

    A refusal is compared to the letter. An answer that made something is compared without ids,
    times and numbers of its own.
    """
    text = answer.text
    for kind, value in sorted(named.items(), key=lambda item: -len(item[1])):
        for form in (value, value.replace("-", "")):
            text = text.replace(form, f"<{kind}>")
    try:
        body = json.loads(text)
    except ValueError:
        return answer.status_code, text
    if answer.is_success:
        return answer.status_code, _shape(body)
    return answer.status_code, {name: v for name, v in body.items() if name != "request_id"}


def ids_in(answer: httpx.Response) -> set[str]:
    """Every id that an answer tells, in body or headers, as 32 hexadecimal digits."""
    return ids_of(answer.text) | ids_of(answer.headers.get("location", ""))


def ids_of(text: str) -> set[str]:
    """Every id in a text, as 32 hexadecimal digits."""
    return {found.replace("-", "") for found in _UUID.findall(text)}


def _shape(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _shape(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner, name) for inner in value]
    if isinstance(value, str):
        if name in _SECRETS:
            return "<secret>"
        return _NUMBER.sub("<number>", _INSTANT.sub("<instant>", _UUID.sub("<id>", value)))
    if isinstance(value, bool) or value is None:
        return value
    return "<number>"
